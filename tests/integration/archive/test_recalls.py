"""Archived events come back as the rows that they were, and nobody delivers them by itself."""

from uuid import UUID

from shared.archive import catalog
from shared.core.cloudevents import DataKind
from tests.integration.archive.conftest import Keeping, a_day, recall
from tests.support import stream


async def state(keeping: Keeping, recall_id: UUID) -> tuple[str, int]:
    row = await keeping.pool.fetchrow("SELECT state, events FROM recalls WHERE id = $1", recall_id)
    return row["state"], row["events"]


async def test_they_come_back_as_they_were_and_go_again(keeping: Keeping) -> None:
    day = a_day()
    events = [
        stream.an_event(1, data=b'{\n "a": 1.00\n}', extensions={"partitionkey": "k", "number": 7}),
        stream.an_event(2, data=b"\x00\xff", data_kind=DataKind.BINARY, subject="s"),
        stream.an_event(3),
    ]
    uids = await keeping.store(events, day, facets=[{"order": "A-1"}, None, None], schema_fault="/a: no")
    before = [await keeping.row(uid) for uid in uids]
    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == set()

    asked = await recall(keeping, day)
    await keeping.tick()
    assert await state(keeping, asked) == ("done", 3)
    assert [await keeping.row(uid) for uid in uids] == before
    # Before every cursor: who follows the stream does not meet them again.
    places = await keeping.pool.fetch("SELECT xid::text, shard FROM events WHERE uid = ANY($1)", uids)
    assert {row[0] for row in places} == {"0"}
    assert all(0 <= row[1] < 16 for row in places)
    await keeping.pool.execute("UPDATE events SET shard = 100 WHERE uid = ANY($1)", uids)

    await keeping.tick()
    assert await keeping.rows() == set(uids)
    await keeping.pool.execute("UPDATE recalls SET keep_until = now() WHERE id = $1", asked)
    await keeping.tick()
    assert await keeping.rows() == set()
    assert not await keeping.has_partition(day)


async def test_only_those_that_were_asked_for_come(keeping: Keeping) -> None:
    day = a_day()
    uids = await keeping.store([stream.an_event(n, subject=f"s-{n % 2}") for n in range(10)], day)
    await keeping.keep(7)
    await keeping.tick()
    asked = await recall(keeping, day, subject="s-1")
    one = await recall(keeping, day, event_uid=uids[4])
    await keeping.tick()
    assert await state(keeping, asked) == ("done", 5)
    assert await state(keeping, one) == ("done", 1)
    assert await keeping.rows() == {*uids[1::2], uids[4]}


async def test_an_archive_that_is_not_whole_says_so(keeping: Keeping) -> None:
    day = a_day()
    await keeping.store([stream.an_event()], day)
    await keeping.keep(7)
    await keeping.tick()
    (part,) = await catalog.parts_of_day(keeping.pool, keeping.project.id, day)
    path = keeping.folder / part.key
    path.write_bytes(path.read_bytes()[:-9] + b"\0" * 9)
    asked = await recall(keeping, day)
    await keeping.tick()
    row = await keeping.pool.fetchrow("SELECT state, error FROM recalls WHERE id = $1", asked)
    assert row["state"] == "failed"
    assert part.key in row["error"]
