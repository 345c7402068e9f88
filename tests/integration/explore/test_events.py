"""Stored events are found by their attributes, time and text, newest first, and shown as they came."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.explore import finding, service
from shared.core.cloudevents import DataKind
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project
from tests.support.stream import an_event, deliver, store


async def uids_of(client: httpx.AsyncClient, **params: Any) -> list[UUID]:
    answer = await client.get("/events", params=params)
    assert answer.status_code == 200, answer.text
    return [UUID(item["uid"]) for item in answer.json()["items"]]


async def walk(client: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    """The items of all pages."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = (await client.get(path, params={**params, **({"cursor": cursor} if cursor else {})})).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_an_empty_project_has_an_empty_list(client: httpx.AsyncClient) -> None:
    assert (await client.get("/events")).json() == {"items": [], "next": None, "searched": None}


async def test_by_who_sent_them(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    [by_key] = await store(pool, project.id, [an_event(0)])
    [by_source] = await store(pool, project.id, [an_event(1)], producer="source:repos")
    assert await uids_of(client, producer="source:repos") == [by_source]
    assert await uids_of(client, producer="key:test") == [by_key]
    assert await uids_of(client, producer="source") == []


async def test_newest_first_and_by_exact_attributes(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    await store(pool, other.id, [an_event(0)])
    uids = await store(
        pool,
        project.id,
        [
            an_event(0),
            an_event(1, type="com.example.other"),
            an_event(2, source="/elsewhere"),
            an_event(0, source="/elsewhere", subject="order 7"),
            an_event(4, type="t" * 300),
        ],
    )
    assert await uids_of(client) == uids[::-1]
    assert await uids_of(client, type="com.example.other") == [uids[1]]
    assert await uids_of(client, type="t" * 300) == [uids[4]]
    assert await uids_of(client, type="t" * 299) == []
    assert await uids_of(client, type="com.example") == []
    assert await uids_of(client, source="/elsewhere") == [uids[3], uids[2]]
    assert await uids_of(client, id="e-0") == [uids[3], uids[0]]
    assert await uids_of(client, source="/tests", id="e-0") == [uids[0]]
    assert await uids_of(client, subject="order 7", source="/elsewhere") == [uids[3]]
    assert await uids_of(client, subject="order 8") == []


async def test_since_is_inclusive_and_until_exclusive(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    start = datetime(2026, 3, 1, 23, 59, 59, 998_000, tzinfo=UTC)
    uids = await store(pool, project.id, [an_event(n) for n in range(4)], at=start)
    shown = (await client.get("/events")).json()["items"]
    received = [datetime.fromisoformat(item["receivedAt"]) for item in shown]
    assert received == [start + timedelta(milliseconds=n) for n in (3, 2, 1, 0)]

    def at(ms: int, us: int = 0) -> str:
        return (start + timedelta(milliseconds=ms, microseconds=us)).isoformat()

    assert await uids_of(client, since=at(1)) == [uids[3], uids[2], uids[1]]
    assert await uids_of(client, since=at(1, 1)) == [uids[3], uids[2]]
    assert await uids_of(client, until=at(1)) == [uids[0]]
    assert await uids_of(client, until=at(1, 1)) == [uids[1], uids[0]]
    assert await uids_of(client, since=at(1), until=at(3)) == [uids[2], uids[1]]
    assert await uids_of(client, since=at(3), until=at(1)) == []
    assert await uids_of(client, since="0001-01-01T00:00:00Z", until="9999-12-31T23:59:59Z") == uids[::-1]
    assert await uids_of(client, since="2026-03-02T01:00:00.001+01:00") == [uids[3]]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 501},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"until": "2026-13-01T00:00:00Z"},
        {"until": "0.5"},
        {"since": "1700000000"},
        {"since": "2026-01-01"},
        {"cursor": "x"},
        {"cursor": "AAAAAAAAAAAAAAAAAAAAAB"},
        {"cursor": "ä"},
        {"q": ""},
        {"q": "x" * 201},
        {"q": "\x00"},
        {"type": "\x00"},
        {"type": "x" * 2049},
    ],
)
async def test_422_points_at_the_parameter(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    answer = await client.get("/events", params=params)
    assert answer.status_code == 422, answer.text
    name = next(iter(params))
    assert answer.json()["errors"][0]["pointer"] in {f"/query/{name}", f"/query/{name}/0"}


async def test_pages_stay_in_place_while_events_arrive(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    uids = await store(pool, project.id, [an_event(n) for n in range(7)])
    first = (await client.get("/events", params={"limit": 3})).json()
    await store(pool, project.id, [an_event(n) for n in range(7, 12)], at=datetime.now(UTC))
    second = (await client.get("/events", params={"limit": 3, "cursor": first["next"]})).json()
    third = (await client.get("/events", params={"limit": 3, "cursor": second["next"]})).json()
    seen = [UUID(item["uid"]) for page in (first, second, third) for item in page["items"]]
    assert seen == uids[::-1]
    assert third["next"] is None


async def test_a_full_last_page_has_no_next(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    await store(pool, project.id, [an_event(n) for n in range(4)])
    assert len(await walk(client, "/events", limit=2)) == 4
    assert (await client.get("/events", params={"limit": 4})).json()["next"] is None


async def test_a_page_ends_early_when_its_events_are_large(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAGE_BYTES", 1000)
    large = b'"' + b"a" * 598 + b'"'
    uids = await store(pool, project.id, [an_event(n, data=large) for n in range(5)])
    page = (await client.get("/events")).json()
    assert len(page["items"]) == 2
    for q in (None, "aaa"):
        params = {} if q is None else {"q": q}
        assert [UUID(item["uid"]) for item in await walk(client, "/events", **params)] == uids[::-1]


@pytest.mark.parametrize(
    ("data", "data_kind", "content_type", "member"),
    [
        (
            b'{ "b":1.0,\n "a": 1e2, "b": "\\u00e9" }',
            DataKind.JSON,
            None,
            b'"data":{ "b":1.0,\n "a": 1e2, "b": "\\u00e9" }',
        ),
        (b"123456789012345678901234567890", DataKind.JSON, None, b'"data":123456789012345678901234567890'),
        (b"null", DataKind.JSON, None, b'"data":null'),
        ("grüße".encode(), DataKind.TEXT, "text/plain", '"data":"grüße"'.encode()),
        (b"\x00\xff", DataKind.BINARY, "application/octet-stream", b'"data_base64":"AP8="'),
    ],
)
async def test_data_is_shown_byte_for_byte(
    client: httpx.AsyncClient,
    pool: asyncpg.Pool,
    project: Project,
    data: bytes,
    data_kind: DataKind,
    content_type: str | None,
    member: bytes,
) -> None:
    (uid,) = await store(
        pool, project.id, [an_event(0, data=data, data_kind=data_kind, datacontenttype=content_type)]
    )
    for path in ("/events", f"/events/{uid}"):
        answer = await client.get(path)
        assert member in answer.content
        shown = answer.json()["items"][0] if path == "/events" else answer.json()
        assert shown["dataSize"] == len(data)


async def test_an_event_is_shown_with_every_attribute(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    event = an_event(
        0,
        subject="s",
        time="2026-01-01T00:00:00.123456789Z",
        datacontenttype="application/json",
        dataschema="https://example.com/schema",
        extensions={
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "n": 7,
            "b": True,
        },
        data=b'{"a":1}',
    )
    (uid,) = await store(pool, project.id, [event])
    shown = (await client.get("/events")).json()["items"][0]
    assert shown["event"] == {
        "specversion": "1.0",
        "id": "e-0",
        "source": "/tests",
        "type": "com.example.tested",
        "subject": "s",
        "time": "2026-01-01T00:00:00.123456789Z",
        "datacontenttype": "application/json",
        "dataschema": "https://example.com/schema",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "n": 7,
        "b": True,
        "data": {"a": 1},
    }
    assert shown["uid"] == str(uid)
    assert shown["size"] > shown["dataSize"] == 7


async def test_an_event_without_data_has_none(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    await store(pool, project.id, [an_event(0)])
    shown = (await client.get("/events")).json()["items"][0]
    assert "data" not in shown["event"]
    assert shown["dataSize"] is None


async def test_each_event_says_what_became_of_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    uids = await store(pool, project.id, [an_event(n) for n in range(3)], at=datetime(2026, 3, 1, tzinfo=UTC))
    received = datetime(2026, 3, 1, tzinfo=UTC)
    for status, ms in (
        ("delivered", 15),
        ("delivered", 40),
        ("dead", 90),
        ("pending", None),
        ("cancelled", 1),
    ):
        ended = None if ms is None else received + timedelta(milliseconds=ms)
        await deliver(pool, project.id, uids[0], uuid4(), status, ended_at=ended)
    await deliver(pool, project.id, uids[1], uuid4(), "retrying")
    items = (await client.get("/events")).json()["items"]
    nothing = {"delivered": 0, "retrying": 0, "dead": 0, "pending": 0, "cancelled": 0}
    assert [item["outcome"] for item in items] == [
        nothing,
        nothing | {"retrying": 1},
        {"delivered": 2, "retrying": 0, "dead": 1, "pending": 1, "cancelled": 1},
    ]
    assert [item["latencyMs"] for item in items] == [None, None, 40]


class TestText:
    async def test_finds_text_in_attributes_and_payload_in_any_case(
        self, client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
    ) -> None:
        uids = await store(
            pool,
            project.id,
            [
                an_event(0, type="com.example.Needle"),
                an_event(1, source="/NEEDLE"),
                an_event(2, subject="a needle b"),
                an_event(3, data=b'{"a":"hay NeeDle hay"}'),
                an_event(4, data=b"\xff\x00needle", data_kind=DataKind.BINARY),
                an_event(5, data="Grüße \\ needle".encode(), data_kind=DataKind.TEXT),
                an_event(6, data=b'{"a":"hay"}'),
                an_event("needle"),
            ],
        )
        found = await uids_of(client, q="nEEdle")
        assert found == [uids[7], *uids[5::-1]]
        assert await uids_of(client, q="GRüßE \\ n") == [uids[5]]
        assert await uids_of(client, q="%") == []
        assert await uids_of(client, q="needle", type="com.example.Needle") == [uids[0]]

    async def test_says_how_far_it_looked_and_goes_on_from_there(
        self,
        client: httpx.AsyncClient,
        pool: asyncpg.Pool,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(finding, "WINDOW", 20)
        monkeypatch.setattr(finding, "WINDOW_STEP", 10)
        start = datetime(2026, 3, 1, tzinfo=UTC)
        uids = await store(
            pool,
            project.id,
            [an_event(n, subject="odd" if n in {2, 3} else None) for n in range(50)],
            at=start,
        )
        first = (await client.get("/events", params={"q": "odd"})).json()
        assert first["items"] == []
        assert first["searched"] == {"count": 20, "until": "2026-03-01T00:00:00.030000Z"}
        found = await walk(client, "/events", q="odd", limit=1)
        assert [UUID(item["uid"]) for item in found] == [uids[3], uids[2]]

    async def test_ends_at_the_time_limit(
        self,
        client: httpx.AsyncClient,
        pool: asyncpg.Pool,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(finding, "WINDOW_STEP", 2)
        monkeypatch.setattr(finding, "WINDOW_SECONDS", 0.0)
        await store(pool, project.id, [an_event(n) for n in range(5)])
        page = (await client.get("/events", params={"q": "nowhere"})).json()
        assert page["searched"]["count"] < 5
        assert page["next"] is not None
        nothing = (await client.get("/events", params={"q": "x", "until": "2000-01-01T00:00:00Z"})).json()
        assert nothing["next"] is None
        never = {"q": "x", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
        assert (await client.get("/events", params=never)).json()["searched"] == {"count": 0, "until": None}


async def test_404_for_what_is_not_there_or_another_projects(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    other = await create_project(pool, settings)
    elsewhere = f"http://weir.test/v1/projects/{other.name}/events/{uid}"
    for suffix in ("", "/explain"):
        for path in (f"/events/{uuid4()}", "/events/none", "/events/%00"):
            answer = await client.get(path + suffix)
            assert (answer.status_code, answer.json()["status"]) == (404, 404)
        assert (await client.get(elsewhere + suffix)).status_code == 404
        assert (await client.get(elsewhere + suffix, headers=other.headers)).status_code == 404
        assert (await client.get(f"/events/{uid}{suffix}")).status_code == 200


async def test_an_events_story_needs_the_permission_to_read_deliveries(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    (uid,) = await store(pool, project.id, [an_event(0)])
    key = await create_key(pool, settings, project.id, scopes=["events:read"])
    headers = {"authorization": f"Bearer {key}"}
    assert (await client.get("/events", headers=headers)).status_code == 200
    assert (await client.get(f"/events/{uid}", headers=headers)).status_code == 403
    assert (await client.get("/deliveries", headers=headers)).status_code == 403
    assert (await client.get("/events", headers={"authorization": ""})).status_code == 401


async def test_a_page_costs_the_same_number_of_statements_however_long(
    client: httpx.AsyncClient,
    resources: Resources,
    pool: asyncpg.Pool,
    project: Project,
    subscription: UUID,
) -> None:
    uids = await store(pool, project.id, [an_event(n) for n in range(30)])
    for uid in uids:
        await deliver(pool, project.id, uid, subscription)
    asked: list[str] = []

    async def statements(limit: int) -> int:
        """Statements on the two big tables. A free pool gives its first connection again and again."""
        async with (await resources.of(project.id)).acquire() as connection:
            connection.add_query_logger(note)
        asked.clear()
        assert len((await client.get("/events", params={"limit": limit})).json()["items"]) == limit
        await asyncio.sleep(0)  # the driver tells of a statement in the loop's next turn
        return sum("FROM events" in query or "FROM deliveries" in query for query in asked)

    def note(record: Any) -> None:
        asked.append(record.query)

    assert await statements(30) == await statements(1) == 2


async def test_an_event_with_data_of_a_kind_that_is_not_known_is_shown_without_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    """A newer version of Weir may have written it."""
    strange, good = await store(pool, project.id, [an_event(n, data=b"{}") for n in range(2)])
    await pool.execute("UPDATE events SET data_kind = 9 WHERE uid = $1", strange)
    made = await deliver(pool, project.id, strange, subscription)
    listed = {item["uid"]: item for item in (await client.get("/events")).json()["items"]}
    assert listed[str(good)]["fault"] is None
    assert "kind (9)" in listed[str(strange)]["fault"]
    assert "data" not in listed[str(strange)]["event"]
    assert listed[str(strange)]["event"]["id"] == "e-0"
    shown = await client.get(f"/events/{strange}")
    assert (shown.status_code, shown.json()["fault"]) == (200, listed[str(strange)]["fault"])
    assert (await client.get(f"/deliveries/{made}")).status_code == 200
    (item,) = (await client.get(f"/events/{strange}/explain")).json()["items"]
    assert (item["matched"], item["error"]) == (False, listed[str(strange)]["fault"])
