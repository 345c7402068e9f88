"""What a replay comes to before it starts, and what it is when it has."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.replays import counting
from shared.core.ids import uuid7
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key
from tests.support.stream import an_event, deliver, store

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


async def subscribe(
    pool: asyncpg.Pool, project: Project, name: str, *, filters: list[Any] | None = None, **columns: Any
) -> UUID:
    """A subscription with its first version."""
    made = uuid7()
    row = {
        "id": made, "project_id": project.id, "name": name, "filters": filters or [],
        "sink": f"http://{name}.test/", "delivery": {}, **columns,
    }  # fmt: skip
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await pool.execute(f"INSERT INTO subscriptions ({', '.join(row)}) VALUES ({places})", *row.values())
    await pool.execute(
        "INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)"
        " SELECT id, version, project_id, name, filters, sink FROM subscriptions WHERE id = $1",
        made,
    )
    return made


async def dead(pool: asyncpg.Pool, project: Project, subscription: UUID, event: UUID, **columns: Any) -> UUID:
    """A dead letter of an hour ago."""
    row = {"ended_at": HOUR_AGO, "attempt_count": 3, "last_status_code": 503, **columns}
    return await deliver(pool, project.id, event, subscription, "dead", **row)


async def test_a_dry_run_counts_by_sink_and_keeps_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    crm, mail, gone = [
        await subscribe(pool, project, "crm", delivery={"ratePerSecond": 2.0}),
        await subscribe(pool, project, "mail"),
        await subscribe(pool, project, "gone", state="disabled"),
    ]
    uids = await store(pool, project.id, [an_event(n) for n in range(6)])
    for uid in uids:
        await dead(pool, project, crm, uid)
    timed_out = {"last_status_code": None, "last_error": "no answer within 5 s"}
    await dead(pool, project, mail, uids[0], **timed_out)
    await dead(pool, project, mail, uids[1])
    await dead(pool, project, gone, uids[1])
    await deliver(pool, project.id, uids[2], mail, ended_at=HOUR_AGO)

    body = {"select": {"status": "dead"}, "ratePerSecond": 10, "dryRun": True}
    answer = await client.post("/replays", json=body)

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["dryRun"], said["kind"], said["count"], said["isExact"]) == (True, "retry", 8, True)
    assert [(s["subscriptionName"], s["count"], s["duplicates"], s["leftOut"]) for s in said["sinks"]] == [
        ("crm", 6, 0, False),
        ("mail", 2, 1, False),
        ("gone", 1, 0, True),
    ]
    assert [(s["state"], s["circuit"]) for s in said["sinks"]] == [
        ("active", "closed"),
        ("active", "closed"),
        ("disabled", "closed"),
    ]
    assert said["duplicates"] == 1
    assert [s["ratePerSecond"] for s in said["sinks"][:2]] == [2, 10]
    assert said["seconds"] == 3  # six at two a second
    assert (await client.get("/replays")).json() == {"items": [], "next": None}
    assert (
        await pool.fetchval(
            "SELECT count(*) FROM deliveries WHERE project_id = $1 AND status = 'dead'", project.id
        )
        == 9
    )


async def test_what_a_list_shows_can_be_selected(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    crm, mail = await subscribe(pool, project, "crm"), await subscribe(pool, project, "mail")
    uids = await store(
        pool, project.id, [an_event(n, type=f"t{n % 2}", subject=f"order/A-{n}") for n in range(4)]
    )
    for n, uid in enumerate(uids):
        await dead(pool, project, crm, uid, last_status_code=500 + n, last_error="Too Busy" if n else None)
    await dead(pool, project, mail, uids[0], last_status_code=None, last_error="no answer within 5 s")

    async def count(**select: Any) -> int:
        body = {"select": {"status": "dead", **select}, "dryRun": True}
        answer = await client.post("/replays", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["count"]

    assert await count() == 5
    assert await count(statusCode=503) == 1
    assert await count(statusCode=["501", "502"]) == 2
    assert await count(statusCode="5xx") == 4
    assert await count(statusCode="none") == 1
    assert await count(sink="http://mail.test/") == 1
    assert await count(subscription=["crm", str(mail)]) == 5
    assert await count(subscription="mail", sink=["http://crm.test/"]) == 0
    assert await count(error="too busy") == 3
    assert await count(type=["t0", "t1"]) == 5
    assert await count(type="t1") == 2
    assert await count(q="a-3") == 1
    assert await count(q="MAIL") == 1
    assert await count(q="100%_\\") == 0
    assert await count(filters=[{"suffix": {"subject": "A-0"}}]) == 2


async def test_a_sink_is_left_out(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    crm, mail = await subscribe(pool, project, "crm"), await subscribe(pool, project, "mail")
    uids = await store(pool, project.id, [an_event(n) for n in range(2)])
    for uid in uids:
        await dead(pool, project, crm, uid)
        kept = await dead(pool, project, mail, uid)
    body = {"select": {"status": "dead"}, "leaveOut": [str(mail)]}

    said = (await client.post("/replays", json=body | {"dryRun": True})).json()
    assert [(s["subscriptionName"], s["count"], s["leftOut"]) for s in said["sinks"]] == [
        ("crm", 2, False),
        ("mail", 2, True),
    ]
    started = await client.post("/replays", json=body)
    assert started.status_code == 202, started.text
    assert (started.json()["total"], started.json()["opened"]) == (2, 2)
    assert await pool.fetchval("SELECT status FROM deliveries WHERE id = $1", kept) == "dead"


async def test_a_retry_opens_the_delivery_itself(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    crm = await subscribe(pool, project, "crm")
    (uid,) = await store(pool, project.id, [an_event()])
    delivery = await dead(pool, project, crm, uid, dead_letter={"status": "failed"})

    body = {"select": {"delivery": str(delivery)}, "reason": "it is mended"}
    answer = await client.post("/replays", json=body)

    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert answer.headers["location"] == f"/v1/projects/{project.name}/replays/{said['id']}"
    assert (said["kind"], said["total"], said["opened"], said["waiting"]) == ("retry", 1, 1, 1)
    assert said["reason"] == "it is mended"
    row = await pool.fetchrow("SELECT * FROM deliveries WHERE id = $1", delivery)
    assert (row["status"], row["attempt_count"], row["attempts_before"]) == ("pending", 3, 3)
    assert (row["replay_id"], row["ended_at"], row["dead_letter"]) == (UUID(said["id"]), None, None)
    listed = (await client.get("/replays")).json()["items"]
    assert [one["id"] for one in listed] == [said["id"]]
    again = await client.post("/replays", json=body)
    assert again.status_code == 409
    assert again.json()["detail"] == "The delivery is pending, so it cannot be delivered again now."


async def test_cancelling_what_waits(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    crm = await subscribe(pool, project, "crm")
    uids = await store(pool, project.id, [an_event(n) for n in range(4)])
    later = datetime.now(UTC) + timedelta(hours=1)
    waits = [
        await deliver(pool, project.id, uids[0], crm, "retrying", attempt_count=2, next_attempt_at=later),
        await deliver(pool, project.id, uids[1], crm, "pending", next_attempt_at=later),
        await deliver(pool, project.id, uids[2], crm, "pending", held=True),
    ]
    kept = await dead(pool, project, crm, uids[3])
    body = {"select": {"subscription": "crm"}, "reason": "a bad release"}

    said = (await client.post("/cancellations", json=body | {"dryRun": True})).json()
    assert (said["kind"], said["count"], said["duplicates"]) == ("cancel", 3, 0)
    done = (await client.post("/cancellations", json=body)).json()

    assert (done["kind"], done["state"], done["total"], done["cancelled"]) == ("cancel", "done", 3, 3)
    rows = await pool.fetch("SELECT status, held, next_attempt_at FROM deliveries WHERE id = ANY($1)", waits)
    assert [tuple(row) for row in rows] == [("cancelled", False, None)] * 3
    assert await pool.fetchval("SELECT status FROM deliveries WHERE id = $1", kept) == "dead"


async def test_events_of_a_time_are_those_that_the_subscription_asks_for(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    wanted = [{"exact": {"type": "a"}}]
    billing = await subscribe(pool, project, "billing", filters=wanted)
    events = [an_event(n, type="a" if n % 2 else "b") for n in range(10)]
    uids = await store(pool, project.id, events, at=HOUR_AGO)
    await deliver(pool, project.id, uids[1], billing, ended_at=HOUR_AGO)
    since = (HOUR_AGO - timedelta(seconds=1)).isoformat()

    async def count(**more: Any) -> tuple[int, int]:
        body = {"to": "billing", "dryRun": True, "select": {"since": since, **more}}
        said = (await client.post("/replays", json=body)).json()
        assert said["kind"] == "replay", said
        return said["count"], said["duplicates"]

    assert await count() == (5, 1)
    assert await count(filters=[]) == (10, 1)
    assert await count(filters=[{"exact": {"type": "b"}}]) == (5, 0)
    assert await count(type="a", filters=[]) == (5, 1)
    assert await count(status="delivered", subscription=str(billing)) == (1, 1)
    assert await count(event=str(uids[0])) == (1, 0)
    assert await count(until=HOUR_AGO.isoformat()) == (0, 0)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"select": {}}, "/select"),
        ({"select": {"since": "2026-01-01T00:00:00Z"}}, "/select"),
        ({"select": {"status": "pending"}}, "/select/status"),
        ({"select": {"status": []}}, "/select/status"),
        ({"select": {"subscription": []}}, "/select/subscription"),
        ({"select": {"status": "dead", "subscription": []}}, "/select/subscription"),
        ({"select": {"status": "dead", "sink": []}}, "/select/sink"),
        ({"select": {"status": "dead", "type": []}}, "/select/type"),
        ({"select": {"status": "dead", "statusCode": []}}, "/select/statusCode"),
        ({"select": {"status": "gone"}}, "/select/status"),
        ({"select": {"status": "dead", "filters": [{"exact": {}}]}}, "/select/filters/0/exact"),
        (
            {"select": {"status": "dead", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}},
            "/select/until",
        ),
        ({"select": {"status": "dead", "until": "9999-12-31T23:59:59-23:59"}}, "/select/until"),
        ({"select": {"status": "dead"}, "to": "http://"}, "/to"),
        ({"select": {"status": "dead"}, "to": "ftp://sink.test/"}, "/to"),
        ({"select": {"status": "dead"}, "stopWhen": {"failed": 20, "of": 20}}, "/stopWhen/failed"),
        ({"select": {"status": "dead"}, "ratePerSecond": 0}, "/ratePerSecond"),
        ({"select": {"delivery": str(uuid4()), "event": str(uuid4())}}, "/select"),
        ({"select": {"status": "dead", "unknown": 1}}, "/select/unknown"),
    ],
)
async def test_what_cannot_be(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/replays", json=body)
    assert answer.status_code == 422, answer.text
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text


async def test_cancelling_for_nobody_is_not_cancelling_for_all(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    crm = await subscribe(pool, project, "crm")
    (uid,) = await store(pool, project.id, [an_event()])
    waits = await deliver(pool, project.id, uid, crm, "retrying")
    nobody: list[dict[str, Any]] = [{member: []} for member in ("subscription", "sink", "type", "statusCode")]
    for select in (*nobody, {}, {"until": "2026-01-01T00:00:00Z"}):
        for dry_run in (True, False):
            answer = await client.post("/cancellations", json={"select": select, "dryRun": dry_run})
            assert answer.status_code == 422, answer.text
    assert await pool.fetchval("SELECT status FROM deliveries WHERE id = $1", waits) == "retrying"


@pytest.mark.parametrize("rate", [1e-300, 5e-324, 1e-9])
async def test_a_rate_that_takes_longer_than_there_are_dates(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, rate: float
) -> None:
    crm = await subscribe(pool, project, "crm", delivery={"ratePerSecond": rate})
    for uid in await store(pool, project.id, [an_event(n) for n in range(400)]):
        await dead(pool, project, crm, uid)
    for body in ({"ratePerSecond": rate}, {}):
        answer = await client.post("/replays", json={"select": {"status": "dead"}, "dryRun": True, **body})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["count"], said["doneAt"]) == (400, None)


async def test_a_sink_that_was_not_reached_in_time_to_count_is_part_of_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "SECONDS", 0.0)
    monkeypatch.setattr(counting, "PAGE", 1)
    crm, mail, gone, other = [
        await subscribe(pool, project, "crm"),
        await subscribe(pool, project, "mail"),
        await subscribe(pool, project, "gone", state="disabled"),
        await subscribe(pool, project, "other"),
    ]
    uids = await store(pool, project.id, [an_event(n) for n in range(4)])
    for subscription, uid in zip((crm, mail, gone, other), uids, strict=True):
        await dead(pool, project, subscription, uid)
    body: dict[str, Any] = {
        "select": {"status": "dead", "filters": [{"sql": "TRUE"}]},
        "leaveOut": [str(other)],
    }
    said = (await client.post("/replays", json=body | {"dryRun": True})).json()
    assert (said["count"], said["isExact"]) == (1, False)
    started = await client.post("/replays", json=body)
    assert started.status_code == 202, started.text
    assert {sink["subscription"] for sink in started.json()["sinks"]} == {str(crm), str(mail)}
    narrow = {"select": {**body["select"], "subscription": "crm"}}
    started = await client.post("/replays", json=narrow)
    assert {sink["subscription"] for sink in started.json()["sinks"]} == {str(crm)}


async def test_what_is_not_there(client: httpx.AsyncClient) -> None:
    for select in (
        {"delivery": str(uuid4())},
        {"event": str(uuid4())},
        {"status": "dead", "subscription": "x"},
    ):
        for dry_run in (True, False):
            answer = await client.post("/replays", json={"select": select, "dryRun": dry_run})
            assert answer.status_code == 404, answer.text
    for to in ("nobody", str(uuid4())):
        body = {"select": {"since": "2026-01-01T00:00:00Z"}, "to": to}
        assert (await client.post("/replays", json=body)).status_code == 404


async def test_an_address_of_ones_own_needs_the_right_to_name_sinks(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    key = await create_key(pool, settings, project.id, scopes=["deliveries:read", "deliveries:retry"])
    body = {"select": {"since": HOUR_AGO.isoformat()}, "to": "http://sink.test/", "dryRun": True}
    refused = await client.post("/replays", json=body, headers={"authorization": f"Bearer {key}"})
    assert refused.status_code == 403
    assert "subscriptions:write" in refused.json()["detail"]
    assert (await client.post("/replays", json=body)).status_code == 200


async def test_steering(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    crm = await subscribe(pool, project, "crm")
    uids = await store(pool, project.id, [an_event(n) for n in range(3)])
    for uid in uids:
        await dead(pool, project, crm, uid)
    # Nothing goes at once with so low a rate.
    body = {"select": {"status": "dead"}, "ratePerSecond": 0.1, "stopWhen": {"failed": 10, "of": 20}}
    started = (await client.post("/replays", json=body)).json()
    at = f"/replays/{started['id']}"
    assert (started["state"], started["opened"], started["total"]) == ("running", 0, 3)
    assert started["stopWhen"] == {"failed": 10, "of": 20}

    assert (await client.post(f"{at}/pause")).json()["state"] == "paused"
    assert (await client.post(f"{at}/pause")).json()["state"] == "paused"
    changed = (await client.patch(at, json={"ratePerSecond": 5})).json()
    assert (changed["state"], changed["ratePerSecond"]) == ("paused", 5)
    assert (await client.post(f"{at}/resume")).json()["state"] == "running"
    ended = (await client.post(f"{at}/cancel")).json()
    assert ended["state"] == "cancelled"
    assert ended["endedAt"] is not None
    for refused in (
        await client.post(f"{at}/pause"),
        await client.post(f"{at}/resume"),
        await client.patch(at, json={"ratePerSecond": 1}),
    ):
        assert refused.status_code == 409
        assert "has ended" in refused.json()["detail"]
    actions = await pool.fetch(
        "SELECT action FROM audit WHERE project_id = $1 AND kind = 'replay' ORDER BY id", project.id
    )
    assert [row["action"] for row in actions] == [
        "replay.started",
        "replay.paused",
        "replay.changed",
        "replay.resumed",
        "replay.cancelled",
    ]
