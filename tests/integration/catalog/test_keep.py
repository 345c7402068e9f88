"""Event types are kept, changed and forgotten, each change whole or not at all, and ingest is told."""

import asyncio
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from functions.catalog import service
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project

ORDER = {"type": "object", "required": ["order"], "properties": {"order": {"type": "object"}}}
URI = "https://acme.example/schemas/order"


async def told(pool: asyncpg.Pool, project: Project) -> int:
    return await pool.fetchval("SELECT intake_version FROM projects WHERE id = $1", project.id)


async def kept(pool: asyncpg.Pool, project: Project) -> tuple[int, int, int]:
    """What a refused request must leave as it was."""
    types = await pool.fetchval("SELECT count(*) FROM event_types WHERE project_id = $1", project.id)
    schemas = await pool.fetchval("SELECT count(*) FROM event_schemas WHERE project_id = $1", project.id)
    return types, schemas, await told(pool, project)


def pointers(answer: httpx.Response, status: int = 422) -> list[str]:
    assert answer.status_code == status, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def test_201_then_200_and_what_was_read_can_be_sent_back(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    made = await client.put("/types/com.acme.order", json={})
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/projects/{project.name}/types/com.acme.order"
    body = made.json()
    assert {k: v for k, v in body.items() if not k.endswith("At")} == {
        "type": "com.acme.order", "description": None, "schemaMode": "off", "facets": {}, "version": None,
        "schemas": [],
    }  # fmt: skip
    given = {
        "description": "An order was placed",
        "schemaMode": "reject",
        "facets": {"order": "/order/id"},
        "schema": ORDER,
        "dataschema": URI,
    }
    changed = await client.put("/types/com.acme.order", json=given)
    assert changed.status_code == 200
    body = changed.json()
    assert (body["description"], body["schemaMode"]) == ("An order was placed", "reject")
    assert body["facets"] == {"order": "/order/id"}
    ((version, dataschema, schema),) = [(s["version"], s["dataschema"], s["schema"]) for s in body["schemas"]]
    assert (version, dataschema, schema) == (1, URI, ORDER)
    assert (await client.get("/types/com.acme.order")).json() == body
    again = await client.put("/types/com.acme.order", json=body)
    assert again.status_code == 200
    assert [s["version"] for s in again.json()["schemas"]] == [1]
    assert await told(pool, project) == 3


async def test_put_replaces_and_versions_stay(client: httpx.AsyncClient) -> None:
    await client.put(
        "/types/t", json={"description": "d", "schemaMode": "warn", "facets": {"a": "/a"}, "schema": ORDER}
    )
    body = (await client.put("/types/t", json={})).json()
    assert (body["description"], body["schemaMode"], body["facets"]) == (None, "off", {})
    assert [s["version"] for s in body["schemas"]] == [1]


async def test_a_schema_that_says_something_else_is_the_next_version(client: httpx.AsyncClient) -> None:
    await client.put("/types/t", json={"schema": ORDER})
    reordered = dict(reversed(ORDER.items()))
    assert (await client.put("/types/t", json={"schema": reordered})).json()["version"] == 1
    assert (await client.put("/types/t", json={"schema": {"type": "string"}})).json()["version"] == 2
    # The same schema under a name of its own is a version: events can ask for it.
    named = await client.put("/types/t", json={"schema": {"type": "string"}, "dataschema": URI})
    assert [(s["version"], s["dataschema"]) for s in named.json()["schemas"]] == [
        (1, None), (2, None), (3, URI),
    ]  # fmt: skip


async def test_schemas_are_added_and_read_one_by_one(client: httpx.AsyncClient, project: Project) -> None:
    assert (await client.post("/types/t/schemas", json={"schema": ORDER})).status_code == 404
    await client.put("/types/t", json={})
    added = await client.post("/types/t/schemas", json={"schema": ORDER, "dataschema": URI})
    assert added.status_code == 201
    assert added.headers["location"] == f"/v1/projects/{project.name}/types/t/schemas/1"
    assert (await client.get("/types/t/schemas/1")).json() == added.json()
    again = await client.post("/types/t/schemas", json={"schema": ORDER})
    assert (again.status_code, again.json()) == (200, added.json())
    taken = await client.post("/types/t/schemas", json={"schema": {}, "dataschema": URI})
    assert pointers(taken, 409) == ["/dataschema"]
    for version in ("0", "2", "x", "1" * 30, "-1", "1%2F2"):
        assert (await client.get(f"/types/t/schemas/{version}")).status_code == 404


async def test_the_text_of_a_schema_is_kept_as_it_is(client: httpx.AsyncClient) -> None:
    schema = {"z": 1, "a": {"const": "x\0y"}, "maximum": 10**40, "title": "é"}
    made = await client.put("/types/t", json={"schema": schema})
    assert made.status_code == 201
    found = (await client.get("/types/t/schemas/1")).json()["schema"]
    assert found == schema
    assert list(found) == list(schema)


@pytest.mark.parametrize(
    "name", ["a/b", "/a//b/", "a b", "ä", "a%2Fb", "50%", "x" * 255, "{type}", "schemas", "?#"]
)
async def test_any_type_can_be_in_a_path(client: httpx.AsyncClient, name: str) -> None:
    path = f"/types/{quote(name, safe='')}"
    made = await client.put(path, json={"schema": ORDER})
    assert (made.status_code, made.json()["type"]) == (201, name)
    assert made.headers["location"].endswith(path)
    assert (await client.get(f"{path}/schemas/1")).status_code == 200
    assert (await client.get("/types")).json()["items"][0]["type"] == name
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["x" * 256, "a%00b", "a%0Ab", "%FF", "%ED%A0%80"])
async def test_what_no_event_has_as_type_is_404(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/types/{name}")).status_code == 404
    assert (await client.put(f"/types/{name}", json={})).status_code == 404


async def test_types_are_listed_by_name_page_by_page(client: httpx.AsyncClient) -> None:
    names = [f"com.acme.{n:02}" for n in range(7)]
    for name in reversed(names):
        await client.put(f"/types/{name}", json={"schema": ORDER} if name.endswith("3") else {})
    found, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/types", params=query)).json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [item["type"] for item in found] == names
    assert [item["version"] for item in found] == [None, None, None, 1, None, None, None]
    assert "schemas" not in found[0]
    for cursor in ("x", "****", "AA", "_w", "ä"):
        assert pointers(await client.get("/types", params={"cursor": cursor})) == ["/query/cursor"]


async def test_deleting_forgets_the_schemas(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    await client.put("/types/t", json={"schema": ORDER})
    assert (await client.delete("/types/t")).status_code == 204
    assert await kept(pool, project) == (0, 0, 2)
    assert (await client.delete("/types/t")).status_code == 404
    assert await kept(pool, project) == (0, 0, 2)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"schemaMode": "strict"}, "/schemaMode"),
        ({"description": "x" * 1_001}, "/description"),
        ({"description": "a\0b"}, "/description"),
        ({"facets": []}, "/facets"),
        ({"facets": {"Order": "/a"}}, "/facets/Order"),
        ({"facets": {"a": "no pointer"}}, "/facets/a"),
        ({"facets": {"a": "/~3"}}, "/facets/a"),
        ({"facets": {"a": 7}}, "/facets/a"),
        ({"facets": {f"f{n}": "" for n in range(21)}}, "/facets"),
        ({"schema": []}, "/schema"),
        ({"schema": {"type": "objct"}}, "/schema/type"),
        ({"schema": {"$ref": "https://example.com/x"}}, "/schema/$ref"),
        ({"schema": {"$schema": "http://json-schema.org/draft-04/schema#"}}, "/schema/$schema"),
        ({"schema": {"pattern": "(?!a)"}}, "/schema/pattern"),
        ({"schema": {"title": "x" * 262_144}}, "/schema"),
        ({"schema": {}, "dataschema": "relative"}, "/dataschema"),
        ({"dataschema": URI}, "/dataschema"),
        ({"mode": "off"}, "/mode"),
    ],
)
async def test_what_cannot_be_is_422_with_a_pointer_and_changes_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.put("/types/t", json=body)
    assert pointers(answer) == [pointer]
    assert await kept(pool, project) == (0, 0, 0)


async def test_a_conflict_half_way_changes_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    await client.put("/types/t", json={"schema": ORDER, "dataschema": URI})
    before = (await client.get("/types/t")).json()
    answer = await client.put("/types/t", json={"description": "new", "schema": {}, "dataschema": URI})
    assert answer.status_code == 409
    assert (await client.get("/types/t")).json() == before
    assert await kept(pool, project) == (1, 1, 1)


async def test_there_is_room_for_so_many(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, pool: asyncpg.Pool, project: Project
) -> None:
    monkeypatch.setattr(service, "MAX_TYPES", 2)
    monkeypatch.setattr(service, "MAX_VERSIONS", 2)
    for n in range(2):
        assert (await client.put(f"/types/t{n}", json={"schema": {"const": n}})).status_code == 201
    assert (await client.put("/types/t2", json={})).status_code == 409
    assert (await client.put("/types/t1", json={"schema": {"const": 7}})).status_code == 200
    assert (await client.put("/types/t1", json={"schema": {"const": 8}})).status_code == 409
    assert await kept(pool, project) == (2, 3, 3)


async def test_versions_that_come_together_get_numbers_of_their_own(client: httpx.AsyncClient) -> None:
    await client.put("/types/t", json={})
    answers = await asyncio.gather(
        *(client.post("/types/t/schemas", json={"schema": {"const": n}}) for n in range(8))
    )
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 9))


async def test_another_projects_types_are_404(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings, project: Project
) -> None:
    other = await create_project(pool, settings)
    await client.put("/types/t", json={"schema": ORDER})
    url = f"http://weir.test/v1/projects/{other.name}/types"
    assert (await client.get(f"{url}/t")).status_code == 404
    assert (await client.get(f"{url}/t", headers=other.headers)).status_code == 404
    assert (await client.get(f"{url}/t/schemas/1", headers=other.headers)).status_code == 404
    assert (await client.get(url, headers=other.headers)).json()["items"] == []
    assert (await client.delete(f"{url}/t", headers=other.headers)).status_code == 404


async def test_who_may_only_read_changes_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings, project: Project
) -> None:
    key = await create_key(pool, settings, project.id, scopes=("types:read",))
    reader = {"authorization": f"Bearer {key}"}
    await client.put("/types/t", json={"schema": ORDER})
    assert (await client.get("/types/t", headers=reader)).status_code == 200
    assert (await client.post("/types/t/check", headers=reader, json={"data": {}})).status_code == 200
    for method, path in (("PUT", "/types/t"), ("DELETE", "/types/t"), ("POST", "/types/t/schemas")):
        refused = await client.request(method, path, headers=reader, json={"schema": {}})
        assert refused.status_code == 403


async def test_data_is_checked_without_being_kept(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    candidate = {"data": {"order": 1}, "schema": ORDER}
    tried = await client.post("/types/t/check", json=candidate)
    assert tried.json() == {
        "valid": False,
        "version": None,
        "errors": [{"pointer": "/data/order", "detail": '1 is not of type "object"'}],
    }
    assert await kept(pool, project) == (0, 0, 0)
    assert (await client.post("/types/t/check", json={"data": 1})).status_code == 404
    await client.put("/types/t", json={})
    assert pointers(await client.post("/types/t/check", json={"data": 1})) == ["/schema"]
    await client.put("/types/t", json={"schema": {"type": "integer"}})
    await client.put("/types/t", json={"schema": {"type": "string"}})
    for body, valid, version in (
        ({"data": "x"}, True, 2),
        ({"data": None}, False, 2),
        ({"data": 1, "version": 1}, True, 1),
        ({"data": "x", "version": 1}, False, 1),
    ):
        answer = (await client.post("/types/t/check", json=body)).json()
        assert (answer["valid"], answer["version"], bool(answer["errors"])) == (valid, version, not valid)
    assert pointers(await client.post("/types/t/check", json={"data": 1, "version": 3})) == ["/version"]
    both = {"data": 1, "version": 1, "schema": {}}
    assert pointers(await client.post("/types/t/check", json=both)) == ["/version"]
    bad = {"data": 1, "schema": {"type": 1}}
    assert pointers(await client.post("/types/t/check", json=bad)) == ["/schema/type"]
    assert pointers(await client.post("/types/t/check", json={})) == ["/data"]


@pytest.mark.parametrize(
    "data", ['"\\ud800"', '{"\\ud800":1}', "1e999", "NaN", "9" * 4_000, "[" * 500 + "]" * 500]
)
async def test_odd_data_is_an_answer_too(client: httpx.AsyncClient, data: str) -> None:
    body = f'{{"data": {data}, "schema": {{"type": "boolean"}}}}'
    answer = await client.post("/types/t/check", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["valid"] is False
