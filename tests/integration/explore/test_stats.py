"""Overview and flow say what the rows say, and every number leads to its rows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from functions.explore.stats import queries
from functions.explore.stats.span import span_of
from shared.core.ids import timestamp_ms
from shared.rollups.queries import mark
from shared.rollups.upkeep import hour_of, refresh
from shared.runtime.resources import Resources
from tests.integration.explore.conftest import subscribe
from tests.support.plans import plan
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store

START = hour_of(datetime.now(UTC)) - timedelta(hours=3, minutes=20)
RANGE = {"since": START.isoformat().replace("+00:00", "Z")}


async def a_delivery(
    pool: asyncpg.Pool, project: Project, uid: UUID, subscription: UUID, status: str, **columns: Any
) -> UUID:
    received = datetime.fromtimestamp(timestamp_ms(uid) / 1000, UTC)
    return await deliver(
        pool,
        project.id,
        uid,
        subscription,
        status,
        **{
            "attempt_count": 1,
            "first_started_at": received,
            "first_duration_us": 20_000,
            "first_status_code": 200 if status == "delivered" else 503,
            "ended_at": received + timedelta(milliseconds=100) if status in {"delivered", "dead"} else None,
            **columns,
        },
    )


@pytest.fixture
async def shop(pool: asyncpg.Pool, project: Project) -> dict[str, UUID]:
    """Three hours of a shop: orders go to two sinks, one of which fails, and pings to none."""
    well = await subscribe(pool, project.id, "billing", [])
    unwell = await subscribe(pool, project.id, "crm", [])
    orders = await store(
        pool,
        project.id,
        [an_event(n, type="order.created", source="/orders") for n in range(90)],
        at=START,
        step=timedelta(minutes=2),
        producer="source:shop",
    )
    await store(
        pool,
        project.id,
        [an_event(n, type="ping", source="/pings") for n in range(10)],
        at=START + timedelta(minutes=90),
        producer=f"key:{project.key.split('_')[1][:4]}",
    )
    for number, uid in enumerate(orders):
        await a_delivery(pool, project, uid, well, "delivered")
        status = ("dead", "retrying", "delivered")[number % 3]
        await a_delivery(pool, project, uid, unwell, status, first_duration_us=5_000_000)
    return {"billing": well, "crm": unwell}


async def test_the_overview_says_what_the_rows_say(client: httpx.AsyncClient, shop: dict[str, UUID]) -> None:
    found = (await client.get("/overview", params=RANGE)).json()
    totals = found["totals"]
    assert (totals["events"], totals["delivered"], totals["dead"], totals["retrying"]) == (100, 120, 30, 30)
    assert (totals["attempts"], totals["failedAttempts"]) == (180, 60)
    assert totals["p95Ms"] == pytest.approx(100, rel=0.1)
    assert found["stepSeconds"] == 300
    points = found["points"]
    assert {name: sum(point[name] for point in points) for name in ("events", "delivered", "dead")} == {
        "events": 100,
        "delivered": 120,
        "dead": 30,
    }
    assert [(t["type"], t["events"], t["delivered"], t["dead"]) for t in found["types"]] == [
        ("order.created", 90, 120, 30),
        ("ping", 10, 0, 0),
    ]
    assert [sum(point["events"] for point in t["points"]) for t in found["types"]] == [90, 10]
    assert [(s["subscriptionName"], s["dead"], s["circuit"]) for s in found["sinks"]] == [
        ("crm", 30, "closed"),
        ("billing", 0, "closed"),
    ]
    assert [s["p95Ms"] for s in found["sinks"]] == [
        pytest.approx(5_000, rel=0.1),
        pytest.approx(20, rel=0.1),
    ]
    assert found["failing"]["subscriptionName"] == "crm"
    assert len(found["failing"]["failedAttempts"]) == len(points)
    assert sum(found["failing"]["failedAttempts"]) == 60
    assert found["behindMinutes"] == 0
    assert datetime.fromisoformat(found["backlog"]["since"]) == START + timedelta(minutes=2)


async def test_every_number_leads_to_its_rows(client: httpx.AsyncClient, shop: dict[str, UUID]) -> None:
    since = (START + timedelta(minutes=17, seconds=31)).isoformat().replace("+00:00", "Z")
    until = (START + timedelta(minutes=131, seconds=7)).isoformat().replace("+00:00", "Z")
    found = (await client.get("/overview", params={"since": since, "until": until})).json()
    within = {"since": found["since"], "until": found["until"], "limit": 500}
    events = (await client.get("/events", params=within)).json()["items"]
    assert len(events) == found["totals"]["events"] > 50
    for status in ("delivered", "dead", "retrying"):
        rows = (await client.get("/deliveries", params={**within, "status": status})).json()["items"]
        assert len(rows) == found["totals"][status]
    for sink in found["sinks"]:
        of = {**within, "subscription": sink["subscription"], "status": "dead"}
        assert len((await client.get("/deliveries", params=of)).json()["items"]) == sink["dead"]
    before = found["before"]
    assert before["events"] == 9


async def test_what_changes_is_seen_by_who_looks_next(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, shop: dict[str, UUID]
) -> None:
    await refresh(pool, project.id)
    await pool.execute(
        "UPDATE deliveries SET status = 'dead' WHERE project_id = $1 AND status = 'retrying'", project.id
    )
    found = (await client.get("/overview", params=RANGE)).json()
    assert (found["totals"]["dead"], found["totals"]["retrying"]) == (60, 0)
    assert found["backlog"] == {"since": None, "seconds": 0}


async def test_an_overview_says_what_is_yet_to_be_counted(
    resources: Resources,
    client: httpx.AsyncClient,
    pool: asyncpg.Pool,
    project: Project,
    shop: dict[str, UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("functions.explore.stats.freshness.EVERY_SECONDS", 3600.0)
    await client.get("/overview")
    await mark(pool, project.id, [START])
    found = (await client.get("/overview", params=RANGE)).json()
    assert found["behindMinutes"] == 1, "it is not counted again at once"


async def test_an_empty_project_has_an_overview(client: httpx.AsyncClient) -> None:
    found = (await client.get("/overview")).json()
    assert found["totals"]["events"] == 0
    assert (found["before"], found["failing"], found["types"], found["sinks"]) == (None, None, [], [])
    assert len(found["points"]) in {60, 61}
    assert (await client.get("/flow")).json()["paths"] == []


async def test_the_flow_leads_from_who_sends_to_where_it_goes(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, shop: dict[str, UUID]
) -> None:
    await pool.execute(
        "INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, expires_at)"
        " VALUES ($1, 'o', 1, 'open', now(), now() + interval '1 hour')",
        shop["crm"],
    )
    found = (await client.get("/flow", params=RANGE)).json()
    assert [(node["id"], node["name"], node["events"]) for node in found["producers"]][:1] == [
        ("source:shop", "shop", 90)
    ]
    assert [(node["type"], node["events"]) for node in found["types"]] == [
        ("order.created", 90),
        ("ping", 10),
    ]
    assert {(n["name"], n["delivered"], n["dead"], n["circuit"]) for n in found["subscriptions"]} == {
        ("billing", 90, 0, "closed"),
        ("crm", 30, 30, "open"),
    }
    (sink,) = found["sinks"]
    assert (sink["sink"], sink["delivered"], sink["circuit"]) == ("http://sink.test/", 120, "open")
    assert sorted(edge["events"] for edge in found["produced"]) == [10, 90]
    assert {(path["producer"], path["type"], path["sink"]) for path in found["paths"]} == {(0, 0, 0)}
    assert sum(path["failedAttempts"] for path in found["paths"]) == 60


async def test_the_flow_has_the_busiest_and_all_others_as_one(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    for number in range(33):
        events = [an_event(n, type=f"t.{number:02}", source=f"/{number}") for n in range(1 + (number == 7))]
        await store(pool, project.id, events, at=START, producer=f"source:s{number}")
    found = (await client.get("/flow", params=RANGE)).json()
    assert len(found["types"]) == len(found["producers"]) == 31
    assert found["types"][0] == {"type": "t.07", "events": 2}
    assert found["types"][-1] == {"type": None, "events": 3}
    assert sum(edge["events"] for edge in found["produced"]) == 34


async def test_ranges_that_make_no_sense_are_refused_and_wide_ones_are_read_in_hours(
    client: httpx.AsyncClient,
) -> None:
    wrong = await client.get(
        "/overview", params={"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    )
    assert wrong.status_code == 422
    assert wrong.json()["errors"] == [{"pointer": "/query/until", "detail": "must be after since"}]
    now = datetime.now(UTC)
    for days, points in ((1, 97), (7, 169), (30, 122), (90, 92), (4_000, 402)):
        since = (now - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        found = (await client.get("/overview", params={"since": since})).json()
        assert 0 < len(found["points"]) <= points


@pytest.mark.parametrize("statement", queries.ONE_SCAN_EACH)
async def test_counts_are_read_by_ranges_of_their_keys(
    resources: Resources, pool: asyncpg.Pool, project: Project, shop: dict[str, UUID], statement: str
) -> None:
    await refresh(pool, project.id)
    await pool.execute("ANALYZE traffic, event_counts, delivery_counts, delivery_times")
    span = span_of(START, None, datetime.now(UTC))
    asked = await plan(await resources.of(project.id), statement, *queries.over(project.id, span.tiles()))
    assert not [node for node in asked.nodes if node["Node Type"] == "Seq Scan"]
    assert not [node for node in asked.nodes if node.get("Relation Name") in {"events", "deliveries"}]


@pytest.mark.parametrize("page", ["overview", "flow"])
@pytest.mark.parametrize("name", ["since", "until"])
async def test_the_ends_of_the_calendar(client: httpx.AsyncClient, page: str, name: str) -> None:
    for instant in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        answer = await client.get(f"/{page}", params={name: instant})
        assert answer.status_code == 200, (instant, answer.text)
    for instant in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        answer = await client.get(f"/{page}", params={name: instant})
        assert answer.status_code == 422, (instant, answer.text)
