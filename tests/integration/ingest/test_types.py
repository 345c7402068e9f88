"""What becomes of an event whose type has a schema or facets."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.catalog.app import create as create_catalog
from functions.ingest.app import create
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import Door

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
TYPE = "com.example.made"
SCHEMA = {
    "type": "object",
    "required": ["order"],
    "properties": {
        "order": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        "lines": {"type": "array", "items": {"type": "integer"}},
    },
}
GOOD = b'{"order": {"id": "A-1"}}'


@pytest.fixture
async def catalog(settings: Settings, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The function that keeps types, on stores of its own, as another process has them."""
    resources = Resources(settings)
    transport = httpx.ASGITransport(create_catalog(resources))
    base = f"http://weir.test/v1/projects/{door.project.name}/types"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=door.project.headers) as opened:
        yield opened
    await resources.close()


async def register(catalog: httpx.AsyncClient, type_: str = TYPE, **body: Any) -> None:
    answer = await catalog.put(f"/{type_}", json=body)
    assert answer.status_code in {200, 201}, answer.text


def counted(name: str, label: str = "") -> int:
    found = re.search(rf"^{name}{re.escape(label)} (\d+)$", METRICS.render(), re.MULTILINE)
    return int(found[1]) if found else 0


async def stored(pool: asyncpg.Pool, answer: httpx.Response) -> asyncpg.Record:
    assert answer.status_code == 202, answer.text
    return await pool.fetchrow("SELECT * FROM events WHERE uid = $1", UUID(answer.json()["uid"]))


async def count(pool: asyncpg.Pool, door: Door) -> int:
    return await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", door.project.id)


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"].endswith("/schema-violation")
    return [error["pointer"] for error in answer.json()["errors"]]


def made(identity: str, data: Any, **attributes: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": identity,
        "source": "/tests",
        "type": TYPE,
        "data": data,
        **attributes,
    }


async def test_what_does_not_fit_is_rejected(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="reject")
    before = counted("weir_ingest_schema_faults_total", '{mode="reject"}')
    assert pointers(await door.binary("1", b"{}")) == ["/data"]
    assert pointers(await door.binary("2", b'{"order":{"id":7}}')) == ["/data/order/id"]
    structured = json.dumps(made("3", {"order": {}, "lines": ["x", 1, "y"]})).encode()
    assert sorted(pointers(await door.post(structured, STRUCTURED))) == [
        "/data/lines/0", "/data/lines/2", "/data/order",
    ]  # fmt: skip
    many = json.dumps({"order": {"id": "1"}, "lines": ["x"] * 100}).encode()
    assert len(pointers(await door.binary("4", many))) == 20
    assert counted("weir_ingest_schema_faults_total", '{mode="reject"}') == before + 4
    assert await count(pool, door) == 0
    row = await stored(pool, await door.binary("5", b' {"order" : {"id":"A","id":"B"}, "n": 1.0} '))
    assert row["data"] == b' {"order" : {"id":"A","id":"B"}, "n": 1.0} '
    assert (row["facets"], row["schema_fault"]) == (None, None)
    other = await door.binary("6", b"{}", ce_type="com.example.other")
    assert other.status_code == 202


async def test_what_does_not_fit_is_stored_with_a_warning(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="warn")
    before = counted("weir_ingest_schema_faults_total", '{mode="warn"}')
    row = await stored(pool, await door.binary("1", b'{"order": {"id": 7}}'))
    assert row["schema_fault"] == '/data/order/id: 7 is not of type "string"'
    many = json.dumps({"order": {"id": "1"}, "lines": ["x" * 200] * 100}).encode()
    row = await stored(pool, await door.binary("2", many[:8_000] + b'"]}' if len(many) < 8_000 else many))
    assert 200 < len(row["schema_fault"]) <= 1_000
    row = await stored(pool, await door.binary("3", b'{"order": 1, "a\\u0000b": 1}'))
    assert row["schema_fault"]
    assert (await stored(pool, await door.binary("4", GOOD)))["schema_fault"] is None
    assert counted("weir_ingest_schema_faults_total", '{mode="warn"}') == before + 3


async def test_off_does_nothing(door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="off")
    assert (await stored(pool, await door.binary("1", b"{}")))["schema_fault"] is None


async def test_data_that_is_not_json_does_not_fit(door: Door, catalog: httpx.AsyncClient) -> None:
    await register(catalog, schema={}, schemaMode="reject")
    nothing = await door.binary("1", b"")
    assert pointers(nothing) == ["/data"]
    assert nothing.json()["errors"][0]["detail"] == "there is no data"
    text = await door.binary("2", b"hello", content_type="text/plain")
    assert text.json()["errors"] == [{"pointer": "/data", "detail": "is not JSON"}]
    assert pointers(await door.binary("3", b"{broken")) == ["/data"]
    encoded = made("4", None, data_base64="AAE=")
    del encoded["data"]
    assert pointers(await door.post(json.dumps(encoded).encode(), STRUCTURED)) == ["/data"]
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    assert pointers(await door.binary("5", deep)) == ["/data"]


@pytest.mark.parametrize(
    "data", [b"1e400", b"9" * 5_000, b"-0.0", b"123456789012345678901234567890", b"1e-400"]
)
async def test_numbers_of_any_size_are_numbers(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool, data: bytes
) -> None:
    await register(catalog, schema={"type": "number"}, schemaMode="reject", facets={"n": ""})
    row = await stored(pool, await door.binary("1", data))
    assert row["data"] == data


@pytest.mark.parametrize("data", [b"9" * 5_000, b"-" + b"9" * 300_000, b"1e" + b"9" * 30])
async def test_numbers_without_end_are_held_against_bounds(
    door: Door, catalog: httpx.AsyncClient, data: bytes
) -> None:
    await register(catalog, schema={"maximum": 5, "minimum": -5}, schemaMode="reject")
    assert pointers(await door.binary("1", data)) == ["/data"]


async def test_dataschema_chooses_the_version(door: Door, catalog: httpx.AsyncClient) -> None:
    uri = "https://acme.example/order/"
    await register(catalog, schemaMode="reject", schema={"const": 1}, dataschema=f"{uri}1")
    await register(catalog, schemaMode="reject", schema={"const": 2}, dataschema=f"{uri}2")
    assert (await door.binary("1", b"1", ce_dataschema=f"{uri}1")).status_code == 202
    assert (await door.binary("2", b"2", ce_dataschema=f"{uri}2")).status_code == 202
    assert (await door.binary("3", b"2")).status_code == 202
    assert pointers(await door.binary("4", b"1")) == ["/data"]
    assert pointers(await door.binary("5", b"1", ce_dataschema=f"{uri}2")) == ["/data"]
    assert pointers(await door.binary("6", b"1", ce_dataschema=f"{uri}3")) == ["/dataschema"]
    old = {"ce_specversion": "0.3", "ce_schemaurl": f"{uri}1"}
    assert (await door.binary("7", b"1", **old)).status_code == 202


async def test_a_dataschema_means_nothing_where_no_version_has_one(
    door: Door, catalog: httpx.AsyncClient
) -> None:
    await register(catalog, schemaMode="reject", schema={"const": 1})
    assert (await door.binary("1", b"1", ce_dataschema="https://acme.example/any")).status_code == 202


async def test_a_batch_names_every_element_that_does_not_fit(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="reject")
    good = {"order": {"id": "A-1"}}
    elements = [
        made("a", good),
        made("b", {}),
        made("c", 1, type="t"),
        made("d", {**good, "lines": ["x"] * 9}),
    ]
    answer = await door.post(json.dumps(elements).encode(), BATCH)
    assert pointers(answer) == ["/1/data", *(f"/3/data/lines/{n}" for n in range(3))]
    assert await count(pool, door) == 0
    lenient = await door.post(json.dumps(elements).encode(), BATCH, prefer="handling=lenient")
    assert lenient.status_code == 202
    results = lenient.json()["results"]
    assert ["problem" in r for r in results] == [False, True, False, True]
    assert results[1]["problem"]["type"].endswith("/schema-violation")
    assert results[1]["problem"]["errors"][0]["pointer"] == "/data"
    assert await count(pool, door) == 2
    mixed = [{"id": "x"}, made("e", {}), made("f", good)]
    answer = await door.post(json.dumps(mixed).encode(), BATCH)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (400, "not-a-cloudevent")
    assert {error["pointer"].split("/")[1] for error in answer.json()["errors"]} == {"0", "1"}


async def test_a_batch_notes_each_event_its_own(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="warn", facets={"order": "/order/id"})
    elements = [
        made("a", {"order": {"id": "A-1"}}),
        made("b", {"order": 1}, type="t"),
        made("c", {"order": {"id": 7}}),
        made("a", {"order": {"id": "A-9"}}),
    ]
    answer = await door.post(json.dumps(elements).encode(), BATCH)
    assert answer.status_code == 202
    rows = await pool.fetch(
        "SELECT id, facets, schema_fault FROM events WHERE project_id = $1 ORDER BY id", door.project.id
    )
    assert [(r["id"], r["facets"], r["schema_fault"] is None) for r in rows] == [
        ("a", {"order": "A-1"}, True),
        ("b", None, True),
        ("c", {"order": 7}, False),
    ]


async def test_it_is_noted_how_an_event_was_taken_in(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="warn")
    good = await stored(pool, await door.binary("1", GOOD))
    assert (good["schema_version"], good["schema_fault"], good["commit_events"]) == (1, None, 1)
    assert 0 < good["taken_us"] < 600_000_000
    other = await stored(pool, await door.binary("2", GOOD, ce_type="com.example.free"))
    assert other["schema_version"] is None


async def test_facets_are_taken_out_of_the_data(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    facets = {"order": "/order/id", "amount": "/amount", "paid": "/paid", "tags": "/tags", "gone": "/gone"}
    await register(catalog, facets=facets)
    data = {"order": {"id": "A-1"}, "amount": 12.5, "paid": True, "tags": ["a", {"b": 1}, 2], "gone": None}
    row = await stored(pool, await door.binary("1", json.dumps(data).encode()))
    assert row["facets"] == {"order": "A-1", "amount": 12.5, "paid": True, "tags": ["a", 2]}
    assert (await stored(pool, await door.binary("2", b'{"order": 1}')))["facets"] is None
    assert (await stored(pool, await door.binary("3", b"text", content_type="text/plain")))["facets"] is None
    assert (await stored(pool, await door.binary("4", b"")))["facets"] is None
    odd = b'{"order": {"id": "a\\u0000b"}, "amount": 1e400, "paid": 123456789012345678901234567890}'
    assert (await stored(pool, await door.binary("5", odd)))["facets"] == {
        "paid": 123456789012345678901234567890
    }


async def test_a_change_is_in_force_within_a_second_and_compiled_once(
    door: Door, catalog: httpx.AsyncClient, resources: Resources
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="reject")
    before = counted("weir_ingest_schemas_compiled_total")
    answers = await asyncio.gather(*(door.binary(str(n), b"{}") for n in range(20)))
    assert {a.status_code for a in answers} == {422}
    assert counted("weir_ingest_schemas_compiled_total") == before + 1

    async def becomes(status: int, body: bytes, seconds: float = 2) -> None:
        changed = asked = time.monotonic()
        while (await door.binary("x", body)).status_code != status:
            assert asked < changed + seconds
            await asyncio.sleep(0.02)
            asked = time.monotonic()

    # What changes beside the schema compiles nothing anew, and neither does the same schema in another order.
    await register(
        catalog, schema=dict(reversed(SCHEMA.items())), schemaMode="reject", facets={"order": "/order/id"}
    )
    await register(catalog, type_="com.example.another", schema=SCHEMA, schemaMode="reject")
    await register(catalog, schema=SCHEMA, schemaMode="off")
    await becomes(202, b"{}")
    await register(catalog, schema=SCHEMA, schemaMode="reject")
    await becomes(422, b"{}")
    assert counted("weir_ingest_schemas_compiled_total") == before + 1

    await register(catalog, schema={"type": "object", "required": ["other"]}, schemaMode="reject")
    await becomes(422, GOOD)
    await becomes(202, b'{"other": 1}')
    assert counted("weir_ingest_schemas_compiled_total") == before + 2

    assert (await catalog.delete(f"/{TYPE}")).status_code == 204
    await becomes(202, b"[]")
    # A type that is made again begins with version 1 again, and not with what that was before.
    await register(catalog, schema={"const": 5}, schemaMode="reject")
    await becomes(422, GOOD)
    await becomes(202, b"5")


async def test_a_process_that_starts_later_knows_it_at_once(
    door: Door, catalog: httpx.AsyncClient, settings: Settings
) -> None:
    await register(catalog, schema=SCHEMA, schemaMode="reject")
    resources = Resources(settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create(resources)), base_url="http://weir"
    ) as client:
        answer = await Door(client, door.project).binary("1", b"{}")
    await resources.close()
    assert answer.status_code == 422


async def test_a_pattern_does_not_hold_up_ingest(door: Door, catalog: httpx.AsyncClient) -> None:
    await register(catalog, schema={"pattern": "^(a+)+$"}, schemaMode="reject")
    async with asyncio.timeout(60):
        assert pointers(await door.binary("1", b'"' + b"a" * 500_000 + b'!"')) == ["/data"]


async def test_what_a_source_sends_is_looked_at_as_well(
    door: Door, catalog: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    await pool.execute(
        "INSERT INTO sources (id, project_id, name, kind) VALUES ($1, $2, 'shop', 'plain')",
        uuid4(),
        door.project.id,
    )

    async def send(body: bytes) -> httpx.Response:
        headers = {**door.project.headers, "content-type": "application/json"}
        return await door.client.post(f"{door.path}/shop", headers=headers, content=body)

    first = await stored(pool, await send(GOOD))
    schema = {"type": "object", "required": ["order"]}
    await register(catalog, first["type"], schema=schema, schemaMode="reject", facets={"order": "/order/id"})
    async with asyncio.timeout(60):
        while True:
            answer = await send(b'{"n": 1}')
            if answer.status_code != 202:
                break
            await asyncio.sleep(0.02)
    assert pointers(answer) == ["/data"]
    row = await stored(pool, await send(b'{"order": {"id": "A-2"}}'))
    assert row["facets"] == {"order": "A-2"}
