"""What the door answers, to what is right and to what is wrong."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import httpx
import pytest

from functions.ingest.app import create
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.projects import Project, create_key, create_project

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


async def count(pool: asyncpg.Pool, project: Project) -> int:
    return await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id)


def made(identity: str, **attributes: object) -> dict[str, object]:
    return {"specversion": "1.0", "id": identity, "source": "/tests", "type": "t", **attributes}


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].rsplit("/", 1)[1]


@pytest.mark.spec("H01", "H10", "K1.1", "K1.5")
async def test_a_binary_event_is_stored_as_it_was_sent(door: Door, pool: asyncpg.Pool) -> None:
    answer = await door.binary("a", b'{"n": 1.0}', ce_subject="s", ce_partitionkey="k")
    assert answer.status_code == 202
    assert answer.json() == {"uid": answer.json()["uid"], "duplicate": False}
    row = await pool.fetchrow("SELECT * FROM events WHERE uid = $1", UUID(answer.json()["uid"]))
    assert (row["id"], row["source"], row["subject"]) == ("a", "/tests", "s")
    assert row["data"] == b'{"n": 1.0}'
    assert row["extensions"] == {"partitionkey": "k"}
    assert row["producer"].startswith("key:")


@pytest.mark.spec("H01", "H02", "K1.1", "K1.5")
async def test_a_structured_event_is_stored(door: Door, pool: asyncpg.Pool) -> None:
    answer = await door.post(json.dumps(made("s", data={"a": [1]})).encode(), STRUCTURED)
    assert answer.status_code == 202
    row = await pool.fetchrow("SELECT * FROM events WHERE uid = $1", UUID(answer.json()["uid"]))
    assert json.loads(row["data"]) == {"a": [1]}


@pytest.mark.spec("C20", "K1.9")
async def test_the_same_event_again_is_answered_with_the_first(door: Door, pool: asyncpg.Pool) -> None:
    first = await door.binary("a")
    again = await door.binary("a", b"other data")
    assert again.status_code == 202
    assert again.json() == {"uid": first.json()["uid"], "duplicate": True}
    assert await count(pool, door.project) == 1


@pytest.mark.spec("C20", "J21")
async def test_a_batch_is_answered_element_by_element(door: Door, pool: asyncpg.Pool) -> None:
    first = await door.binary("a")
    body = json.dumps([made("b"), made("a", type="x"), made("b")]).encode()
    answer = await door.post(body, BATCH)
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [(r["index"], r["duplicate"]) for r in results] == [(0, False), (1, True), (2, True)]
    assert results[0]["uid"] == results[2]["uid"]
    assert results[1]["uid"] == first.json()["uid"]
    assert await count(pool, door.project) == 2


@pytest.mark.spec("H27")
async def test_an_empty_batch_has_no_results(door: Door) -> None:
    assert (await door.post(b"[]", BATCH)).json() == {"results": []}


@pytest.mark.spec("H28", "J21")
async def test_a_batch_with_bad_elements_stores_nothing_and_names_each(
    door: Door, pool: asyncpg.Pool
) -> None:
    body = json.dumps([made("a"), {"id": "b"}, made("c", time="yesterday")]).encode()
    answer = await door.post(body, BATCH)
    assert answer.status_code == 400
    assert slug(answer) == "not-a-cloudevent"
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert [p.split("/")[1] for p in pointers] == ["1", "2"]
    assert pointers[1] == "/2/time"
    assert await count(pool, door.project) == 0


@pytest.mark.parametrize(
    "preference", ["handling=lenient", 'Handling="lenient"', "respond-async, handling=lenient; x=y"]
)
async def test_a_lenient_batch_stores_what_is_good(door: Door, pool: asyncpg.Pool, preference: str) -> None:
    body = json.dumps([made("a"), {"id": "b"}, made("c")]).encode()
    answer = await door.post(body, BATCH, prefer=preference)
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "handling=lenient"
    results = answer.json()["results"]
    assert [r["index"] for r in results] == [0, 1, 2]
    assert results[1]["problem"]["status"] == 400
    assert results[0]["duplicate"] is False
    assert await count(pool, door.project) == 2


async def test_a_lenient_batch_of_bad_elements_stores_nothing(door: Door) -> None:
    answer = await door.post(b'[{"id": "b"}]', BATCH, prefer="handling=lenient")
    assert answer.status_code == 202
    assert list(answer.json()["results"][0]) == ["index", "problem"]


@pytest.mark.parametrize(
    "preference", ["", "handling=strict", "lenient", "handling=strict, handling=lenient"]
)
async def test_other_preferences_are_strict(door: Door, preference: str) -> None:
    assert (await door.post(b'[{"id": "b"}]', BATCH, prefer=preference)).status_code == 400


@pytest.mark.spec("H29", "K1.6", "W12", "W13")
@pytest.mark.parametrize(
    ("body", "content_type", "status", "kind"),
    [
        (b"{", STRUCTURED, 400, "not-a-cloudevent"),
        (b"[]", STRUCTURED, 400, "not-a-cloudevent"),
        (b"{}", BATCH, 400, "not-a-cloudevent"),
        (b"", STRUCTURED, 400, "not-a-cloudevent"),
        (b'{"a": 1}', "application/json", 400, "not-a-cloudevent"),
        (b"<e/>", "application/cloudevents+xml", 415, "unsupported-format"),
        (b"x", "application/cloudevents+avro", 415, "unsupported-format"),
        (b"x", "application/cloudevents-batch+protobuf", 415, "unsupported-format"),
    ],
)
async def test_what_is_not_a_cloudevent_changes_nothing(
    door: Door, pool: asyncpg.Pool, body: bytes, content_type: str, status: int, kind: str
) -> None:
    answer = await door.post(body, content_type)
    assert (answer.status_code, slug(answer)) == (status, kind)
    assert await count(pool, door.project) == 0


@pytest.mark.spec("C37", "H29")
async def test_an_event_past_the_limit_is_413(door: Door, pool: asyncpg.Pool) -> None:
    assert (await door.binary("fits", b"x" * 1024 * 1024)).status_code == 202
    answer = await door.binary("large", b"x" * 2 * 1024 * 1024)
    assert (answer.status_code, slug(answer)) == (413, "too-large")
    assert await count(pool, door.project) == 1


async def test_a_body_without_a_length_is_counted_as_it_comes(door: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 512:
            sent += 1
            yield b"x" * 64 * 1024

    answer = await door.client.post(
        door.path, headers={**door.project.headers, **HEADERS, "ce-id": "1"}, content=endless()
    )
    assert answer.status_code == 413
    assert sent < 20


async def test_a_batch_with_too_many_events_is_413(door: Door) -> None:
    body = json.dumps([made(str(n)) for n in range(10_001)]).encode()
    assert (await door.post(body, BATCH)).status_code == 413


async def test_ten_thousand_events_go_in_one_request(door: Door, pool: asyncpg.Pool) -> None:
    body = json.dumps([made(str(n)) for n in range(10_000)]).encode()
    answer = await door.post(body, BATCH)
    assert answer.status_code == 202
    assert len({r["uid"] for r in answer.json()["results"]}) == 10_000
    rows = await pool.fetch("SELECT DISTINCT xid FROM events WHERE project_id = $1", door.project.id)
    assert len(rows) == 1


async def test_a_batch_past_eight_mebibytes_is_413(door: Door) -> None:
    assert (await door.post(b"[" + b" " * 8 * 1024 * 1024 + b"]", BATCH)).status_code == 413


async def test_a_large_event_in_a_batch_is_413(door: Door, pool: asyncpg.Pool) -> None:
    body = json.dumps([made("a"), made("b", data="x" * 1024 * 1025)]).encode()
    answer = await door.post(body, BATCH)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (413, "/1")
    assert await count(pool, door.project) == 0


@pytest.mark.spec("K1.11", "W13", "W16")
async def test_without_a_credential_it_is_401(door: Door) -> None:
    for headers in ({}, {"authorization": "Bearer weir_nothing"}, {"authorization": "Basic eA=="}):
        answer = await door.client.post(door.path, headers={**HEADERS, "ce-id": "1", **headers})
        assert (answer.status_code, slug(answer)) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_two_credentials_are_400(door: Door) -> None:
    headers = [("authorization", "Bearer a"), ("authorization", f"Bearer {door.project.key}")]
    assert (await door.client.post(door.path, headers=headers)).status_code == 400


@pytest.mark.spec("K1.11", "K1.12")
async def test_another_project_is_404(door: Door, pool: asyncpg.Pool, settings: Settings) -> None:
    other = await create_project(pool, settings)
    for name in (other.name, "no-such-project", "a%2Fb"):
        answer = await door.client.post(
            f"/in/{name}", headers={**door.project.headers, **HEADERS, "ce-id": "1"}
        )
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert await count(pool, other) == 0


@pytest.mark.spec("K1.11", "W13")
async def test_a_key_that_may_not_write_is_403(door: Door, pool: asyncpg.Pool, settings: Settings) -> None:
    key = await create_key(pool, settings, door.project.id, scopes=("events:read",))
    assert (await door.binary(authorization=f"Bearer {key}")).status_code == 403


async def test_a_producers_sources_and_types_are_its_own(
    door: Door, pool: asyncpg.Pool, settings: Settings
) -> None:
    key = await create_key(pool, settings, door.project.id, sources=("/shop/*",), types=("com.example.*",))
    credential = {"authorization": f"Bearer {key}"}
    assert (await door.binary("1", ce_source="/shop/1", **credential)).status_code == 202
    refused = await door.binary("2", **credential)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/source")
    refused = await door.binary("3", ce_source="/shop/1", ce_type="org.example", **credential)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/type")
    body = json.dumps([made("4"), made("5", source="/shop/2", type="com.example.a")]).encode()
    refused = await door.post(body, BATCH, **credential)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (403, "/0/source")
    lenient = await door.post(body, BATCH, prefer="handling=lenient", **credential)
    assert lenient.json()["results"][0]["problem"]["status"] == 403
    assert await count(pool, door.project) == 2


@pytest.mark.spec("K1.2", "K1.3")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_other_methods_are_405(door: Door, method: str) -> None:
    answer = await door.client.request(method, door.path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.spec("W20", "W21", "W29", "W30b")
async def test_the_hand_shake_needs_no_credential(door: Door) -> None:
    answer = await door.client.options(
        door.path,
        headers={"webhook-request-origin": "eventemitter.example.com", "webhook-request-rate": "120"},
    )
    assert answer.status_code == 200
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.headers["webhook-allowed-origin"] == "*"
    assert answer.headers["webhook-allowed-rate"] == "*"
    plain = await door.client.options(f"{door.path}/github")
    assert plain.status_code == 200
    assert "webhook-allowed-origin" not in plain.headers


async def test_sources_of_third_parties_are_not_there_yet(door: Door) -> None:
    answer = await door.client.post(f"{door.path}/github", headers=door.project.headers)
    assert (answer.status_code, slug(answer)) == (404, "not-found")


async def test_the_document_describes_the_door(resources: Resources) -> None:
    document = create(resources).openapi()
    operations = document["paths"]["/in/{project}"]
    assert set(operations) == {"post", "options"}
    assert operations["options"]["security"] == []
    assert {"202", "400", "401", "403", "404", "413", "415", "429", "503", "507"} <= set(
        operations["post"]["responses"]
    )
