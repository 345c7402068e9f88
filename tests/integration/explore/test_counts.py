"""Counts lead to their rows: a histogram's bar and a facet's value count what a list with the same words finds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.explore import finding
from shared.rollups.upkeep import refresh
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = {"since": START.isoformat(), "until": (START + timedelta(hours=1)).isoformat()}
NOTHING = dict.fromkeys(("total", "delivered", "retrying", "pending", "dead", "cancelled", "unmatched"), 0)


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
async def uids(pool: asyncpg.Pool, project: Project) -> list[UUID]:
    """One event every ten minutes for an hour, each standing otherwise."""
    events = [an_event(n, type=f"com.example.{n % 2}", source=f"/{n % 3}") for n in range(6)]
    facets = [{"country": "NO" if n < 4 else "SE", "tags": ["a", "b"][: n % 3]} for n in range(6)]
    made = await store(pool, project.id, events, at=START, step=timedelta(minutes=10), facets=facets)
    for uid, statuses in zip(
        made,
        (
            ["delivered", "dead", "retrying"],
            ["retrying", "delivered"],
            ["pending"],
            ["delivered", "cancelled"],
            ["cancelled"],
            [],
        ),
        strict=True,
    ):
        for status in statuses:
            await deliver(pool, project.id, uid, uuid4(), status)
    return made


async def test_a_histogram_counts_each_event_once_by_how_it_stands(
    client: httpx.AsyncClient, uids: list[UUID]
) -> None:
    found = await get(client, "/events/histogram", **HOUR, bars=6)
    assert (found["step"], found["searched"]) == ("PT10M", None)
    assert found["total"] == {**dict.fromkeys(NOTHING, 1), "total": 6}
    stands = ("dead", "retrying", "pending", "delivered", "cancelled", "unmatched")
    for number, (bar, outcome) in enumerate(zip(found["items"], stands, strict=True)):
        assert datetime.fromisoformat(bar["since"]) == START + timedelta(minutes=10 * number)
        assert bar["complete"] is True
        assert {name: bar[name] for name in NOTHING} == {**NOTHING, "total": 1, outcome: 1}
        rows = await get(client, "/events", since=bar["since"], until=bar["until"], outcome=outcome)
        assert [item["uid"] for item in rows["items"]] == [str(uids[number])]


async def test_a_histogram_takes_what_the_list_takes(client: httpx.AsyncClient, uids: list[UUID]) -> None:
    for params in (
        {"type": "com.example.0"},
        {"facet": "country:NO"},
        {"outcome": ["dead", "unmatched"]},
        {"source": ["/1", "/2"], "q": "example.1"},
    ):
        bars = await get(client, "/events/histogram", **HOUR, **params)
        rows = await get(client, "/events", **HOUR, **params)
        assert bars["total"]["total"] == len(rows["items"]) > 0
        assert bars["total"]["total"] == sum(bar["total"] for bar in bars["items"])


async def test_bars_cover_the_range_and_no_more(client: httpx.AsyncClient, uids: list[UUID]) -> None:
    odd = {"since": (START + timedelta(minutes=7, seconds=3)).isoformat(), "until": HOUR["until"]}
    found = await get(client, "/events/histogram", **odd, bars=12)
    bars = found["items"]
    assert len(bars) <= 12
    assert datetime.fromisoformat(bars[0]["since"]) == datetime.fromisoformat(odd["since"])
    assert datetime.fromisoformat(bars[-1]["until"]) == datetime.fromisoformat(odd["until"])
    assert all(one["until"] == after["since"] for one, after in pairwise(bars))
    assert found["total"]["total"] == 5
    # Ninety days are as few bars, and a range without events has bars without any.
    wide = {"since": (START - timedelta(days=89)).isoformat(), "until": HOUR["until"]}
    assert len((await get(client, "/events/histogram", **wide))["items"]) <= 60
    before = {"since": "2025-01-01T00:00:00Z", "until": "2025-01-02T00:00:00Z"}
    assert (await get(client, "/events/histogram", **before))["total"] == NOTHING
    later = {"since": "2999-01-01T00:00:00Z"}
    assert (await get(client, "/events/histogram", **later))["total"] == NOTHING
    all_there_is = await get(client, "/events/histogram")
    assert all_there_is["total"]["total"] == 6


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("9998-01-01T00:00:00Z", "9999-01-01T00:00:00Z"),
    ],
)
async def test_a_range_in_which_nothing_can_be_has_no_bars(
    client: httpx.AsyncClient, uids: list[UUID], since: str, until: str
) -> None:
    found = await get(client, "/events/histogram", since=since, until=until)
    assert (found["items"], found["total"], found["searched"]) == ([], NOTHING, None)
    assert (found["since"], found["until"]) == (since, since)


async def test_a_histogram_says_how_far_it_counted(
    client: httpx.AsyncClient, uids: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "WINDOW", 2)
    found = await get(client, "/events/histogram", **HOUR, bars=6)
    assert found["total"]["total"] == 2
    assert found["searched"]["count"] == 2
    assert [bar["complete"] for bar in found["items"]] == [False] * 4 + [False, True]


async def test_facets_are_counted_without_their_own_narrowing(
    client: httpx.AsyncClient, uids: list[UUID]
) -> None:
    def counted(found: Any) -> dict[str, dict[str, int]]:
        return {
            body["name"]: {one["value"]: one["count"] for one in body["values"]} for body in found["items"]
        }

    everything = counted(await get(client, "/events/facets", **HOUR))
    assert everything == {
        "outcome": dict.fromkeys(("dead", "retrying", "pending", "delivered", "cancelled", "unmatched"), 1),
        "type": {"com.example.0": 3, "com.example.1": 3},
        "source": {"/0": 2, "/1": 2, "/2": 2},
        "country": {"NO": 4, "SE": 2},
        "tags": {"a": 4, "b": 2},
    }
    narrowed = counted(await get(client, "/events/facets", **HOUR, facet="country:SE", type="com.example.0"))
    assert narrowed["country"] == {"NO": 2, "SE": 1}
    assert narrowed["type"] == {"com.example.0": 1, "com.example.1": 1}
    assert narrowed["source"] == {"/1": 1}
    assert narrowed["outcome"] == {"cancelled": 1}


async def test_of_many_values_the_most_frequent_are_shown(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    events = [an_event(n, type=f"t{n if n < 30 else 0}") for n in range(40)]
    await store(pool, project.id, events)
    (types,) = [body for body in (await get(client, "/events/facets"))["items"] if body["kind"] == "type"]
    assert types["values"][0] == {"value": "t0", "count": 11}
    assert (len(types["values"]), types["more"], types["searched"]) == (10, 20, None)


@pytest.mark.parametrize("path", ["/events/histogram", "/events/facets"])
async def test_what_cannot_be_asked_is_422(client: httpx.AsyncClient, path: str) -> None:
    for params in ({"outcome": "lost"}, {"since": "x"}, {"statusCode": "9xx"}, {"extension": "A:1"}):
        assert (await client.get(path, params=params)).status_code == 422
    assert (await client.get("/events/histogram", params={"bars": 241})).status_code == 422


async def test_what_is_too_much_to_look_at_is_counted_by_what_is_kept(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends of the range and the last look lie within a minute: no event counts twice, and none is left out."""
    start = datetime.now(UTC).replace(second=20, microsecond=0) - timedelta(hours=3)
    events = [an_event(n, type=f"com.example.{n % 3}") for n in range(400)]
    uids = await store(pool, project.id, events, at=start, step=timedelta(seconds=27))
    for number, uid in enumerate(uids):
        for status in (["delivered", "dead"], ["cancelled"], [], ["delivered"], ["pending", "retrying"])[
            number % 5
        ]:
            await deliver(pool, project.id, uid, uuid4(), status)
    span = {
        "since": (start + timedelta(seconds=95)).isoformat(),
        "until": (start + timedelta(seconds=27 * 390)).isoformat(),
    }
    for params in ({}, {"type": "com.example.1"}, {"outcome": ["dead", "unmatched"], "producer": "key:test"}):
        seen = await get(client, "/events/histogram", **span, **params)
        assert seen["searched"] is None
        assert seen["total"]["total"] == len(
            (await get(client, "/events", **span, **params, limit=500))["items"]
        )
        with monkeypatch.context() as patched:
            patched.setattr(finding, "WINDOW", 30)
            kept = await get(client, "/events/histogram", **span, **params)
            assert kept == seen
            # Of what is asked there are no counts.
            other = await get(client, "/events/histogram", **span, **params, sourcePrefix="/tests")
            assert other["searched"]["count"] == 30


async def test_what_is_yet_to_be_counted_is_not_taken_for_counted(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project with more minutes than the first who looks has counted."""
    monkeypatch.setattr("functions.explore.stats.freshness.BUDGET_SECONDS", 0.0)
    monkeypatch.setattr("functions.explore.stats.freshness.EVERY_SECONDS", 3600.0)
    monkeypatch.setattr(finding, "WINDOW", 30)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=4)
    await store(pool, project.id, [an_event(n) for n in range(200)], at=start, step=timedelta(minutes=1))
    span = {"since": start.isoformat(), "until": (start + timedelta(hours=4)).isoformat()}
    found = await get(client, "/events/histogram", **span)
    assert found["searched"]["count"] == found["total"]["total"] == 30
    assert await refresh(pool, project.id, budget_seconds=60)
    found = await get(client, "/events/histogram", **span)
    assert (found["searched"], found["total"]["total"]) == (None, 200)
