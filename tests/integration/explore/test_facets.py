"""Events are found by their facets, and by what a schema had against them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from functions.explore import service
from shared.core.ids import uuid7
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_project
from tests.support.stream import an_event, store

NOW = datetime.now(UTC) - timedelta(minutes=5)


async def found(client: httpx.AsyncClient, *facets: str, **query: Any) -> list[str]:
    answer = await client.get("/events", params={"facet": list(facets), **query})
    assert answer.status_code == 200, answer.text
    return [item["event"]["id"] for item in answer.json()["items"]]


async def keep(
    pool: asyncpg.Pool, project: Project, *facets: dict[str, Any] | None, at: datetime = NOW, first: int = 0
) -> list[UUID]:
    events = [an_event(first + n) for n in range(len(facets))]
    return await store(pool, project.id, events, at=at, facets=facets)


async def test_all_facets_must_hold(client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project) -> None:
    await keep(
        pool,
        project,
        {"order": "A-1", "shop": "x"},
        {"order": "A-1", "shop": "y"},
        {"order": "A-2", "shop": "x"},
        None,
    )
    assert await found(client, "order:A-1") == ["e-1", "e-0"]
    assert await found(client, "order:A-1", "shop:x") == ["e-0"]
    assert await found(client, "order:A-2", "shop:y") == []
    assert await found(client, "shop:x", id="e-2") == ["e-2"]
    assert await found(client, "order:A-3") == []
    assert await found(client, "shop:A-1") == []
    assert await found(client, "order:a-1") == []


@pytest.mark.parametrize(
    ("kept", "asked", "is_found"),
    [
        ("10", "10", True),
        (10, "10", True),
        (10, "10.0", True),
        (10.5, "10.5", True),
        ("010", "10", False),
        (True, "true", True),
        ("true", "true", True),
        (True, "True", False),
        (1, "true", False),
        (["a", 7], "a", True),
        (["a", 7], "7", True),
        (["a", 7], "b", False),
        ("a:b", "a:b", True),
        ("", "", True),
        ("ä", "ä", True),
        ("100%", "100%", True),
        (1e300, "1e300", True),
        (1, "1e999", False),
        ('{"a":1}', '{"a":1}', True),
    ],
)
async def test_values_are_compared_as_texts_numbers_and_booleans(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, kept: Any, asked: str, is_found: bool
) -> None:
    await keep(pool, project, {"v": kept})
    assert (await found(client, f"v:{asked}") == ["e-0"]) == is_found


async def test_pages_go_on_across_days(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    days = [NOW - timedelta(days=days, minutes=days) for days in (0, 0, 1, 3)]
    days += [
        datetime(2024, 11, 5, tzinfo=UTC),
        datetime(2024, 10, 5, tzinfo=UTC),
        datetime(2022, 2, 1, tzinfo=UTC),
    ]
    for number, day in enumerate(days):
        at = day - timedelta(seconds=number)
        await keep(pool, project, {"order": "A-1"}, {"order": "A-2"}, at=at, first=number * 2)
    whole = [f"e-{number * 2}" for number in range(len(days))]
    assert await found(client, "order:A-1") == whole
    for limit in (1, 2, 3, 7):
        seen: list[str] = []
        cursor = None
        while True:
            query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/events", params={"facet": "order:A-1", **query})).json()
            seen += [item["event"]["id"] for item in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == whole
    since, until = datetime(2024, 11, 1, tzinfo=UTC), NOW - timedelta(minutes=30)
    assert await found(client, "order:A-1", since=since.isoformat()) == whole[:5]
    assert await found(client, "order:A-1", until=until.isoformat()) == whole[2:]
    nothing = {"since": until.isoformat(), "until": since.isoformat()}
    assert await found(client, "order:A-1", **nothing) == []


async def test_a_page_of_large_events_ends_early_and_goes_on(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAGE_BYTES", 1_500)
    events = [an_event(n, data=b'"' + b"x" * 998 + b'"') for n in range(4)]
    await store(pool, project.id, events, at=NOW, facets=[{"a": 1}] * 4)
    page = (await client.get("/events", params={"facet": "a:1"})).json()
    assert [item["event"]["id"] for item in page["items"]] == ["e-3", "e-2"]
    page = (await client.get("/events", params={"facet": "a:1", "cursor": page["next"]})).json()
    assert [item["event"]["id"] for item in page["items"]] == ["e-1", "e-0"]
    assert page["next"] is None


async def test_text_and_facets_go_together(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    events = [an_event(n, data=b'"red"' if n % 2 else b'"blue"') for n in range(4)]
    await store(pool, project.id, events, at=NOW, facets=[{"a": n // 2} for n in range(4)])
    assert await found(client, "a:1", q="red") == ["e-3"]


async def test_lists_and_details_answer_facets_and_faults(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    (uid,) = await store(
        pool, project.id, [an_event(0)], at=NOW, facets=[{"a": [1, "b"]}], schema_fault="/data: is not"
    )
    await store(pool, project.id, [an_event(1)], at=NOW + timedelta(seconds=1))
    item = (await client.get("/events", params={"schemaFault": "true"})).json()["items"]
    assert [(i["uid"], i["facets"], i["schemaFault"]) for i in item] == [
        (str(uid), {"a": [1, "b"]}, "/data: is not")
    ]
    assert await found(client, schemaFault="false") == ["e-1"]
    assert await found(client, "a:b", schemaFault="true") == ["e-0"]
    assert await found(client, "a:b", schemaFault="false") == []
    detail = (await client.get(f"/events/{uid}")).json()
    assert (detail["facets"], detail["schemaFault"]) == ({"a": [1, "b"]}, "/data: is not")
    (plain,) = (await client.get("/events", params={"id": "e-1"})).json()["items"]
    assert (plain["facets"], plain["schemaFault"]) == (None, None)


async def test_another_projects_events_are_not_found(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings
) -> None:
    await keep(pool, await create_project(pool, settings), {"order": "A-1"})
    assert await found(client, "order:A-1") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("facet", "order"),
        ("facet", "Order:1"),
        ("facet", ":1"),
        ("facet", "order=1"),
        ("facet", "a:" + "x" * 300),
        ("facet", "a:b\0"),
        ("schemaFault", "maybe"),
    ],
)
async def test_what_cannot_be_asked_is_422(client: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await client.get("/events", params={name: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/query/{name}")
    assert (await client.get("/events", params={"facet": ["a:1"] * 11})).status_code == 422
    assert (await client.get("/events", params={"facet": "a:1", "cursor": str(uuid7())})).status_code == 422
