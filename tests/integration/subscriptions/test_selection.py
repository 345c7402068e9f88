"""Which events are wanted, said in Knative's way and in that of the CloudEvents Subscriptions API."""

from typing import Any

import httpx
import pytest

from shared.core.filters import compile_filters

SINK = {"sink": "http://example.com/"}


async def created(client: httpx.AsyncClient, **members: Any) -> dict[str, Any]:
    answer = await client.post("/subscriptions", json={**SINK, **members})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.spec("K4.4", "S23")
@pytest.mark.parametrize(
    ("attributes", "event", "expected"),
    [
        ({"type": "a"}, {"type": "a"}, True),
        ({"type": "a"}, {"type": "A"}, False),
        ({"type": "a"}, {"type": "ab"}, False),
        ({"type": "a", "x": "1"}, {"type": "a"}, False),
        ({"type": "a", "x": "1"}, {"type": "a", "x": 1}, True),
        ({"x": ""}, {"type": "a", "x": "anything"}, True),
        ({"x": ""}, {"type": "a", "x": False}, True),
        ({"x": ""}, {"type": "a", "x": ""}, False),
        ({"x": ""}, {"type": "a"}, False),
        ({"type": ""}, {"type": "a"}, True),
        ({}, {"type": "a"}, True),
    ],
)
async def test_knatives_attributes_become_filters(
    client: httpx.AsyncClient, attributes: dict[str, str], event: dict[str, Any], expected: bool
) -> None:
    found = await created(client, filter={"attributes": attributes})
    assert "filter" not in found
    assert compile_filters(found["filters"]).matches({"source": "/", "id": "1", **event}) is expected


@pytest.mark.spec("K4.6")
async def test_filters_that_are_not_empty_come_instead_of_it(client: httpx.AsyncClient) -> None:
    old = {"attributes": {"type": "a"}}
    found = await created(client, filter=old, filters=[{"cesql": "type = 'b'"}])
    assert found["filters"] == [{"cesql": "type = 'b'"}]
    found = await created(client, filter=old, filters=[])
    assert found["filters"] == [{"exact": {"type": "a"}}]


@pytest.mark.spec("S04", "S05")
async def test_source_and_types_hold_besides_the_filters(client: httpx.AsyncClient) -> None:
    found = await created(
        client, source="/shop", types=["a", "b"], filters=[{"prefix": {"subject": "x"}}], protocol="HTTP"
    )
    filters = compile_filters(found["filters"])
    event = {"source": "/shop", "type": "b", "subject": "xy"}
    assert filters.matches(event)
    assert not filters.matches({**event, "source": "/shop/"})
    assert not filters.matches({**event, "type": "c"})
    assert not filters.matches({**event, "subject": "y"})
    again = await client.put(f"/subscriptions/{found['id']}", json=found)
    assert again.status_code == 200, again.text
    assert again.json()["filters"] == found["filters"]


@pytest.mark.spec("K4.5", "S04", "S05", "S08", "S10")
@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"filter": {"attributes": {"Type": "a"}}}, "/filter/attributes/Type"),
        ({"filter": {"attributes": {"my-ext": "a"}}}, "/filter/attributes/my-ext"),
        ({"filter": {"attributes": {"": "a"}}}, "/filter/attributes/"),
        ({"filter": {"attributes": {"123": "a"}}}, "/filter/attributes/123"),
        ({"filter": {"attributes": {"type": 5}}}, "/filter/attributes/type"),
        ({"filter": {"attributes": {"data": "a"}}}, "/filter/attributes/data"),
        ({"filter": {"attributes": {"type": "a\u0001"}}}, "/filter/attributes/type"),
        ({"filter": {"attributes": []}}, "/filter/attributes"),
        ({"filter": {"type": "a"}}, "/filter/type"),
        ({"filter": "a"}, "/filter"),
        (
            {"filter": {"attributes": {"123": "a"}}, "filters": [{"exact": {"type": "a"}}]},
            "/filter/attributes/123",
        ),
        ({"source": ""}, "/source"),
        ({"source": 5}, "/source"),
        ({"types": "a"}, "/types"),
        ({"types": ["a", ""]}, "/types/1"),
        ({"protocol": "http"}, "/protocol"),
        ({"protocol": "KAFKA"}, "/protocol"),
        ({"filters": [{"prefix": {"data": "a"}}]}, "/filters/0/prefix/data"),
        ({"filters": [{"sql": "type = "}], "types": ["a"]}, "/filters/0/sql"),
        ({"filters": [{"not": {"cel": "data.a.map(x, x)"}}]}, "/filters/0/not/cel"),
    ],
)
async def test_422_points_at_what_is_wrong_and_nothing_is_kept(
    client: httpx.AsyncClient, members: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/subscriptions", json={**SINK, **members})
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await client.get("/subscriptions")).json()["items"] == []


async def test_what_cesql_has_not_is_said_with_its_place(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/subscriptions", json={**SINK, "filters": [{"sql": "type = 'a' AND data.total > 5"}]}
    )
    (error,) = answer.json()["errors"]
    assert error["detail"].startswith("CESQL has no `data`: use `cel` (at character 16)\n")
    assert error["detail"].endswith("\n               ^")
