"""The door as a target of CloudEvents webhooks: statuses, credentials, the hand-shake (http-webhook.md)."""

import json
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.sink import Sink

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EVENT: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "t"}
ORIGIN = {"webhook-request-origin": "eventemitter.example.com"}


async def send(door: Door, query: str, content_type: str = STRUCTURED, **headers: str) -> httpx.Response:
    """An event without an Authorization header."""
    content = json.dumps([EVENT] if content_type == BATCH else EVENT)
    return await door.client.post(
        f"{door.path}{query}", content=content, headers={"content-type": content_type, **headers}
    )


async def stored(pool: asyncpg.Pool, door: Door) -> int:
    return await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", door.project.id)


@pytest.mark.spec("W08", "K1.4")
async def test_an_event_that_was_taken_is_202_with_a_content_type(door: Door) -> None:
    answer = await door.binary()
    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.spec("W05", "K1.12")
@pytest.mark.parametrize(
    "tail", ["", "/", "//", "/a", "/a/", "/a/b", "/../x", "?x", "/?access_token=x", "%2F"]
)
async def test_no_address_redirects(door: Door, tail: str) -> None:
    for path in (f"{door.path}{tail}", f"/{door.path}{tail}", f"/in{tail}"):
        answer = await door.client.post(
            path, headers={**door.project.headers, **HEADERS, "ce-id": "1"}, content=b""
        )
        assert answer.status_code in {202, 400, 404, 405}, path
        assert "location" not in answer.headers


@pytest.mark.spec("W14b", "W18b")
@pytest.mark.parametrize("content_type", [STRUCTURED, BATCH])
async def test_the_credential_may_be_in_the_query(door: Door, pool: asyncpg.Pool, content_type: str) -> None:
    answer = await send(door, f"?a=b&access_token={door.project.key}", content_type)
    assert answer.status_code == 202
    assert answer.headers["cache-control"] == "private"
    assert await stored(pool, door) == 1
    ordinary = await send(door, "?a=b", content_type, **door.project.headers)
    assert ordinary.headers["cache-control"] == "no-store"


@pytest.mark.spec("W14b", "W13")
@pytest.mark.parametrize(
    ("query", "authorized", "status"),
    [
        ("?access_token=weir_a_b", False, 401),
        ("?access_token=", False, 401),
        ("?access_tokens={key}", False, 401),
        ("?access_token={key}&access_token={key}", False, 400),
        ("?access_token={key}", True, 400),
    ],
)
async def test_a_credential_in_the_query_that_does_not_count(
    door: Door, pool: asyncpg.Pool, query: str, authorized: bool, status: int
) -> None:
    headers = door.project.headers if authorized else {}
    answer = await send(door, query.format(key=door.project.key), **headers)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "no-store"
    assert door.project.key not in answer.text
    assert await stored(pool, door) == 0


@pytest.mark.spec("W15", "W16")
@pytest.mark.parametrize("scheme", ["Basic", "Digest", "Negotiate", "NTLM", "SCRAM-SHA-256", "ApiKey", ""])
async def test_only_bearer_credentials_are_known(door: Door, scheme: str) -> None:
    for authorization in (f"{scheme} {door.project.key}", scheme):
        answer = await send(door, "", authorization=authorization)
        assert answer.status_code == 401
        assert answer.headers.get_list("www-authenticate")[0].split()[0] == "Bearer"
    for name in ("Bearer", "bearer", "BEARER"):
        assert (await send(door, "", authorization=f"{name} {door.project.key}")).status_code == 202


@pytest.mark.spec("W20", "W21", "W25", "W26", "W27", "W30b", "K1.2")
@pytest.mark.parametrize("rate", [None, "1", "120", "many"])
async def test_who_asks_may_send(door: Door, rate: str | None) -> None:
    asked = ORIGIN if rate is None else {**ORIGIN, "webhook-request-rate": rate}
    answer = await door.client.options(door.path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] in {"*", ORIGIN["webhook-request-origin"]}
    allowed = answer.headers["webhook-allowed-rate"]
    assert allowed == "*" or int(allowed) > 0
    assert "POST" in answer.headers["allow"].split(", ")
    assert answer.content == b""


@pytest.mark.spec("W25", "W29")
async def test_without_an_origin_nothing_is_granted(door: Door) -> None:
    answer = await door.client.options(door.path, headers={"webhook-request-rate": "1"})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("webhook-")]


@pytest.mark.spec("W32")
async def test_a_callback_is_not_called(door: Door, sink: Sink) -> None:
    headers = {**ORIGIN, "webhook-request-callback": f"{sink.url}/callback?id=1"}
    answer = await door.client.options(door.path, headers=headers)
    assert "webhook-allowed-origin" in answer.headers
    # What the process did on the side would be done before the next events are on disk.
    for number in range(20):
        assert (await door.binary(str(number))).status_code == 202
    assert sink.requests == []
