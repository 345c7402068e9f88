"""Looking for what is due reads what is due, and not what else waits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.dispatch.queries import backlog, leases
from shared.core.ids import delivery_id
from tests.support.plans import Plan, plan
from tests.support.projects import Project
from tests.support.stream import NOBODYS, an_event, store

MONTH = "202604"
"""Of the partition that these tests look at; other tests have rows on other days."""

FEW = 3
MANY = 2_000
SHARDS = [NOBODYS]


@pytest.fixture(params=["live", "letters", "repeats"])
async def few(
    pool: asyncpg.Pool, project: Project, request: pytest.FixtureRequest
) -> tuple[backlog.Kind, UUID]:
    """What few of are due, among many of another kind, and whose they all are."""
    subscription = uuid4()
    uids = await store(
        pool, project.id, [an_event(n) for n in range(MANY)], at=datetime(2026, 4, 1, 10, tzinfo=UTC)
    )
    others = {"live": "dead", "letters": "retrying", "repeats": "retrying"}[request.param]
    own = {"live": "retrying", "letters": "dead", "repeats": "pending"}[request.param]
    replay = uuid4() if request.param == "repeats" else None
    due = datetime.now(UTC) - timedelta(hours=1)
    await pool.executemany(
        """
        INSERT INTO deliveries (id, project_id, event_uid, subscription_id, subscription_version, shard, status,
            next_attempt_at, replay_id)
        VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8)
        """,
        [
            (
                delivery_id(uid, subscription),
                project.id,
                uid,
                subscription,
                NOBODYS,
                own if n >= MANY - FEW else others,
                due + timedelta(seconds=n),  # the few come after all others in every order
                replay if n >= MANY - FEW else None,
            )
            for n, uid in enumerate(uids)
        ],
    )
    await pool.execute("ANALYZE deliveries, events")
    return request.param, subscription


async def looked_at(found: Plan) -> float:
    assert not found.sequential(MONTH)
    return found.rows(f"deliveries_p{MONTH}")


async def test_the_look_passes_over_nothing_of_the_other_kind(
    pool: asyncpg.Pool, few: tuple[backlog.Kind, UUID]
) -> None:
    kind, subscription = few
    before = UUID(int=subscription.int - 1)
    found = await plan(pool, backlog.WAITING[kind], SHARDS, [], before, backlog.WAITING_LIMIT, generic=True)
    # One row of each day with something waiting, of which the recursion takes the first.
    assert await looked_at(found) <= 2 * FEW


async def test_what_is_due_is_read_without_the_other_kind(
    pool: asyncpg.Pool, few: tuple[backlog.Kind, UUID]
) -> None:
    kind, subscription = few
    found = await plan(pool, backlog.DUE[kind], [subscription], [10], SHARDS, [], generic=True)
    assert FEW <= await looked_at(found) <= 4 * FEW  # each is looked at again as the first of its order


async def test_what_waits_is_brought_forward_by_indexes(
    pool: asyncpg.Pool, few: tuple[backlog.Kind, UUID]
) -> None:
    await pool.execute(
        "UPDATE deliveries SET next_attempt_at = now() + interval '1 hour' WHERE id IN ("
        " SELECT id FROM deliveries WHERE subscription_id = $1 ORDER BY id LIMIT $2)",
        few[1],
        FEW,
    )
    found = await plan(pool, leases.BRING_FORWARD, SHARDS, 10.0, generic=True)
    assert not found.sequential(MONTH)
