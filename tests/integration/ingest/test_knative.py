"""The door as Knative's data plane wants a recipient of events to be."""

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import ValidationError

from functions.ingest.app import create
from functions.ingest.settings import IngestSettings
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.projects import create_key

STRUCTURED = "application/cloudevents+json"


def structured(**members: Any) -> bytes:
    return json.dumps({"specversion": "1.0", "id": "1", "source": "/tests", "type": "t", **members}).encode()


@pytest.mark.spec("K1.1", "K1.7")
@pytest.mark.parametrize("version", ["1.0", "0.3"])
async def test_both_modes_and_both_versions_are_stored_as_they_are(
    door: Door, pool: asyncpg.Pool, version: str
) -> None:
    answers = [
        await door.binary("b", ce_specversion=version),
        await door.post(structured(id="s", specversion=version), STRUCTURED),
    ]
    assert [a.status_code for a in answers] == [202, 202]
    rows = await pool.fetch("SELECT specversion FROM events WHERE project_id = $1", door.project.id)
    assert [row["specversion"] for row in rows] == [version, version]


@pytest.mark.spec("K1.6", "K1.7", "C22")
@pytest.mark.parametrize("version", ["19.0", "9000.1", "1.0.0", "0.2", ""])
async def test_other_versions_are_400(door: Door, version: str) -> None:
    assert (await door.binary(ce_specversion=version)).status_code == 400
    assert (await door.post(structured(specversion=version), STRUCTURED)).status_code == 400


@pytest.mark.spec("K1.6", "C02")
@pytest.mark.parametrize("name", ["id", "source", "specversion", "type"])
async def test_what_lacks_an_attribute_is_400(door: Door, name: str) -> None:
    headers = {k: v for k, v in {**HEADERS, "ce-id": "1"}.items() if k != f"ce-{name}"}
    answer = await door.client.post(door.path, headers={**door.project.headers, **headers})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")
    answer = await door.post(structured(**{name: None}), STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, f"/{name}")


@pytest.mark.spec("K1.8", "C42")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/vnd.apache.thrift.binary", b"\x80\x01\x00\xff"),
        ("application/xml", b"<much wow='xml'/>"),
        ("application/json", b"{}"),
        ("application/json", b"{not json"),
        ("application/x-protobuf", b"\x0a\x00"),
        ("text/plain; charset=utf-16", b"\xff\xfea\x00"),
        ("x-any/x-thing+json", b"[1]"),
    ],
)
async def test_any_content_type_is_taken(
    door: Door, pool: asyncpg.Pool, content_type: str, body: bytes
) -> None:
    answer = await door.binary("1", body, content_type=content_type)
    assert answer.status_code == 202
    row = await pool.fetchrow(
        "SELECT data, datacontenttype FROM events WHERE uid = $1", UUID(answer.json()["uid"])
    )
    assert (row["data"], row["datacontenttype"]) == (body, content_type)


@pytest.mark.spec("K1.9", "C19", "C20")
async def test_source_and_id_together_tell_a_copy(door: Door, pool: asyncpg.Pool) -> None:
    first = (await door.binary("1", ce_source="/a")).json()
    assert first["duplicate"] is False
    for id_, source, duplicate in (
        ("1", "/b", False),
        ("2", "/a", False),
        ("1", "/a", True),
        ("/a", "1", False),
    ):
        answer = await door.binary(id_, ce_source=source, ce_type="other")
        assert (answer.status_code, answer.json()["duplicate"]) == (202, duplicate)
        assert (answer.json()["uid"] == first["uid"]) is duplicate
    copies = await door.post(structured(id="1", source="/a"), STRUCTURED)
    assert copies.json() == {"uid": first["uid"], "duplicate": True}


@pytest.mark.spec("K1.4", "K1.5")
async def test_202_does_not_come_before_the_commit(door: Door, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        waiting = asyncio.ensure_future(door.binary("1"))
        find = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        while not await pool.fetchval(find):  # noqa: ASYNC110 Postgres tells nobody
            await asyncio.sleep(0.01)
        assert not waiting.done()
    answer = await waiting
    assert answer.status_code == 202
    assert await pool.fetchval("SELECT count(*) FROM events WHERE uid = $1", UUID(answer.json()["uid"])) == 1


@pytest.mark.spec("K1.4", "K1.5", "K1.11", "W13")
async def test_what_cannot_be_stored_is_not_accepted(door: Door, settings: Settings) -> None:
    resources = Resources(
        settings.model_copy(
            update={"database_url": type(settings.database_url)("postgresql://x@127.0.0.1:1/x")}
        )
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create(resources)), base_url="http://weir"
    ) as client:
        answer = await client.post(
            door.path, headers={**door.project.headers, **HEADERS, "ce-id": "1"}, content=b""
        )
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    await resources.close()


@pytest.mark.spec("K1.11", "K1.12", "W13")
async def test_the_statuses_say_what_to_do(door: Door, pool: asyncpg.Pool, settings: Settings) -> None:
    reader = await create_key(pool, settings, door.project.id, scopes=("events:read",))
    for authorization, path, status in (
        ("", door.path, 401),
        ("Bearer nobody", door.path, 401),
        (f"Bearer {reader}", door.path, 403),
        (f"Bearer {door.project.key}", "/in/nowhere", 404),
        (f"Bearer {door.project.key}", "/in/", 404),
        (f"Bearer {door.project.key}", "/in", 404),
        (f"Bearer {door.project.key}", "/", 404),
        (f"Bearer {door.project.key}", f"{door.path}/nothing/of/that", 404),
    ):
        headers = {**HEADERS, "ce-id": "1"} | ({"authorization": authorization} if authorization else {})
        answer = await door.client.post(path, headers=headers, content=b"")
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
    assert await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", door.project.id) == 0


@pytest.mark.spec("X09")
async def test_what_an_event_says_of_a_user_permits_nothing(
    door: Door, pool: asyncpg.Pool, settings: Settings
) -> None:
    narrow = await create_key(pool, settings, door.project.id, sources=("/only/*",))
    claims = {"ce_authtype": "system", "ce_authid": "root", "ce_authclaims": '{"scopes":"*"}'}
    answer = await door.binary(authorization=f"Bearer {narrow}", **claims)
    assert answer.status_code == 403


@pytest.mark.spec("C37")
async def test_64_kib_are_taken_however_small_the_limit(
    door: Door, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, least in (("event_max_bytes", 64 * 1024), ("batch_max_bytes", 256 * 1024)):
        with pytest.raises(ValidationError):
            IngestSettings(**{name: least - 1})
        monkeypatch.setenv(f"WEIR_{name.upper()}", str(least))
    door.client = httpx.AsyncClient(transport=httpx.ASGITransport(create(resources)), base_url="http://weir")
    async with door.client:
        assert (await door.binary("b", b"x" * 64 * 1024)).status_code == 202
        padding = 64 * 1024 - len(structured(data=""))
        for id_, content_type in (("1", STRUCTURED), ("2", "application/cloudevents-batch+json")):
            event = structured(id=id_, data="x" * (padding - 2))
            body = event if content_type == STRUCTURED else b"[%b]" % event
            assert (await door.post(body, content_type)).status_code == 202
        assert (await door.binary("c", b"x" * (64 * 1024 + 1))).status_code == 413
