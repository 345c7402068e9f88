"""Events are sent as they are stored: in the order of their commits, to whom they are for, and once."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.runtime.settings import Settings
from tests.integration.live.conftest import Watched
from tests.support.background import Background
from tests.support.projects import create_key, create_project
from tests.support.stores import with_path
from tests.support.stream import deliver
from tests.support.tailing import watching
from tests.support.waiting import until


async def test_what_is_stored_is_sent_with_its_place(watched: Watched) -> None:
    async with watching(watched.client, watched.tail) as seen:
        assert seen.answer.headers["content-type"].startswith("text/event-stream")
        assert seen.answer.headers["cache-control"] == "no-store"
        live = await seen.next("live")
        uid = await watched.emit("1", {"total": 7}, subject="orders/1")
        first = await seen.next()
    assert live.id is not None
    assert first.uid == uid
    assert first.id is not None
    assert first.id.endswith(uid)
    assert first.data["event"]["data"] == {"total": 7}
    assert first.data["event"]["subject"] == "orders/1"
    listed = (await watched.client.get(f"{watched.base}/events/{uid}")).json()
    for member in ("uid", "receivedAt", "event", "dataSize", "facets", "schemaFault"):
        assert first.data[member] == listed[member], member


async def test_another_project_s_events_are_not_sent(
    watched: Watched, served: Background, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    async with (
        httpx.AsyncClient(base_url=served.url, headers=other.headers, timeout=30) as theirs,
        watching(watched.client, watched.tail) as seen,
        watching(theirs, f"/v1/projects/{other.name}/live/events") as seen_by_them,
    ):
        await seen.next("live")
        await seen_by_them.next("live")
        their_uid = await Watched(theirs, other).emit("1")
        uid = await watched.emit("1")
        assert (await seen.next()).uid == uid
        assert (await seen_by_them.next()).uid == their_uid
        answer = await theirs.get(watched.tail)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "order.paid"},
        {"source": "/bank"},
        {"subject": "orders/2"},
        {"id": "2"},
        {"sql": "type LIKE 'order.p%' AND source = '/bank'"},
        {"cel": "data.amount > 10"},
        {"facet": "amount:12"},
        {"facet": ["amount:12", "express:true"], "type": "order.paid"},
    ],
)
async def test_with_a_filter_only_what_matches_is_sent(watched: Watched, wanted: dict[str, str]) -> None:
    facets = {"facets": {"amount": "/amount", "express": "/express"}}
    declared = await watched.client.put(f"{watched.base}/types/order.paid", json=facets)
    assert declared.is_success, declared.text
    async with watching(watched.client, watched.tail, **wanted) as seen:
        await seen.next("live")
        await watched.emit("1", {"amount": 3, "express": False})
        uid = await watched.emit(
            "2", {"amount": 12, "express": True}, type="order.paid", source="/bank", subject="orders/2"
        )
        assert (await seen.next()).uid == uid


async def test_data_that_is_too_large_is_left_out_on_request(watched: Watched) -> None:
    async with watching(watched.client, watched.tail, dataMaxBytes=100) as seen:
        await seen.next("live")
        await watched.emit("1", {"text": "x" * 200})
        large = await seen.next()
        await watched.emit("2", {"n": 1})
        small = await seen.next()
    assert "data" not in large.data["event"]
    assert large.data["dataLeftOut"]
    assert large.data["dataSize"] > 200
    assert small.data["event"]["data"] == {"n": 1}
    assert not small.data["dataLeftOut"]


async def test_a_payload_of_several_lines_comes_as_it_is(watched: Watched) -> None:
    async with watching(watched.client, watched.tail) as seen:
        await seen.next("live")
        await watched.client.post(
            f"/in/{watched.project.name}",
            content=b'{"a":\r\n 1,\n\n"b": "x"}',
            headers={
                "content-type": "application/json",
                "ce-specversion": "1.0",
                "ce-id": "lines",
                "ce-type": "t",
                "ce-source": "/s",
            },
        )
        assert (await seen.next()).data["event"]["data"] == {"a": 1, "b": "x"}


async def test_a_reconnect_has_no_gap_and_no_duplicate(watched: Watched) -> None:
    """A client that hangs up again and again while several producers send."""
    sent: list[str] = []

    async def produce(producer: int) -> None:
        for number in range(12):
            names = [f"{producer}-{number}-{one}" for one in range(5)]
            sent.extend(await watched.emit_many(*names))

    got: list[str] = []
    ids: list[str] = []
    async with watching(watched.client, watched.tail) as seen:
        place = (await seen.next("live")).id
    producing = asyncio.gather(*(produce(number) for number in range(4)))
    while len(got) < 4 * 12 * 5:
        async with watching(watched.client, watched.tail, after=place) as seen:
            for message in await seen.take(min(17, 4 * 12 * 5 - len(got))):
                got.append(message.uid)
                ids.append(str(message.id))
            place = seen.last_id
    await producing
    assert sorted(got) == sorted(sent)
    assert len(set(ids)) == len(ids)
    # Once more from the beginning of it: the same events in the same order.
    async with watching(watched.client, watched.tail, after=ids[0]) as seen:
        again = [message.uid for message in await seen.until("live") if message.kind == "message"]
    assert again == got[1:]


async def test_what_an_older_transaction_holds_back_is_not_lost(watched: Watched, pool: asyncpg.Pool) -> None:
    async with watching(watched.client, watched.tail) as seen:
        await seen.next("live")
        async with pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT pg_current_xact_id()")
            uids = await watched.emit_many("1", "2")
            await transaction.rollback()
        assert [message.uid for message in await seen.take(2)] == uids


async def test_since_begins_with_what_was_received_then(watched: Watched) -> None:
    await watched.emit("before")
    moment = (await watched.client.get(f"{watched.base}/events")).json()["items"][0]["receivedAt"]
    uids = await watched.emit_many("1", "2", "3")
    async with watching(watched.client, watched.tail, since=moment) as seen:
        found = [message.uid for message in await seen.until("live") if message.kind == "message"]
        uids.append(await watched.emit("4"))
        found.append((await seen.next()).uid)
    assert found[1:] == uids


async def test_what_goes_over_the_limit_is_counted_where_it_is_missing(watched: Watched) -> None:
    async with watching(watched.client, watched.tail, ratePerSecond=2) as seen:
        await seen.next("live")
        uids = await watched.emit_many(*map(str, range(7)))
        shown = await seen.take(2)
        dropped = await seen.next("dropped")
        last = await watched.emit("after")
        assert (await seen.next()).uid == last
    assert [message.uid for message in shown] == sorted(uids)[:2]
    assert dropped.data["count"] == 5
    assert dropped.data["reason"] == "rate"
    assert dropped.data["limit"] == 2
    # The place is after what was dropped: that was told, and is not sent again.
    async with watching(watched.client, watched.tail, after=dropped.id) as seen:
        assert [message.uid for message in await seen.until("live") if message.kind == "message"] == [last]


async def test_a_beat_moves_the_place_on_when_nothing_matches(watched: Watched) -> None:
    async with watching(watched.client, watched.tail, sql="type = 'never'") as seen:
        await seen.next("live")
        uid = await watched.emit("1")
        await seen.reach(uid)
    async with watching(watched.client, watched.tail, after=seen.last_id) as seen:
        assert [message.kind for message in await seen.until("live")] == ["live"]


async def test_a_key_that_is_revoked_reads_no_more(
    watched: Watched, served: Background, pool: asyncpg.Pool, settings: Settings
) -> None:
    key = await create_key(pool, settings, watched.project.id, scopes=["events:read"])
    async with (
        httpx.AsyncClient(base_url=served.url, headers={"authorization": f"Bearer {key}"}) as other,
        watching(other, watched.tail) as seen,
    ):
        await seen.next("live")
        await pool.execute("DELETE FROM api_keys WHERE id = $1", key.split("_")[1])
        ended = await seen.next("end")
    assert ended.data["reason"] == "refused"
    assert ended.data["status"] == 401


async def test_how_deliveries_stand_is_asked_of_those_that_were_seen(
    watched: Watched, pool: asyncpg.Pool
) -> None:
    first, second = await watched.emit("1"), await watched.emit("2")
    for status in ("delivered", "delivered", "retrying", "dead", "pending"):
        await deliver(pool, watched.project.id, UUID(first), uuid4(), status)
    answer = await watched.client.get(f"{watched.base}/live/outcomes", params={"event": [first, second]})
    assert answer.json() == {
        "items": [
            {"uid": first, "delivered": 2, "retrying": 1, "dead": 1, "pending": 1, "cancelled": 0},
        ]
    }


async def test_a_database_that_is_away_is_told_and_nothing_is_missed(
    watched: Watched, database_url: str
) -> None:
    admin = await asyncpg.connect(with_path(database_url, "postgres"))
    name = database_url.rpartition("/")[2].partition("?")[0]
    try:
        async with watching(watched.client, watched.tail) as seen:
            await seen.next("live")
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            told = await seen.next("waiting")
            assert "database" in told.data["detail"]
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await seen.next("live")
            uid = await until(partial(_taken, watched), 30)
            assert (await seen.next()).uid == uid
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()


async def _taken(watched: Watched) -> str | None:
    """The uid of an event, once ingest has its database back."""
    try:
        return await watched.emit("after")
    except AssertionError:
        return None


async def test_many_readers_are_one_reading(watched: Watched, pool: asyncpg.Pool) -> None:
    """Each gets what it wants, and all are gone when they have gone."""
    async with AsyncExitStack() as open_streams:
        seen = [
            await open_streams.enter_async_context(
                watching(watched.client, watched.tail, sql=f"subject = 'orders/{number % 3}'")
            )
            for number in range(12)
        ]
        for one in seen:
            await one.next("live")
        reading = await pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE '%past_end%' AND pid <> pg_backend_pid()"
        )
        assert reading <= 2
        uids = [await watched.emit(str(number), subject=f"orders/{number}") for number in range(3)]
        for number, one in enumerate(seen):
            assert (await one.next()).uid == uids[number % 3]
