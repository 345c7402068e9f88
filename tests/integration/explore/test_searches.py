"""Searches are kept under a name, for everybody in the project who may see what they find."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from functions.explore.searches import service
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project

FAILED = {
    "name": "Orders that died",
    "page": "events",
    "query": {"type": ["order.created"], "outcome": ["dead"], "facet": ["country:NO"], "last": "24h"},
}


async def save(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    answer = await client.post("/searches", json={**FAILED, **members})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_search_is_saved_found_changed_and_deleted(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    made = await save(client)
    assert {name: made[name] for name in FAILED} == FAILED
    waiting = await save(
        client, name="Dead", page="deliveries", query={"status": "dead", "statusCode": ["5xx"]}
    )
    listed = (await client.get("/searches")).json()
    assert [item["name"] for item in listed["items"]] == ["Dead", "Orders that died"]
    only = (await client.get("/searches", params={"page": "events"})).json()
    assert only["items"] == [made]
    first = (await client.get("/searches", params={"limit": 1})).json()
    rest = (await client.get("/searches", params={"limit": 1, "cursor": first["next"]})).json()
    assert (first["items"], rest["items"], rest["next"]) == ([waiting], [made], None)
    # What was read can be sent back.
    changed = await client.put(f"/searches/{made['id']}", json={**made, "name": "Died"})
    assert changed.status_code == 200, changed.text
    assert (await client.get(f"/searches/{made['id']}")).json()["name"] == "Died"
    assert (await client.delete(f"/searches/{made['id']}")).status_code == 204
    assert (await client.get(f"/searches/{made['id']}")).status_code == 404
    actions = await pool.fetch(
        "SELECT action FROM audit WHERE project_id = $1 AND kind = 'search' ORDER BY sequence", project.id
    )
    assert [row[0] for row in actions] == [
        "search.created",
        "search.created",
        "search.changed",
        "search.deleted",
    ]


async def test_what_is_saved_can_be_asked_of_its_list(client: httpx.AsyncClient) -> None:
    everything = {
        "type": ["a"], "typePrefix": "a", "source": ["/a"], "sourcePrefix": "/", "id": "1", "subject": ["s"],
        "subjectPrefix": "s", "producer": ["key:a"], "extension": ["partitionkey:C"], "facet": ["a:1"],
        "subscription": [str(uuid4())], "sink": ["http://a/"], "statusCode": ["503", "none"], "error": "reset",
        "q": "x", "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    of_page: dict[str, dict[str, Any]] = {
        "events": {"outcome": ["dead"], "schemaFault": True},
        "deliveries": {"status": "dead", "event": str(uuid4())},
    }
    for page, more in of_page.items():
        saved = await save(client, name=page, page=page, query={**everything, **more})
        assert saved["query"] == {**everything, **more}
        answer = await client.get(f"/{page}", params=saved["query"])
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\u0007"}, "/name"),
        ({"page": "types"}, "/page"),
        ({"query": {"outcome": ["lost"]}}, "/query/outcome/0"),
        ({"query": {"status": "dead"}}, "/query/status"),
        ({"query": {"last": "soon"}}, "/query/last"),
        ({"query": {"last": "1h", "since": "2026-01-01T00:00:00Z"}}, "/query/last"),
        ({"query": {"q": "\0"}}, "/query/q"),
    ],
)
async def test_what_cannot_be_asked_cannot_be_saved(
    client: httpx.AsyncClient, members: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/searches", json={**FAILED, **members})
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert (await client.get("/searches")).json()["items"] == []


async def test_names_are_taken_once_and_there_is_an_end(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await save(client)
    other = await save(client, name="Other")
    assert (await client.post("/searches", json=FAILED)).status_code == 409
    assert (await client.put(f"/searches/{other['id']}", json=FAILED)).status_code == 409
    monkeypatch.setattr(service, "MOST", 2)
    assert (await client.post("/searches", json={**FAILED, "name": "Third"})).status_code == 409


async def test_who_may_read_events_reads_searches_and_only_some_save_them(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    made = await save(client)
    key = await create_key(pool, settings, project.id, scopes=["events:read"])
    reader = {"authorization": f"Bearer {key}"}
    assert (await client.get("/searches", headers=reader)).json()["items"] == [made]
    assert (await client.post("/searches", json=FAILED, headers=reader)).status_code == 403
    assert (await client.delete(f"/searches/{made['id']}", headers=reader)).status_code == 403
    other = await create_project(pool, settings)
    elsewhere = f"http://weir.test/v1/projects/{other.name}/searches/{made['id']}"
    assert (await client.get(elsewhere, headers=other.headers)).status_code == 404
    assert (await client.get("/searches/none")).status_code == 404
