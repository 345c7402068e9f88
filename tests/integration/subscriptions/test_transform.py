"""Transforms are read when they are saved, and can be tried before."""

from typing import Any

import asyncpg
import httpx
import pytest

from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key
from tests.support.stream import an_event, store

SINK = "https://example.com/events"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"n": 1}}


async def test_a_transform_is_kept_until_it_is_taken_away(client: httpx.AsyncClient) -> None:
    transform = {"jsonata": '{"data": data.n}'}
    made = (await client.post("/subscriptions", json={"sink": SINK, "transform": transform})).json()
    assert made["transform"] == transform
    address = f"/subscriptions/{made['id']}"
    assert (await client.put(address, json={"sink": SINK})).json()["transform"] == transform
    assert (await client.put(address, json=made)).json()["transform"] == transform
    assert (await client.put(address, json={"sink": SINK, "transform": None})).json()["transform"] is None


@pytest.mark.parametrize(
    ("transform", "pointer", "words"),
    [
        ({"jsonata": '{"a": '}, "/transform/jsonata", "(character 6)"),
        ({"jsonata": "  "}, "/transform/jsonata", "must be a JSONata expression"),
        ({"jsonata": 5}, "/transform/jsonata", "must be a JSONata expression"),
        ({"jsonata": "\0"}, "/transform/jsonata", "must be a JSONata expression"),
        ({"jsonata": "a" * 32_001}, "/transform/jsonata", "must be a JSONata expression"),
        ({"jsonata": "$", "jq": "."}, "/transform/jq", "is not known"),
        ("$", "/transform", "must be null, or an object"),
    ],
)
async def test_one_that_cannot_be_read_is_refused_with_its_place(
    client: httpx.AsyncClient, transform: Any, pointer: str, words: str
) -> None:
    for answer in (
        await client.post("/subscriptions", json={"sink": SINK, "transform": transform}),
        await client.post("/subscriptions/transform", json={"transform": transform, "event": EVENT}),
    ):
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert words in error["detail"]


async def test_a_given_event_is_shown_as_it_would_be_sent(client: httpx.AsyncClient) -> None:
    async def shown(expression: str, event: Any = EVENT) -> Any:
        body = {"transform": {"jsonata": expression}, "event": event}
        answer = await client.post("/subscriptions/transform", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert await shown('{"type": "x", "data": data.n + 1}') == {
        "event": {"specversion": "1.0", "id": "1", "source": "/s", "type": "x", "data": 2},
        "error": None,
    }
    assert await shown("null") == {"event": None, "error": None}
    failed = await shown("$number(type)")
    assert failed["event"] is None
    assert failed["error"]["detail"].startswith("it cannot be evaluated")
    assert "no CloudEvent" in (await shown('{"time": "x"}'))["error"]["detail"]


async def test_a_stored_event_can_be_tried_by_who_may_read_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    (uid,) = await store(pool, project.id, [an_event(data=b"[1]")])
    body = {"transform": {"jsonata": "$"}, "uid": str(uid)}
    answer = await client.post("/subscriptions/transform", json=body)
    assert answer.json()["event"]["data"] == [1]
    key = await create_key(pool, settings, project.id, scopes=("subscriptions:read",))
    headers = {"authorization": f"Bearer {key}"}
    answer = await client.post("/subscriptions/transform", json=body, headers=headers)
    assert answer.status_code == 403
    nobody = {**body, "uid": "0199aaaa-0000-7000-8000-000000000000"}
    answer = await client.post("/subscriptions/transform", json=nobody)
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/uid"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"event": EVENT}, "/transform"),
        ({"transform": {"jsonata": "$"}}, "/event"),
        ({"transform": {"jsonata": "$"}, "event": {"id": "1"}}, "/event/specversion"),
    ],
)
async def test_what_is_missing_is_said(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/subscriptions/transform", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
