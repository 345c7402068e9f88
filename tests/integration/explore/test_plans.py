"""The statements of lists read the partitions and the index entries that they need, and no more."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from functions.explore import deliveries, queries, statements
from functions.explore.search import Search, around, key_range
from shared.core.ids import delivery_id
from shared.db.project_pool import ProjectPool
from shared.runtime.resources import Resources
from tests.support.plans import plan, plan_on
from tests.support.projects import Project
from tests.support.stream import an_event, store

DAYS = [datetime(2026, 5, day, 10, tzinfo=UTC) for day in (1, 2, 3)]
MONTH = "202605"
"""Of the partitions that these tests look at; other tests have rows on other days."""

ROWS = 1_000


@pytest.fixture
async def asked(resources: Resources, project: Project) -> ProjectPool:
    """As the functions ask: behind row-level security."""
    return await resources.of(project.id)


@pytest.fixture
async def uids(pool: asyncpg.Pool, project: Project) -> list[list[UUID]]:
    """Three days of events, some of a type of its own, each event with a delivery."""
    found = []
    for number, day in enumerate(DAYS):
        events = [
            an_event(n, source=f"/{number}", type="com.example.rare" if n % 100 == 0 else "com.example.often")
            for n in range(ROWS)
        ]
        found.append(await store(pool, project.id, events, at=day))
    subscription = uuid4()
    await pool.executemany(
        """
        INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status)
        VALUES ($1, $2, $3, $4, 1, 100, $5)
        """,
        [
            (delivery_id(uid, subscription), project.id, uid, subscription, "delivered" if n % 50 else "dead")
            for day in found
            for n, uid in enumerate(day[:200])
        ],
    )
    await pool.execute("ANALYZE events, deliveries")
    return found


def search(
    project: Project, since: datetime | None = None, until: datetime | None = None, **exact: Any
) -> Search:
    low, high = key_range(since, until)
    return Search(project_id=project.id, low=low, high=high, **exact)


@pytest.mark.parametrize("generic", [False, True])
async def test_lists_of_events_use_indexes_and_stop_early(
    asked: ProjectPool, project: Project, uids: list[list[UUID]], generic: bool
) -> None:
    newest = await plan(asked, *flat(statements.page(search(project), 51, 10**7)), generic=generic)
    assert newest.read(MONTH) == {"events_p20260503"}
    assert not newest.sequential(MONTH)
    assert newest.rows(f"events_p{MONTH}") <= 51

    second = search(project, DAYS[1], DAYS[1] + timedelta(hours=1))
    bounded = await plan(asked, *flat(statements.page(second, 51, 10**7)), generic=generic)
    assert bounded.read(MONTH) == {"events_p20260502"}
    assert not bounded.sequential(MONTH)

    after = search(project).before(uids[1][0])
    older = await plan(asked, *flat(statements.page(after, 51, 10**7)), generic=generic)
    assert "events_p20260503" not in older.read(MONTH)
    assert older.rows(f"events_p{MONTH}") <= 51

    rare = await plan(
        asked,
        *flat(statements.page(search(project, types=("com.example.rare",)), 51, 10**7)),
        generic=generic,
    )
    assert not rare.sequential(MONTH)
    assert rare.rows(f"events_p{MONTH}") <= 30

    one = search(project, sources=("/1",), id="e-7")
    known = await plan(asked, *flat(statements.page(one, 51, 10**7)), generic=generic)
    assert not known.sequential(MONTH)
    assert known.rows(f"events_p{MONTH}") == 1


@pytest.mark.parametrize("generic", [False, True])
async def test_facets_are_found_by_their_index(
    pool: asyncpg.Pool, asked: ProjectPool, project: Project, generic: bool
) -> None:
    other = uuid4()
    # So few that are read from end to end would be cheaper than the index.
    for day, rows in zip(DAYS, (100, 5 * ROWS, 100), strict=True):
        events = [an_event(n, source=f"/{day}") for n in range(rows)]
        facets = [{"order": f"{project.name}-{n}", "n": n % 10, "tags": [n // 100]} for n in range(rows)]
        await store(pool, project.id, events, at=day, facets=facets)
        await store(pool, other, events[:5], at=day, facets=facets[:5])
    await pool.execute("VACUUM (ANALYZE) events")  # what waits in the index counts against it

    def of(**members: Any) -> Search:
        return search(project, DAYS[1], DAYS[1] + timedelta(hours=1), **members)

    one = await plan(asked, *flat(having(of(facets=(("order", f"{project.name}-3"),)), 51)), generic=generic)
    assert one.read(MONTH) == {"events_p20260502"}
    assert not one.sequential(MONTH)
    assert any("facets" in name for name in one.indexes())
    assert one.rows(f"events_p{MONTH}") == 2  # with the one of the other project, which is let go

    both = of(facets=(("tags", "3"), ("n", "7")))
    several = await plan(asked, *flat(having(both, 51)), generic=generic)
    assert several.read(MONTH) == {"events_p20260502"}
    assert any("facets" in name for name in several.indexes())
    assert several.rows(f"events_p{MONTH}") <= 1_000


@pytest.mark.parametrize("generic", [False, True])
async def test_faulty_events_have_an_index(
    pool: asyncpg.Pool, asked: ProjectPool, project: Project, uids: list[list[UUID]], generic: bool
) -> None:
    await store(pool, project.id, [an_event(ROWS + 1)], at=DAYS[0], schema_fault="/data: is not")
    await pool.execute("ANALYZE events")
    page = search(project, DAYS[0] - timedelta(hours=1), DAYS[1], faulty=True)
    found = await plan(asked, *flat(statements.page(page, 51, 10**7)), generic=generic)
    assert not found.sequential(MONTH)
    assert found.rows(f"events_p{MONTH}") == 1


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("column", ["subject", "id", "source"])
async def test_attributes_are_looked_up_in_order_on_days_that_are_over(
    pool: asyncpg.Pool, asked: ProjectPool, project: Project, column: str, generic: bool
) -> None:
    for number, day in enumerate(DAYS[:2]):
        events = [
            an_event(f"{number}-{n}", source=f"/{n % 3}", subject=f"orders/{n // 4}") for n in range(2 * ROWS)
        ]
        await store(pool, project.id, events, at=day)
    await pool.execute("ANALYZE events")
    await pool.execute("SELECT index_days('2026-06-01', 1000)")
    month = search(project, datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
    wanted = {"subject": ["orders/7", "orders/none"], "id": ["e-0-7"], "source": ["/1"]}[column]
    found = await plan(asked, *flat(statements.looked_up(month, column, wanted, 51)), generic=generic)
    assert not found.sequential(MONTH)
    assert any(name.endswith(f"_by_{column}") for name in found.indexes())
    # A frequent value is no more work: its page ends early.
    assert found.rows(f"events_p{MONTH}") <= 51


@pytest.mark.parametrize("column", ["subject", "id"])
async def test_of_a_day_that_goes_on_ranges_of_pages_are_looked_at(
    pool: asyncpg.Pool, project: Project, column: str
) -> None:
    day = datetime.now(UTC)
    events = [
        an_event(f"{project.name}-{n}", subject=f"{project.name}-{n}", data=b'"' + b"x" * 400 + b'"')
        for n in range(8 * ROWS)
    ]
    await store(pool, project.id, events, at=day - timedelta(milliseconds=8 * ROWS))
    await pool.execute("ANALYZE events")
    await pool.fetchval("SELECT summarize_events('2000-01-01')")
    today = search(project, day.replace(hour=0, minute=0, second=0, microsecond=0))
    wanted = f"{project.name}-77" if column == "subject" else f"e-{project.name}-77"
    async with pool.acquire() as owner, owner.transaction():
        await owner.execute(f"SET LOCAL ROLE weir_project; SET LOCAL weir.project = '{project.id}'")
        await owner.execute(statements.ONLY_BITMAPS)
        found = await plan_on(owner, *flat(statements.by_ranges(today, column, [wanted], 51)))
    assert any("subject_id_source" in name for name in found.indexes())
    assert not found.sequential(f"{day:%Y%m}")
    assert found.rows("events_p") < 4 * ROWS


@pytest.mark.parametrize("generic", [False, True])
async def test_extensions_are_found_by_their_index_on_days_that_are_over(
    pool: asyncpg.Pool, asked: ProjectPool, project: Project, generic: bool
) -> None:
    events = [an_event(n, extensions={"partitionkey": f"{project.name}-{n}"}) for n in range(5 * ROWS)]
    await store(pool, project.id, events, at=DAYS[0])
    await pool.execute("SELECT index_days('2026-06-01', 1000)")
    await pool.execute("VACUUM (ANALYZE) events")
    month = search(project, DAYS[0], DAYS[1], extensions=(("partitionkey", f"{project.name}-7"),))
    found = await plan(asked, *flat(statements.having(month, "extensions", 51)), generic=generic)
    assert any(name.endswith("_by_extensions") for name in found.indexes())
    assert found.rows(f"events_p{MONTH}") == 1


@pytest.mark.parametrize("generic", [False, True])
async def test_events_are_found_by_their_dead_letters(
    pool: asyncpg.Pool, asked: ProjectPool, project: Project, uids: list[list[UUID]], generic: bool
) -> None:
    # So few as there are would be read from end to end.
    await pool.execute(
        "INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status)"
        " SELECT uid, project_id, uid, $2, 1, 100, 'delivered' FROM events WHERE project_id = $1",
        project.id,
        uuid4(),
    )
    await pool.execute("ANALYZE deliveries")
    dead = search(project, outcomes=("dead",))
    found = await plan(asked, *flat(statements.of_deliveries(dead, ["dead"], 3)), generic=generic)
    assert not found.sequential(MONTH)
    assert found.read(MONTH) == {"deliveries_p20260503"}
    assert found.rows(f"deliveries_p{MONTH}") <= 10
    of_those = await plan(asked, *flat(statements.among(dead, uids[2][:4])), generic=generic)
    assert not of_those.sequential(MONTH)


async def test_text_is_looked_for_in_one_window(
    asked: ProjectPool, project: Project, uids: list[list[UUID]]
) -> None:
    window = await plan(asked, *flat(statements.step(search(project, text="x"), 500)))
    assert window.read(MONTH) == {"events_p20260503"}
    assert window.rows(f"events_p{MONTH}") <= 500


@pytest.mark.parametrize("generic", [False, True])
async def test_outcomes_look_at_the_milliseconds_of_their_events_alone(
    asked: ProjectPool, project: Project, uids: list[list[UUID]], generic: bool
) -> None:
    page = [*uids[0][:25], *uids[2][:25]]
    lows, highs = zip(*map(around, page), strict=True)
    found = await plan(asked, queries.OUTCOMES, project.id, page, list(lows), list(highs), generic=generic)
    assert found.read(MONTH) == {"deliveries_p20260501", "deliveries_p20260503"}
    assert not found.sequential(MONTH)
    assert found.rows(f"deliveries_p{MONTH}") == 50


@pytest.mark.parametrize("generic", [False, True])
async def test_lists_of_deliveries_use_indexes(
    asked: ProjectPool, project: Project, uids: list[list[UUID]], generic: bool
) -> None:
    newest = await plan(asked, *flat(deliveries.step(search(project), None, 51)), generic=generic)
    assert {name for name in newest.read(MONTH) if "deliveries" in name} == {"deliveries_p20260503"}
    assert not newest.sequential(MONTH)

    of_event = search(project).of_event(uids[1][3])
    event = await plan(asked, *flat(deliveries.step(of_event, None, 51)), generic=generic)
    assert event.read(MONTH) == {"deliveries_p20260502"}
    assert event.rows(f"deliveries_p{MONTH}") == 1

    dead = await plan(asked, *flat(deliveries.step(search(project), "dead", 51)), generic=generic)
    assert not dead.sequential(MONTH)
    assert dead.rows(f"deliveries_p{MONTH}") == 12


def having(asked: Search, limit: int) -> tuple[str, list[object]]:
    return statements.having(asked, "facets", limit)


def flat(statement: tuple[str, list[object]]) -> tuple[object, ...]:
    return statement[0], *statement[1]
