"""Bad input gets the contract's answer and changes nothing, whichever function it meets."""

import json
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from shared.runtime import load, registry
from shared.runtime.edge import Edge
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/bad", "type": "com.example.bad"}
BINARY = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/bad", "ce-type": "com.example.bad"}


def structured(**members: Any) -> bytes:
    return json.dumps({k: v for k, v in {**EVENT, **members}.items() if v is not None}).encode()


pytestmark = pytest.mark.usefixtures("streams_that_end")


@pytest.fixture
async def weir(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """Every function behind one address."""
    edge = Edge(resources, registry.functions(), lambda f: load.application(f, resources), version("weir"))
    transport = httpx.ASGITransport(edge)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as client:
        yield client


SEEN = ["last_used_at", "last_used_from", "last_seen_at"]


async def everything(pool: asyncpg.Pool) -> dict[str, str]:
    """A digest of every table. When and from where somebody was last there is no change."""
    async with pool.acquire() as connection:
        tables = await connection.fetch(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
            """
        )
        return {
            name: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(md5((to_jsonb(t) - $1::text[])::text), '' ORDER BY "
                f"md5((to_jsonb(t) - $1::text[])::text)), '')) FROM {name} t",
                SEEN,
            )
            for (name,) in tables
        }


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == status
    return problem


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        pytest.param({"content-type": STRUCTURED}, structured(type=None), 400, id="no type"),
        pytest.param({"content-type": STRUCTURED}, structured(specversion="2.0"), 400, id="version 2.0"),
        pytest.param({"content-type": STRUCTURED}, structured(id=""), 400, id="empty id"),
        pytest.param({"content-type": STRUCTURED}, structured(Upper="a"), 400, id="attribute name"),
        pytest.param({"content-type": STRUCTURED}, structured(time="today"), 400, id="time"),
        pytest.param({"content-type": STRUCTURED}, b"[]", 400, id="an array"),
        pytest.param({"content-type": STRUCTURED}, b'{"specversion":', 400, id="broken JSON"),
        pytest.param({"content-type": STRUCTURED}, b"", 400, id="empty"),
        pytest.param({"content-type": STRUCTURED}, b"\xff\xfe{}", 400, id="not UTF-8"),
        pytest.param({"content-type": STRUCTURED}, b"[" * 200_000, 400, id="nested deep"),
        pytest.param({"content-type": "application/json"}, structured(), 400, id="plain JSON"),
        pytest.param({}, b"", 400, id="nothing at all"),
        pytest.param({**BINARY, "ce-id": ""}, b"", 400, id="binary, empty id"),
        pytest.param({"content-type": "application/cloudevents+avro"}, b"a", 415, id="avro"),
        pytest.param({"content-type": "application/cloudevents+xml"}, b"<a/>", 415, id="xml"),
        pytest.param({**BINARY, "content-type": "text/plain"}, b"a" * 2**21, 413, id="2 MiB, binary"),
        pytest.param({"content-type": STRUCTURED}, structured(data="a" * 2**21), 413, id="2 MiB"),
        pytest.param({"content-type": BATCH}, b"{}", 400, id="a batch that is none"),
        pytest.param({"content-type": BATCH}, b"[" + structured() + b", {}]", 400, id="one bad element"),
        pytest.param({"content-type": BATCH}, b"[" + b"0," * 10_000 + b"0]", 413, id="10,001 elements"),
        pytest.param({"content-type": BATCH}, b" " * (8 * 2**20 + 1), 413, id="batch over 8 MiB"),
    ],
)
async def test_what_is_not_a_cloudevent(
    weir: httpx.AsyncClient,
    pool: asyncpg.Pool,
    project: Project,
    headers: dict[str, str],
    content: bytes,
    status: int,
) -> None:
    before = await everything(pool)
    answer = await weir.post(f"/in/{project.name}", content=content, headers={**headers, **project.headers})
    refused(answer, status)
    assert await everything(pool) == before


async def test_a_batch_with_bad_elements_names_each_and_stores_none(
    weir: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    before = await everything(pool)
    elements = [structured(id="1"), structured(id="2", source=None), structured(id="3"), b"7"]
    answer = await weir.post(
        f"/in/{project.name}",
        content=b"[" + b",".join(elements) + b"]",
        headers={"content-type": BATCH, **project.headers},
    )
    problem = refused(answer, 400)
    assert [error["pointer"].split("/")[1] for error in problem["errors"]] == ["1", "3"]
    assert await everything(pool) == before


async def test_nobody_and_strangers(
    weir: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    reader = await create_key(pool, settings, project.id, scopes=["events:read", "subscriptions:read"])
    narrow = await create_key(
        pool, settings, project.id, scopes=["events:write"], sources=["/good*"], types=["com.example.*"]
    )
    made = await weir.post(
        f"/v1/projects/{project.name}/subscriptions",
        json={"sink": "http://example.com/"},
        headers=project.headers,
    )
    subscription = f"/v1/projects/{project.name}/subscriptions/{made.json()['id']}"
    before = await everything(pool)

    def bearer(key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"}

    async def send(name: str, headers: dict[str, str]) -> httpx.Response:
        return await weir.post(
            f"/in/{name}", content=structured(), headers={"content-type": STRUCTURED, **headers}
        )

    for nobody in ({}, {"authorization": "Basic YTpi"}, bearer("weir_x_y"), bearer("a.b.c")):
        assert refused(await send(project.name, nobody), 401)
        assert refused(await weir.get(subscription, headers=nobody), 401)
        assert refused(await weir.delete(subscription, headers=nobody), 401)
    for name in ("no-such-project", "%00", "a%20b", "x" * 3000):
        refused(await send(name, project.headers), 404)
    refused(await send(project.name, other.headers), 404)
    refused(await send(project.name, bearer(reader)), 403)
    refused(await send(project.name, bearer(narrow)), 403)
    refused(await weir.delete(subscription, headers=other.headers), 404)
    refused(await weir.delete(subscription, headers=bearer(reader)), 403)
    refused(await weir.delete(f"{subscription[:-36]}{uuid4()}", headers=project.headers), 404)
    assert await everything(pool) == before


@pytest.mark.parametrize(
    "filters",
    [
        {"exact": {"type": "a"}},
        ["type = 'a'"],
        [{"exact": {"type": 7}}],
        [{"exact": {"data.x": "a"}}],
        [{"regex": {"type": "a"}}],
        [{"any": []}],
        [{"not": [{"exact": {"type": "a"}}]}],
        [{"exact": {"type": "a"}, "prefix": {"type": "a"}}],
    ],
)
async def test_a_filter_that_is_not_one(
    weir: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, filters: Any
) -> None:
    before = await everything(pool)
    body = {"sink": "http://example.com/", "filters": filters}
    base = f"/v1/projects/{project.name}/subscriptions"
    saved = refused(await weir.post(base, json=body, headers=project.headers), 422)
    tried = refused(await weir.post(f"{base}/check", json={"filters": filters}, headers=project.headers), 422)
    assert saved["errors"] == tried["errors"]
    assert saved["errors"][0]["pointer"].startswith("/filters")
    assert await everything(pool) == before
