"""What people ask of the archive."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from functions.archive.app import create
from shared.archive import catalog, recalling
from shared.core.cloudevents import DataKind
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream
from tests.support.projects import create_key
from tests.support.waiting import until, waits_for_lock


class Asking:
    """Asks below `/v1/projects/{project}`."""

    def __init__(self, client: httpx.AsyncClient, keeping: Keeping) -> None:
        self.client = client
        self.keeping = keeping

    async def __call__(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **query: str
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.keeping.project.key}"}
        url = f"/v1/projects/{self.keeping.project.name}{path}"
        return await self.client.request(method, url, json=body, headers=headers, params=query)

    async def pointers(self, method: str, path: str, body: object) -> list[str]:
        answer = await self(method, path, body)
        assert answer.status_code == 422, answer.text
        return [error["pointer"] for error in answer.json()["errors"]]


@pytest.fixture
async def ask(resources: Resources, keeping: Keeping) -> AsyncIterator[Asking]:
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield Asking(client, keeping)


async def test_retention_is_set_and_told(ask: Asking, keeping: Keeping) -> None:
    nothing = (await ask("GET", "/retention")).json()
    assert nothing == {
        "retentionDays": None,
        "archiveDays": None,
        "archive": "folder",
        "oldest": None,
        "oldestArchived": None,
        "waiting": [],
    }
    day = a_day()
    await keeping.store([stream.an_event()], day)
    said = (await ask("PUT", "/retention", {**nothing, "retentionDays": 30, "archiveDays": 365})).json()
    assert (said["retentionDays"], said["archiveDays"], said["oldest"]) == (30, 365, day.isoformat())
    assert (await ask("GET", "/retention")).json() == said
    assert await ask.pointers("PUT", "/retention", {"retentionDays": 30, "archiveDays": 30}) == [
        "/archiveDays"
    ]
    assert await ask.pointers("PUT", "/retention", {"archiveDays": 30}) == ["/archiveDays"]
    assert await ask.pointers("PUT", "/retention", {"retentionDays": 0}) == ["/retentionDays"]


async def test_archived_days_and_events_are_found_and_shown(ask: Asking, keeping: Keeping) -> None:
    day = a_day()
    data = b'{\n "price": 1.10\n}'
    events = [stream.an_event(n, subject=f"s-{n % 3}", data=data) for n in range(9)]
    uids = await keeping.store(events, day, facets=[{"order": "A"}] * 9)
    await stream.deliver(keeping.pool, keeping.project.id, uids[0], uids[1], "dead", last_error="503")
    await keeping.keep(7)
    await keeping.tick()

    (item,) = (await ask("GET", "/archive/days")).json()["items"]
    assert (item["day"], item["events"]) == (day.isoformat(), 9)
    whole = (await ask("GET", f"/archive/days/{day}")).json()
    assert [part["events"] for part in whole["parts"]] == [9]
    assert (await ask("GET", "/archive/days/2001-01-01")).status_code == 404

    first = (await ask("GET", "/archive/events", limit="4")).json()
    assert [one["uid"] for one in first["items"]] == [str(uid) for uid in reversed(uids[5:])]
    rest = (await ask("GET", "/archive/events", cursor=first["next"])).json()
    assert [one["uid"] for one in rest["items"]] == [str(uid) for uid in reversed(uids[:5])]
    assert rest["next"] is None
    found = (await ask("GET", "/archive/events", id="e-4")).json()
    assert [one["uid"] for one in found["items"]] == [str(uids[4])]
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    assert (await ask("GET", "/archive/events", until=noon)).json()["items"] == []
    assert len((await ask("GET", "/archive/events", subject="s-1", since=noon)).json()["items"]) == 3

    answer = await ask("GET", f"/archive/events/{uids[0]}")
    body = answer.json()
    assert body["event"]["subject"] == "s-0"
    assert (body["facets"], body["producer"]) == ({"order": "A"}, "key:test")
    assert [(one["status"], one["lastError"]) for one in body["deliveries"]] == [("dead", "503")]
    assert (await ask("GET", f"/archive/events/{UUID(int=uids[0].int ^ 1)}")).status_code == 404
    assert (await ask("GET", "/archive/events/nothing")).status_code == 404


async def test_what_is_damaged_is_told(ask: Asking, keeping: Keeping) -> None:
    day = a_day()
    (uid,) = await keeping.store([stream.an_event()], day)
    await keeping.keep(7)
    await keeping.tick()

    async def faults() -> list[str | None]:
        answer = (await ask("GET", f"/archive/days/{day}/verification")).json()
        assert answer["next"] is None
        return [item["fault"] for item in answer["items"]]

    assert await faults() == [None, None]
    (part,) = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    path = keeping.folder / part.key
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\0")
    assert await faults() == [None, "its checksum is another"]
    path.write_bytes(content[:-1])
    assert (await faults())[1] == f"it has {len(content) - 1} bytes and not {len(content)}"
    path.unlink()
    assert await faults() == [None, "it is not there"]
    broken = await ask("GET", f"/archive/events/{uid}")
    assert broken.status_code == 500
    assert "weir archive verify" in broken.json()["detail"]
    (path.parent / "manifest.json").write_text("{}")
    assert (await faults())[0] == "its checksum is another"


async def test_one_event_is_back_in_the_answer(ask: Asking, keeping: Keeping) -> None:
    day = a_day()
    uids = await keeping.store(
        [stream.an_event(1), stream.an_event(2, data=b"\xff", data_kind=DataKind.BINARY)], day
    )
    await keeping.keep(7)
    await keeping.tick()
    wanted = {"event": str(uids[1]), "reason": "a case"}
    tried = (await ask("POST", "/archive/recalls", {**wanted, "dryRun": True})).json()
    assert (tried["state"], tried["atMost"], tried["id"]) == ("dry-run", 1, None)
    assert await keeping.rows() == set()
    made = await ask("POST", "/archive/recalls", wanted)
    assert made.status_code == 201
    assert (made.json()["state"], made.json()["events"]) == ("done", 1)
    assert await keeping.rows() == {uids[1]}
    # No dispatch has ever read anything in the tests' database.
    await keeping.pool.execute("UPDATE events SET shard = 100 WHERE uid = $1", uids[1])
    recall = f"/archive/recalls/{made.json()['id']}"
    assert (await ask("GET", recall)).json() == made.json()
    assert (await ask("DELETE", recall)).status_code == 204
    assert (await ask("DELETE", recall)).status_code == 409
    assert (await ask("GET", recall)).json()["state"] == "over"
    await keeping.tick()
    assert await keeping.rows() == set()
    another = {"event": str(UUID(int=uids[1].int ^ 1))}
    for dry_run in (True, False):
        refused = await ask("POST", "/archive/recalls", {**another, "dryRun": dry_run})
        assert refused.status_code == 404, refused.text
    assert await ask.pointers("POST", "/archive/recalls", {"since": "2026-01-01T00:00:00Z"}) == [""]
    span = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    assert await ask.pointers("POST", "/archive/recalls", span) == ["/until"]


async def test_without_an_archive_it_says_what_to_set(
    resources: Resources, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEIR_ARCHIVE_URL")
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        ask = Asking(client, keeping)
        assert (await ask("GET", "/retention")).json()["archive"] == "none"
        span = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
        answer = await ask("POST", "/archive/recalls", span)
        assert answer.status_code == 409
        assert "WEIR_ARCHIVE_URL" in answer.json()["detail"]


async def test_holds_are_put_and_lifted(ask: Asking) -> None:
    wanted = {"name": "Case 7", "subject": "mara", "since": "2026-01-01T00:00:00Z"}
    made = (await ask("POST", "/holds", wanted)).json()
    assert (made["subject"], made["liftedAt"], made["createdBy"]) == ("mara", None, "test")
    assert (await ask("GET", "/holds")).json()["items"] == [made]
    assert (await ask("DELETE", f"/holds/{made['id']}")).status_code == 204
    assert (await ask("DELETE", f"/holds/{made['id']}")).status_code == 409
    lifted = (await ask("GET", f"/holds/{made['id']}")).json()
    assert lifted["liftedAt"] is not None
    assert lifted["liftedBy"] == "test"
    assert await ask.pointers("POST", "/holds", {"name": " "}) == ["/name"]
    assert await ask.pointers("POST", "/holds", {**wanted, "until": "2025-01-01T00:00:00Z"}) == ["/until"]


async def test_an_erasure_is_tried_ordered_and_found_again(ask: Asking, keeping: Keeping) -> None:
    day = a_day()
    await keeping.store([stream.an_event(n, subject="mara") for n in range(3)], day)
    await keeping.keep(7)
    await keeping.tick()
    await stream.store(keeping.pool, keeping.project.id, [stream.an_event(9, subject="mara")])
    tried = (await ask("POST", "/erasures", {"subject": "mara", "dryRun": True})).json()
    assert (tried["state"], tried["events"], tried["archivedEvents"]) == ("dry-run", 1, 3)
    assert (tried["held"], tried["isExact"], tried["keptIn"]) == (0, True, [])
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    span = {"since": noon.isoformat(), "until": (noon + timedelta(milliseconds=2)).isoformat()}
    hold = (await ask("POST", "/holds", {"name": "Case 7", **span})).json()
    held = (await ask("POST", "/erasures", {"subject": "mara", "dryRun": True})).json()
    assert (held["events"], held["archivedEvents"], held["held"]) == (1, 1, 2)
    assert (await ask("DELETE", f"/holds/{hold['id']}")).status_code == 204
    made = await ask("POST", "/erasures", {"subject": "mara", "reason": "asked for"})
    assert made.status_code == 201
    assert made.json()["state"] == "running"
    await keeping.tick()
    await keeping.tick()
    done: dict[str, Any] = (await ask("GET", f"/erasures/{made.json()['id']}")).json()
    assert (done["state"], done["events"], done["archivedEvents"], done["subject"]) == ("done", 1, 3, None)
    assert (await ask("GET", "/erasures", subject="mara")).json()["items"] == [done]
    assert (await ask("GET", "/erasures", subject="jon")).json()["items"] == []
    audit = await keeping.pool.fetch(
        "SELECT thing_name, before, after FROM audit WHERE project_id = $1", keeping.project.id
    )
    assert "mara" not in str([tuple(row) for row in audit])


async def test_a_limited_key_changes_nothing(ask: Asking, keeping: Keeping, resources: Resources) -> None:
    key = await create_key(keeping.pool, resources.settings, keeping.project.id, sources=("/only",))
    span = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    for method, path, body in (
        ("PUT", "/retention", {"retentionDays": 1}),
        ("POST", "/holds", {"name": "x"}),
        ("POST", "/erasures", {"subject": "x"}),
        ("POST", "/erasures", {"subject": "x", "dryRun": True}),
        ("POST", "/archive/recalls", span),
        ("POST", "/archive/recalls", {**span, "dryRun": True}),
    ):
        assert (await ask(method, path, body, key=key)).status_code == 403


async def test_a_hold_that_is_answered_is_one_that_the_work_under_way_knows_of(
    ask: Asking, keeping: Keeping
) -> None:
    async with keeping.pool.acquire() as tick:
        assert await recalling.lock(tick)
        putting = asyncio.ensure_future(ask("POST", "/holds", {"name": "a case", "subject": "s"}))

        async def waits() -> bool:
            return await waits_for_lock(keeping.pool, "advisory")

        try:
            await until(waits)
            assert (await ask("GET", "/holds")).json()["items"] == []
        finally:
            await recalling.unlock(tick)
        assert (await putting).status_code == 201


async def test_a_hold_that_cannot_be_sure_is_not_put(
    ask: Asking, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.archive.holds.service.PATIENCE", "10ms")
    async with keeping.pool.acquire() as tick:
        assert await recalling.lock(tick)
        try:
            refused = await ask("POST", "/holds", {"name": "a case", "subject": "s"})
        finally:
            await recalling.unlock(tick)
    assert (refused.status_code, refused.json()["status"]) == (503, 503)
    assert int(refused.headers["retry-after"]) >= 1
    assert (await ask("GET", "/holds")).json()["items"] == []
