"""Requests that arrive together share a commit; each gets its own answer."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from functions.ingest.settings import IngestSettings
from shared.core.cloudevents import Event
from shared.core.ids import timestamp_ms
from shared.core.problems import Problem
from shared.intake.committer import Committer
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import Door
from tests.support.projects import Project


def event(identity: str | None = None, **fields: object) -> Event:
    return Event("1.0", identity or uuid4().hex, "/tests", "t", **fields)


@pytest.fixture
def committer(resources: Resources) -> Committer:
    return Committer(resources, IngestSettings())


async def test_concurrent_requests_share_commits(door: Door, pool: asyncpg.Pool) -> None:
    answers = await asyncio.gather(*(door.binary(str(n)) for n in range(300)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["uid"] for a in answers}) == 300
    commits = await pool.fetchval(
        "SELECT count(DISTINCT xid::text) FROM events WHERE project_id = $1", door.project.id
    )
    assert commits < 100


async def test_no_request_is_forgotten_when_it_comes_as_a_lane_ends(
    committer: Committer, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.intake.committer.LANES", 1)
    async with asyncio.timeout(60):
        for turns in range(60):  # of the loop, until the next request comes: one of them meets the end
            await committer.store(project.id, "test", [event()])
            for _ in range(turns):
                await asyncio.sleep(0)
            await committer.store(project.id, "test", [event()])


@pytest.mark.spec("C20", "K1.9")
async def test_racing_copies_give_one_event(
    settings: Settings, resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    other = Resources(settings)
    committers = [Committer(r, IngestSettings()) for r in (resources, resources, other, other)]
    try:
        for _ in range(20):
            events = [event() for _ in range(5)]
            orders = [events, events[::-1], events[2:] + events[:2], events]
            found = await asyncio.gather(
                *(c.store(project.id, "test", o) for c, o in zip(committers, orders, strict=True))
            )
            uids: dict[str, set[UUID]] = {}
            firsts = 0
            for order, stored in zip(orders, found, strict=True):
                for one, answer in zip(order, stored, strict=True):
                    uids.setdefault(one.id, set()).add(answer.uid)
                    firsts += not answer.duplicate
            assert all(len(found) == 1 for found in uids.values())
            assert firsts == 5
    finally:
        await other.close()
    assert await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id) == 100


async def test_a_copy_of_yesterdays_event_is_recognised(
    committer: Committer, project: Project, pool: asyncpg.Pool
) -> None:
    yesterday = UUID(int=(await _uid(committer, project)).int - (86_400_000 << 80))
    one = event()
    (stored,) = await committer.store(project.id, "test", [one])
    await pool.execute("UPDATE events SET uid = $2 WHERE uid = $1", stored.uid, yesterday)
    (again,) = await committer.store(project.id, "test", [one])
    assert (again.uid, again.duplicate) == (yesterday, True)


async def test_two_projects_may_have_the_same_event(
    committer: Committer, project: Project, pool: asyncpg.Pool
) -> None:
    one = event()
    (first,) = await committer.store(project.id, "test", [one])
    (second,) = await committer.store(uuid4(), "test", [one])
    assert first.uid != second.uid
    assert not second.duplicate


async def test_missing_partitions_are_made(
    committer: Committer, project: Project, pool: asyncpg.Pool
) -> None:
    day = await pool.fetchval("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')")
    async with pool.acquire() as connection, connection.transaction():
        for table in ("events", "deliveries", "attempts"):
            await connection.execute(f"DROP TABLE {table}_p{day}")
    (stored,) = await committer.store(project.id, "test", [event()])
    assert await pool.fetchval("SELECT count(*) FROM events WHERE uid = $1", stored.uid) == 1


async def test_a_value_that_cannot_be_stored_harms_only_its_own_request(
    committer: Committer, project: Project
) -> None:
    good, bad = event(), event(subject="a\x00b")
    waiting = [committer.store(project.id, "test", [e]) for e in (good, bad, event())]
    first, second, third = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(first, list)
    assert isinstance(third, list)
    assert isinstance(second, Problem)
    assert second.kind.status == 500


async def test_too_much_waiting_is_503_at_once(resources: Resources, project: Project) -> None:
    committer = Committer(resources, IngestSettings(queue_max_events=10))
    waiting = [
        asyncio.ensure_future(committer.store(project.id, "test", [event() for _ in range(8)]))
        for _ in range(4)
    ]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [a for a in answers if isinstance(a, Problem)]
    assert refused
    assert {p.kind.status for p in refused} == {503}
    assert all(p.headers["Retry-After"] == "1" for p in refused)
    assert isinstance(answers[0], list)


async def test_attributes_count_as_what_waits(resources: Resources, project: Project) -> None:
    committer = Committer(resources, IngestSettings(queue_max_bytes=1024 * 1024))
    heavy = {"extensions": {"own": "x" * 600_000}}
    waiting = [asyncio.ensure_future(committer.store(project.id, "test", [event(**heavy)])) for _ in range(6)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [a.kind.status for a in answers if isinstance(a, Problem)]
    assert isinstance(answers[0], list)


async def test_a_large_request_is_taken_when_nothing_waits(resources: Resources, project: Project) -> None:
    committer = Committer(resources, IngestSettings(queue_max_events=10))
    assert len(await committer.store(project.id, "test", [event() for _ in range(50)])) == 50


async def test_without_a_database_it_is_503_and_then_goes_on(
    settings: Settings, project: Project, resources: Resources
) -> None:
    away = Resources(
        settings.model_copy(
            update={"database_url": type(settings.database_url)("postgresql://x@127.0.0.1:1/x")}
        )
    )
    committer = Committer(away, IngestSettings())
    with pytest.raises(Problem) as caught:
        await committer.store(project.id, "test", [event()])
    assert caught.value.kind.status == 503
    assert "Retry-After" in caught.value.headers
    away.stream = resources.stream  # type: ignore[method-assign]  # it is back
    assert await _when_taken(committer, project)
    await away.close()


async def test_an_outage_of_long_ago_refuses_nobody(committer: Committer, project: Project) -> None:
    committer._away_until = asyncio.get_running_loop().time() - 3600
    answers = await asyncio.gather(*(committer.store(project.id, "test", [event()]) for _ in range(20)))
    assert [len(stored) for stored in answers] == [1] * 20


async def test_a_lost_connection_is_503_and_the_next_request_is_taken(
    committer: Committer, project: Project, pool: asyncpg.Pool
) -> None:
    async with pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        waiting = asyncio.ensure_future(committer.store(project.id, "test", [event()]))
        find = (
            "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while (pid := await pool.fetchval(find)) is None:  # noqa: ASYNC110 Postgres tells nobody
            await asyncio.sleep(0.01)
        await pool.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(Problem) as caught:
            await waiting
        assert caught.value.kind.status == 503
    assert len(await committer.store(project.id, "test", [event()])) == 1


async def test_a_full_disk_is_507(committer: Committer, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.intake.committer import refusal

    problem = refusal(asyncpg.DiskFullError("no space left on device"))
    assert isinstance(problem, Problem)
    assert problem.kind.status == 507


async def _when_taken(committer: Committer, project: Project) -> bool:
    """True as soon as an event is taken."""
    async with asyncio.timeout(60):
        while True:
            try:
                return len(await committer.store(project.id, "test", [event()])) == 1
            except Problem:
                await asyncio.sleep(0.01)


async def _uid(committer: Committer, project: Project) -> UUID:
    (stored,) = await committer.store(project.id, "test", [event()])
    assert timestamp_ms(stored.uid) > 0
    return stored.uid
