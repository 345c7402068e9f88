"""Deliveries are listed and shown with their attempts, alone and below their event."""

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

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFUSED = {
    "url": "http://sink.test/",
    "response": {"headers": {"retry-after": "2"}, "body": "busy", "truncated": False},
}


async def ids_of(client: httpx.AsyncClient, **params: Any) -> list[UUID]:
    answer = await client.get("/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return [UUID(item["id"]) for item in answer.json()["items"]]


async def tried(pool: asyncpg.Pool, project: Project, uid: UUID, subscription: UUID) -> UUID:
    """A delivery that failed twice and waits for its third attempt."""
    made = await deliver(
        pool,
        project.id,
        uid,
        subscription,
        "retrying",
        attempt_count=2,
        next_attempt_at=START + timedelta(seconds=30),
        last_error="connection reset",
        first_started_at=START + timedelta(seconds=1),
        first_duration_us=12_345,
        first_status_code=503,
        first_detail=REFUSED,
    )
    await pool.execute(
        """
        INSERT INTO attempts (delivery_id, number, project_id, started_at, duration_us, error, detail)
        VALUES ($1, 2, $2, $3, 1500, 'connection reset', '{"url": "http://sink.test/", "response": null}')
        """,
        made,
        project.id,
        START + timedelta(seconds=6),
    )
    return made


async def test_lists_are_newest_first_and_filtered(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID, settings: Settings
) -> None:
    second = await subscribe(pool, project.id, "second", [])
    uids = await store(pool, project.id, [an_event(n) for n in range(3)], at=START, step=timedelta(seconds=1))
    statuses = ("delivered", "dead", "pending")
    a = [await deliver(pool, project.id, u, subscription, s) for u, s in zip(uids, statuses, strict=True)]
    b = await deliver(pool, project.id, uids[1], second, "delivered")
    other = await create_project(pool, settings)
    await deliver(pool, other.id, uids[0], uuid4(), "dead")
    found = await ids_of(client)
    assert found == sorted([*a, b], reverse=True)
    assert set(await ids_of(client, event=uids[1])) == {a[1], b}
    assert await ids_of(client, subscription=second) == [b]
    assert await ids_of(client, event=uids[1], subscription=subscription) == [a[1]]
    assert await ids_of(client, status="dead") == [a[1]]
    assert set(await ids_of(client, status="delivered")) == {a[0], b}
    assert await ids_of(client, since=(START + timedelta(seconds=2)).isoformat()) == [a[2]]
    assert await ids_of(client, until=(START + timedelta(seconds=1)).isoformat()) == [a[0]]
    assert await ids_of(client, event=uuid4()) == []
    replay = uuid4()
    await pool.execute("UPDATE deliveries SET replay_id = $1 WHERE id = ANY($2::uuid[])", replay, a[:2])
    assert await ids_of(client, replay=replay) == [a[1], a[0]]
    assert await ids_of(client, replay=replay, status="dead") == [a[1]]
    assert await ids_of(client, replay=uuid4()) == []
    assert await ids_of(client, event=uids[0], since=(START + timedelta(seconds=2)).isoformat()) == []


async def test_pages_follow_one_another(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    uids = await store(pool, project.id, [an_event(n) for n in range(5)])
    made = [await deliver(pool, project.id, uid, subscription) for uid in uids]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/deliveries", params=params)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == [str(delivery) for delivery in reversed(made)]
    assert cursor is None


@pytest.mark.parametrize(
    "params", [{"event": "x"}, {"subscription": "x"}, {"status": "lost"}, {"limit": 501}, {"since": "x"}]
)
async def test_422_points_at_the_parameter(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    answer = await client.get("/deliveries", params=params)
    assert answer.status_code == 422
    name = next(iter(params))
    assert answer.json()["errors"][0]["pointer"] in {f"/query/{name}", f"/query/{name}/0"}


async def test_a_delivery_tells_each_attempt(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0, data=b"{}", subject="s")], at=START)
    made = await tried(pool, project, uid, subscription)
    shown = (await client.get(f"/deliveries/{made}")).json()
    attempts = shown.pop("attempts")
    assert shown == {
        "id": str(made),
        "event": str(uid),
        "eventType": "com.example.tested",
        "eventSubject": "s",
        "subscription": str(subscription),
        "subscriptionName": "tested",
        "sink": "http://sink.test/",
        "status": "retrying",
        "held": False,
        "attemptCount": 2,
        "nextAttemptAt": "2026-03-01T12:00:30Z",
        "createdAt": "2026-03-01T12:00:01Z",
        "endedAt": None,
        "lastStatusCode": None,
        "lastError": "connection reset",
        "deadLetter": None,
        "replay": None,
    }
    assert [a["number"] for a in attempts] == [1, 2]
    first, second = attempts
    assert (first["startedAt"], first["durationMs"]) == ("2026-03-01T12:00:01Z", 12.345)
    assert (first["statusCode"], first["error"]) == (503, None)
    assert first["response"] == {
        "headers": {"retry-after": "2"},
        "body": "busy",
        "bodyEncoding": "text",
        "bodyTruncated": False,
    }
    assert (second["statusCode"], second["error"], second["response"]) == (None, "connection reset", None)
    assert second["durationMs"] == 1.5
    item = (await client.get("/deliveries")).json()["items"][0]
    assert item == shown


async def test_the_request_is_shown_without_its_secrets(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0, data=b"{}", subject="s")], at=START)
    made = await tried(pool, project, uid, subscription)

    async def sent(**columns: Any) -> dict[str, str]:
        for name, value in columns.items():
            await pool.execute(f"UPDATE subscriptions SET {name} = $2 WHERE id = $1", subscription, value)
        request = (await client.get(f"/deliveries/{made}")).json()["attempts"][0]["request"]
        assert request["url"] == "http://sink.test/"
        return request["headers"]

    common = {"webhook-id": str(made), "webhook-timestamp": str(int(START.timestamp()) + 1)}
    assert await sent(delivery={"format": "json"}) == {
        **common,
        "content-type": "application/cloudevents+json",
    }
    assert await sent(delivery={"format": "binary"}, signing_secrets_sealed=b"sealed") == {
        **common,
        "webhook-signature": "***",
        "ce-specversion": "1.0",
        "ce-id": "e-0",
        "ce-source": "/tests",
        "ce-type": "com.example.tested",
        "ce-subject": "s",
        "content-type": "application/json",
    }
    await pool.execute("DELETE FROM subscriptions WHERE id = $1", subscription)
    assert await sent() == common


async def test_a_dead_letter_tells_how_far_it_has_come(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    waits = {"status": "waiting", "attempts": 0, "dest": "http://sink.test/", "code": "400", "data": ""}
    made = await deliver(
        pool, project.id, uid, subscription, "dead", dead_letter=waits, next_attempt_at=datetime.now(UTC)
    )
    shown = (await client.get(f"/deliveries/{made}")).json()
    assert shown["nextAttemptAt"] is None
    assert shown["deadLetter"] == {
        "status": "waiting",
        "attempts": 0,
        "lastStatusCode": None,
        "lastError": None,
    }


async def test_an_event_has_its_deliveries_with_their_attempts(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    uids = await store(pool, project.id, [an_event(0, data=b"{}"), an_event(1)], at=START)
    second = await subscribe(pool, project.id, "second", [])
    made = await tried(pool, project, uids[0], subscription)
    waiting = await deliver(pool, project.id, uids[0], second, "pending", held=True)
    await deliver(pool, project.id, uids[1], subscription)
    shown = (await client.get(f"/events/{uids[0]}")).json()
    assert [d["id"] for d in shown["deliveries"]] == [str(made), str(waiting)]
    assert [len(d["attempts"]) for d in shown["deliveries"]] == [2, 0]
    assert shown["deliveries"][0] == (await client.get(f"/deliveries/{made}")).json()
    assert shown["deliveries"][1]["held"] is True
    assert shown["producer"] == "key:test"
    assert shown["outcome"] == {"delivered": 0, "retrying": 1, "dead": 0, "pending": 1, "cancelled": 0}


async def test_404_for_what_is_not_there_or_another_projects(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID, settings: Settings
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    made = await deliver(pool, project.id, uid, subscription)
    other = await create_project(pool, settings)
    elsewhere = f"http://weir.test/v1/projects/{other.name}/deliveries/{made}"
    assert (await client.get(elsewhere)).status_code == 404
    assert (await client.get(elsewhere, headers=other.headers)).status_code == 404
    for unknown in (uuid4(), "none", "%00"):
        assert (await client.get(f"/deliveries/{unknown}")).status_code == 404
    assert (await client.get(f"/deliveries/{made}")).status_code == 200


async def test_what_was_really_sent_and_what_came_back_is_shown(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    (uid,) = await store(pool, project.id, [an_event()], at=START)
    reply = uuid4()
    sent = {
        "headers": {"authorization": "***", "x-team": "a"},
        "body": "{}",
        "truncated": True,
        "batchSize": 3,
    }
    made = await deliver(
        pool,
        project.id,
        uid,
        subscription,
        "delivered",
        attempt_count=1,
        first_started_at=START,
        first_duration_us=1,
        first_status_code=200,
        first_detail={
            **REFUSED,
            "sent": sent,
            "reply": {"uid": str(reply), "duplicate": False},
            "address": "203.0.113.24",
            "tls": "TLSv1.3",
            "timings": [1_900, 12_600, 26_300, 154_200, 3_100],
        },
    )
    (attempt,) = (await client.get(f"/deliveries/{made}")).json()["attempts"]
    assert attempt["request"] == {
        "url": "http://sink.test/",
        "headers": sent["headers"],
        "body": "{}",
        "bodyEncoding": "text",
        "bodyTruncated": True,
        "batchSize": 3,
    }
    assert attempt["reply"] == {"uid": str(reply), "duplicate": False}
    assert attempt["connection"] == {"address": "203.0.113.24", "tls": "TLSv1.3", "isNew": True}
    assert attempt["timings"] == {
        "dnsMs": 1.9,
        "connectMs": 12.6,
        "tlsMs": 26.3,
        "firstByteMs": 154.2,
        "bodyMs": 3.1,
    }
