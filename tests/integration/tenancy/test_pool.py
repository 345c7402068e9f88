"""Connections serve the project that they were asked for, whatever happened on them before."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.db.pool import UNANSWERED, Pool, _Connection, open_pool
from shared.db.roles import PROJECT, SERVICE

FOREIGN = "SELECT DISTINCT project_id FROM producers"
"""Has no WHERE: whose rows come is up to the policy."""


@pytest.fixture
async def projects(pool: asyncpg.Pool) -> list[UUID]:
    """Twelve, each with a producer."""
    made = [uuid4() for _ in range(12)]
    for number, project in enumerate(made):
        await pool.execute(
            "INSERT INTO projects (id, name) VALUES ($1, $2)", project, f"t-{project.hex[:12]}"
        )
        await pool.execute(
            "INSERT INTO producers (id, project_id, name) VALUES ($1, $2, $3)",
            uuid4(),
            project,
            f"p-{number}",
        )
    return made


@pytest.fixture
async def shared(database_url: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database_url, size=3, role=PROJECT)
    yield opened
    await opened.close()


def messages(connection: object) -> int:
    """How many were sent to the server on that connection."""
    count: int = connection._con._protocol.queries_count  # type: ignore[attr-defined]
    return count


async def test_a_project_that_comes_again_costs_no_message(shared: Pool, projects: list[UUID]) -> None:
    own = shared.of(projects[0])
    await own.fetch(FOREIGN)
    async with own.acquire() as connection:
        before = messages(connection)
        await connection.fetch(FOREIGN)
    async with own.acquire() as connection:
        await connection.fetch(FOREIGN)
        assert messages(connection) == before + 2


async def test_each_project_finds_the_connection_that_served_it(shared: Pool, projects: list[UUID]) -> None:
    pid = "SELECT pg_backend_pid()"
    async with shared.of(projects[0]).acquire() as one, shared.of(projects[1]).acquire() as two:
        pids = [await one.fetchval(pid), await two.fetchval(pid)]
    assert pids[0] != pids[1]
    for _ in range(3):
        assert [await shared.of(project).fetchval(pid) for project in projects[:2]] == pids
    # Another one takes the place of who was not asked for the longest.
    assert await shared.of(projects[2]).fetchval(pid) == pids[0]
    assert await shared.of(projects[1]).fetchval(pid) == pids[1]
    assert await shared.of(projects[0]).fetch(FOREIGN) == [(projects[0],)]


async def test_a_transaction_that_is_rolled_back_takes_nothing_along(
    shared: Pool, projects: list[UUID]
) -> None:
    for project in projects:
        async with shared.of(project).acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            assert await connection.fetch(FOREIGN) == [(project,)]
            await transaction.rollback()
        assert await shared.of(project).fetch(FOREIGN) == [(project,)]


@pytest.mark.parametrize("done", [True, False])
async def test_a_project_that_could_not_be_set_is_set_by_the_next(
    shared: Pool, projects: list[UUID], monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    """Whether the server has done it is not known: the next one must not take the connection for either's."""
    real = _Connection.execute

    async def without_answer(self: object, query: str, *args: object, **more: object) -> None:
        if done:
            await real(self, query, *args, **more)
        raise TimeoutError

    await shared.of(projects[0]).fetch(FOREIGN)
    for project in projects[:2]:
        with monkeypatch.context() as patched:
            patched.setattr(_Connection, "execute", without_answer)
            with pytest.raises(TimeoutError):
                await shared.of(projects[1]).fetch(FOREIGN)
        assert await shared.of(project).fetch(FOREIGN) == [(project,)]
        await shared.of(projects[0]).fetch(FOREIGN)
    assert shared.used == 0


async def test_an_older_database_is_worked_on_as_before_and_asked_again_each_time(database_url: str) -> None:
    """Nothing of it serves: `/readyz` says that a migration lacks, and what comes after that takes the role on."""
    opened = await open_pool(database_url.rpartition("/")[0] + "/postgres", size=1, role=SERVICE)
    try:
        first = await opened.fetchrow("SELECT pg_backend_pid() AS pid, current_user = session_user AS same")
        assert first["same"]
        assert await opened.fetchval("SELECT pg_backend_pid()") != first["pid"]
    finally:
        await opened.close()


async def test_no_row_of_another_project_under_cancels_time_outs_and_lost_connections(
    pool: asyncpg.Pool, shared: Pool, projects: list[UUID]
) -> None:
    dice = random.Random(7)
    seen: dict[UUID, int] = dict.fromkeys(projects, 0)
    disturbed: dict[str, int] = {}

    async def ask(project: UUID) -> None:
        own = shared.of(project)
        way = dice.randrange(5)
        if way == 0:
            rows = await own.fetch(FOREIGN)
        elif way == 1:
            async with own.acquire() as connection, connection.transaction():
                rows = await connection.fetch(FOREIGN)
                if dice.random() < 0.3:
                    await connection.execute("SELECT 1/0")
        elif way == 2:
            async with own.acquire(timeout=2) as connection:
                await connection.execute("SELECT pg_sleep(0.02)", timeout=dice.choice((0.001, 0.01, 1)))
                rows = await connection.fetch(FOREIGN)
        elif way == 3:
            async with own.acquire() as connection:
                await connection.execute("BEGIN")  # and leaves it so
                rows = await connection.fetch(FOREIGN)
        else:
            async with own.acquire() as connection, connection.transaction():
                rows = [row async for row in connection.cursor(FOREIGN)]
        assert rows == [(project,)], "a row of another project, or none"
        seen[project] += 1

    async def visitor() -> None:
        for _ in range(30):
            asking = asyncio.ensure_future(ask(dice.choice(projects)))
            if dice.random() < 0.25:
                await asyncio.sleep(dice.random() * 0.01)
                asking.cancel()
            try:
                await asking
            except asyncio.CancelledError:
                disturbed["cancelled"] = disturbed.get("cancelled", 0) + 1
            except UNANSWERED as error:
                disturbed[type(error).__name__] = disturbed.get(type(error).__name__, 0) + 1

    async def cut() -> None:
        while True:
            await asyncio.sleep(0.03)
            open_ones = [h._con for h in shared._holders if h._con is not None and not h._con.is_closed()]
            if open_ones:
                pid = dice.choice(open_ones).get_server_pid()
                disturbed["cut"] = disturbed.get("cut", 0) + await pool.fetchval(
                    "SELECT pg_terminate_backend($1)::int", pid
                )

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda *_: None
    )  # asyncpg says of each BEGIN that was left open what this is about
    cutting = asyncio.ensure_future(cut())
    try:
        await asyncio.gather(*(visitor() for _ in range(12)))
    finally:
        cutting.cancel()
        with suppress(asyncio.CancelledError):
            await cutting
        loop.set_exception_handler(None)
    assert all(seen.values()), seen
    assert disturbed.get("cancelled", 0) > 0
    assert disturbed.get("TimeoutError", 0) > 0, disturbed
    assert disturbed.get("DivisionByZeroError", 0) > 0
    assert disturbed.get("cut", 0) > 0
    assert shared.used == 0
