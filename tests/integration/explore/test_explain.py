"""For every event and subscription: matched, or by which clause not, or why a match waits or passes by."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.runtime.settings import Settings
from tests.integration.explore.conftest import subscribe
from tests.support.projects import Project, create_project
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


async def change(pool: asyncpg.Pool, project: Project, identity: UUID, filters: list, at: datetime) -> None:
    """What the API does at a change, dated."""
    await pool.execute(
        "UPDATE subscriptions SET version = version + 1, filters = $2, updated_at = $3 WHERE id = $1",
        identity,
        filters,
        at,
    )
    await pool.execute(
        """
        INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink, created_at)
        SELECT id, version, project_id, name, filters, sink, $2 FROM subscriptions WHERE id = $1
        """,
        identity,
        at,
    )


async def test_any_version_can_be_asked_also_of_what_is_deleted(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    first, second = [{"exact": {"subject": "a"}}], [{"sql": "subject = 'b' AND type = 'nothing'"}]
    one = await subscribe(pool, project.id, "one", first)
    await subscribe(pool, project.id, "other", [])
    await pool.execute(
        "UPDATE subscription_versions SET created_at = '2026-01-01' WHERE subscription_id = $1", one
    )
    (uid,) = await store(pool, project.id, [an_event(0, subject="a")])
    await change(pool, project, one, second, datetime.now(UTC))

    async def asked(**query: Any) -> dict[str, Any]:
        answer = await client.get(f"/events/{uid}/explain", params={"subscription": str(one), **query})
        assert answer.status_code == 200, answer.text
        (item,) = answer.json()["items"]
        return item

    old, new, last = await asked(version=1), await asked(version=2), await asked()
    assert (old["matched"], old["version"], old["clause"]) == (True, 1, None)
    assert (new["matched"], new["version"], new["clause"]) == (False, 2, second[0])
    assert new["detail"] == "`subject = 'b'` is false: subject is a"
    assert last == new
    await pool.execute("DELETE FROM subscriptions WHERE id = $1", one)
    gone = await asked()
    assert gone == {**new, "state": "deleted"}
    assert (await asked(version=1))["detail"] == "the subscription is deleted"
    everyone = (await client.get(f"/events/{uid}/explain")).json()["items"]
    assert [item["subscriptionName"] for item in everyone] == ["other"]


async def test_an_event_can_be_explained_as_it_was_then(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    now = datetime.now(UTC)
    names = ("steady", "changed", "deleted", "deleted before", "later")
    ids = [await subscribe(pool, project.id, name, [{"exact": {"subject": "a"}}]) for name in names]
    await pool.execute(
        "UPDATE subscription_versions SET created_at = $2 WHERE subscription_id = ANY($1)",
        ids[:4],
        now - timedelta(days=2),
    )
    (uid,) = await store(pool, project.id, [an_event(0, subject="a")], at=now - timedelta(hours=1))
    await change(pool, project, ids[1], [{"exact": {"subject": "b"}}], now)
    for identity, at in ((ids[2], now), (ids[3], now - timedelta(days=1))):
        await pool.execute(
            "UPDATE subscription_versions SET deleted_at = $2 WHERE subscription_id = $1", identity, at
        )
        await pool.execute("DELETE FROM subscriptions WHERE id = $1", identity)
    items = (await client.get(f"/events/{uid}/explain", params={"then": "true"})).json()["items"]
    assert [(i["subscriptionName"], i["matched"], i["version"], i["state"]) for i in items] == [
        ("steady", True, 1, "active"),
        ("changed", True, 1, "active"),
        ("deleted", True, 1, "deleted"),
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"version": 1}, 422),
        ({"subscription": "x"}, 422),
        ({"then": "true", "subscription": str(uuid4())}, 422),
        ({"subscription": str(uuid4())}, 404),
        ({"subscription": str(uuid4()), "version": 7}, 404),
    ],
)
async def test_what_cannot_be_asked(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, query: dict[str, Any], status: int
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    answer = await client.get(f"/events/{uid}/explain", params=query)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_another_projects_subscription_is_not_there(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    other = await create_project(pool, settings)
    foreign = await subscribe(pool, other.id, "foreign", [])
    answer = await client.get(f"/events/{uid}/explain", params={"subscription": str(foreign)})
    assert answer.status_code == 404


async def test_expressions_say_what_they_saw_and_what_went_wrong(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    for name, clause in {
        "false": {"cel": 'type == "com.example.tested" && data.total > 100'},
        "true": {"cel": "data.total == 5 && !has(event.subject)"},
        "error": {"cel": "data.lines.size() > 0"},
        "sql": {"sql": "subject LIKE 'a%'"},
        "broken": {"nothing": {}},
    }.items():
        await subscribe(pool, project.id, name, [clause])
    (uid,) = await store(pool, project.id, [an_event(0, data=b'{"total": 5}')])
    items = {i["subscriptionName"]: i for i in (await client.get(f"/events/{uid}/explain")).json()["items"]}
    assert items["false"]["detail"] == "type is com.example.tested; data.total is 5"
    assert items["true"]["matched"]
    assert items["error"]["error"] == "no such key: lines"
    assert items["error"]["detail"] == "error: no such key: lines (data.lines is missing)"
    assert "missingAttribute" in items["sql"]["error"]
    assert items["broken"]["matched"]
    assert "cannot be used" in items["broken"]["error"]
