"""A filter's verdicts on given and stored events, without saving anything."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from functions.subscriptions.check import DATA_BYTES
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project
from tests.support.stream import an_event, store

CREATED, DELETED = "com.example.created", "com.example.deleted"


def given(number: int, **members: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": f"e-{number}", "source": "/tests", "type": CREATED, **members}


async def test_given_events_are_judged_in_their_order(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/subscriptions/check",
        json={
            "filters": [{"exact": {"type": CREATED}}],
            "events": [given(0), given(1, type=DELETED, subject="s"), given(2, data={"a": 1})],
        },
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    counts = {name: found[name] for name in ("checked", "matched", "errors", "added", "removed")}
    assert counts == {"checked": 3, "matched": 2, "errors": 0, "added": 0, "removed": 0}
    assert [item["matched"] for item in found["items"]] == [True, False, True]
    failed = found["items"][1]
    assert failed["clause"] == {"exact": {"type": CREATED}}
    assert DELETED in failed["detail"]
    assert (failed["uid"], failed["receivedAt"], failed["savedMatched"], failed["subject"]) == (
        None,
        None,
        None,
        "s",
    )


async def test_stored_events_come_newest_first_with_the_difference_to_what_is_saved(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    types = [CREATED, DELETED, CREATED, "com.example.other"]
    uids = await store(pool, project.id, [an_event(n, type=name) for n, name in enumerate(types)])
    other = await create_project(pool, settings)
    await store(pool, other.id, [an_event(9)])
    saved = await client.post(
        "/subscriptions", json={"sink": "http://example.com/", "filters": [{"exact": {"type": CREATED}}]}
    )
    answer = await client.post(
        "/subscriptions/check",
        json={"filters": [{"suffix": {"type": "ed"}}, {"prefix": {"type": "com.example.d"}}]}
        | {"subscription": saved.json()["id"]},
    )
    found = answer.json()
    assert [item["uid"] for item in found["items"]] == [str(uid) for uid in reversed(uids)]
    assert [item["matched"] for item in found["items"]] == [False, False, True, False]
    assert [item["savedMatched"] for item in found["items"]] == [False, True, False, True]
    assert (found["checked"], found["matched"], found["added"], found["removed"]) == (4, 1, 1, 2)
    times = [datetime.fromisoformat(item["receivedAt"]) for item in found["items"]]
    assert times == sorted(times, reverse=True)
    newest = await client.post("/subscriptions/check", json={"filters": [], "last": 1})
    assert [item["uid"] for item in newest.json()["items"]] == [str(uids[-1])]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"filters": [{"exact": {"TYPE": "a"}}]}, "/filters/0/exact/TYPE"),
        ({"filters": "all"}, "/filters"),
        ({"filters": [], "last": 501}, "/last"),
        ({"filters": [], "last": 0}, "/last"),
        ({"filters": [], "last": 5, "events": []}, "/last"),
        ({"filters": [], "events": [given(0), {"id": "a"}]}, "/events/1/specversion"),
        ({"filters": [], "events": [7]}, "/events/0"),
        ({"filters": [], "events": [given(n) for n in range(501)]}, "/events"),
        ({"filters": [], "subscription": "x"}, "/subscription"),
        ({"filters": [], "subscription": str(uuid4())}, "/subscription"),
        ({"filter": []}, "/filter"),
        ({"filters": [{"sql": "data.total > 5"}]}, "/filters/0/sql"),
        ({"filters": [{"cel": "data.total >"}]}, "/filters/0/cel"),
    ],
)
async def test_422_points_at_what_is_wrong(
    client: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/subscriptions/check", json=body)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


async def test_nothing_is_saved(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    await client.post("/subscriptions/check", json={"filters": [{"exact": {"type": CREATED}}]})
    assert await pool.fetchval("SELECT version FROM projects WHERE id = $1", project.id) == 0
    assert (await client.get("/subscriptions")).json() == {"items": [], "next": None}


async def test_403_for_stored_events_without_the_permission_to_read_them(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    key = await create_key(pool, settings, project.id, scopes=["subscriptions:read"])
    headers = {"authorization": f"Bearer {key}"}
    stored = await client.post("/subscriptions/check", json={"filters": []}, headers=headers)
    own = await client.post(
        "/subscriptions/check", json={"filters": [], "events": [given(0)]}, headers=headers
    )
    assert (stored.status_code, own.status_code) == (403, 200)


async def test_cel_sees_the_data_of_stored_and_given_events(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    await store(pool, project.id, [an_event(n, data=b'{"total": %d}' % n) for n in range(4)])
    saved = await client.post(
        "/subscriptions", json={"sink": "http://example.com/", "filters": [{"cel": "data.total < 2"}]}
    )
    body = {"filters": [{"cel": "data.total > 0 && 6 / data.total > 2"}], "subscription": saved.json()["id"]}
    found = (await client.post("/subscriptions/check", json=body)).json()
    assert [item["matched"] for item in found["items"]] == [False, True, True, False]
    assert [item["savedMatched"] for item in found["items"]] == [False, False, True, True]
    assert (found["checked"], found["errors"], found["added"], found["removed"]) == (4, 0, 1, 1)
    assert found["items"][0]["detail"] == "data.total is 3"
    assert found["complete"]
    body = {
        "filters": [{"cel": "data.total > 1"}],
        "events": [
            given(0, data={"total": 2}),
            given(1, data="text", datacontenttype="text/plain"),
            given(2),
        ],
    }
    found = (await client.post("/subscriptions/check", json=body)).json()
    assert [item["matched"] for item in found["items"]] == [True, False, False]
    assert found["errors"] == 2


async def test_only_so_much_data_is_looked_at(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    document = b'"' + b"a" * (DATA_BYTES // 4) + b'"'
    await store(pool, project.id, [an_event(n, data=document) for n in range(6)])
    found = (await client.post("/subscriptions/check", json={"filters": [{"cel": "data != null"}]})).json()
    assert (found["checked"], found["matched"], found["complete"]) == (4, 4, False)
    found = (await client.post("/subscriptions/check", json={"filters": [{"sql": "EXISTS type"}]})).json()
    assert (found["checked"], found["complete"]) == (6, True)


async def test_doubtful_expressions_are_warned_of(client: httpx.AsyncClient) -> None:
    filters = [{"sql": "type = 'a' OR type = 'b' AND source = 'c'"}]
    found = (await client.post("/subscriptions/check", json={"filters": filters, "events": []})).json()
    assert [warning["pointer"] for warning in found["warnings"]] == ["/filters/0/sql"]
    filters = [{"sql": "(type = 'a' OR type = 'b') AND source = 'c'"}]
    found = (await client.post("/subscriptions/check", json={"filters": filters, "events": []})).json()
    assert found["warnings"] == []


async def test_knatives_way_can_be_checked(client: httpx.AsyncClient) -> None:
    body = {
        "filter": {"attributes": {"type": CREATED, "subject": ""}},
        "events": [given(0), given(1, subject="s")],
    }
    found = (await client.post("/subscriptions/check", json=body)).json()
    assert [item["matched"] for item in found["items"]] == [False, True]
