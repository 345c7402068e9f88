"""For every event and subscription: matched, or by which clause not, or why a match waits or passes by."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx

from tests.integration.explore.conftest import subscribe
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store


async def test_every_subscription_has_its_verdict(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    everything = await subscribe(pool, project.id, "everything", [])
    clause = {"any": [{"exact": {"subject": "a"}}, {"prefix": {"source": "/shop"}}]}
    other = await subscribe(pool, project.id, "other", [{"exact": {"type": "com.example.tested"}}, clause])
    (uid,) = await store(pool, project.id, [an_event(0, subject="b")])
    made = await deliver(pool, project.id, uid, subscription)
    items = (await client.get(f"/events/{uid}/explain")).json()["items"]
    assert [item["subscription"] for item in items] == [str(subscription), str(everything), str(other)]
    assert [item["matched"] for item in items] == [True, True, False]
    assert [item["delivery"] for item in items] == [str(made), None, None]
    assert [item["detail"] is None for item in items] == [True, True, False]
    assert items[2]["clause"] == clause
    assert "subject is b" in items[2]["detail"]
    assert "source is /tests" in items[2]["detail"]
    assert [item["clause"] for item in items[:2]] == [None, None]


async def test_a_match_without_a_delivery_says_why(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    for state in ("paused", "disabled"):
        await subscribe(pool, project.id, state, [], state)
    changed = await subscribe(pool, project.id, "changed", [])
    younger = await subscribe(pool, project.id, "younger", [])
    later = datetime.now(UTC) + timedelta(hours=1)
    await pool.execute("UPDATE subscriptions SET updated_at = $2 WHERE id = $1", changed, later)
    await pool.execute("UPDATE subscriptions SET created_at = $2 WHERE id = $1", younger, later)
    (uid,) = await store(pool, project.id, [an_event(0)])
    items = (await client.get(f"/events/{uid}/explain")).json()["items"]
    assert all(item["matched"] for item in items)
    assert [item["state"] for item in items] == ["paused", "disabled", "active", "active"]
    for item, word in zip(
        items, ("is paused", "is disabled", "was changed after", "was made after"), strict=True
    ):
        assert word in item["detail"]
