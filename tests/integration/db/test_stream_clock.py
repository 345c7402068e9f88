"""A database that comes from another server goes on where it was, and one that does not is left as it is."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from shared.db.migrate import migrate
from shared.db.pool import open_pool
from tests.support import stream

FAR = 10**12


@pytest.fixture
async def url(database_url: str) -> AsyncIterator[str]:
    name = f"clock_{uuid4().hex}"
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        found = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
        await migrate(found)
        yield found
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


async def clock(connection: asyncpg.Connection) -> tuple[bool, int]:
    """Whether it names this server, and how far it is ahead."""
    row = await connection.fetchrow("SELECT server = this_server() AS ours, ahead FROM stream_clock")
    return row["ours"], row["ahead"]


async def connect(url: str) -> None:
    pool = await open_pool(url, size=1)
    await pool.close()


async def all_readable(connection: asyncpg.Connection) -> None:
    """Wait for it: transactions of the server's other databases hold the horizon back until they have ended."""
    async with asyncio.timeout(30):
        while not await connection.fetchval("SELECT bool_and(xid < stream_horizon()) FROM events"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_at_home_nothing_changes(url: str, connection: asyncpg.Connection) -> None:
    await stream.store(connection, uuid4(), [stream.an_event()])
    await connect(url)
    assert await clock(connection) == (True, 0)
    assert await connection.fetchval("SELECT follow_server()") is None
    assert await connection.fetchval("SELECT stream_xid() = pg_current_xact_id()")


@pytest.mark.parametrize("told_by", ["identity", "cursor"])
async def test_ids_go_on_above_those_that_are_stored(
    url: str, connection: asyncpg.Connection, told_by: str
) -> None:
    await connection.execute(f"UPDATE shards SET cursor_xid = '{FAR}' WHERE shard = 3")
    if told_by == "identity":
        await connection.execute("UPDATE stream_clock SET server = 1")
    await asyncio.gather(*(connect(url) for _ in range(4)))
    ours, ahead = await clock(connection)
    assert ours
    assert 0 < ahead <= FAR
    await stream.store(connection, uuid4(), [stream.an_event(n) for n in range(3)])
    assert await connection.fetchval(f"SELECT bool_and(xid > '{FAR}'::xid8) FROM events")
    await all_readable(connection)
    await connect(url)
    assert await clock(connection) == (True, ahead)


async def test_events_that_no_cursor_has_come_to_count_too(url: str, connection: asyncpg.Connection) -> None:
    await stream.store(connection, uuid4(), [stream.an_event()])
    await connection.execute(f"UPDATE events SET xid = '{FAR}', shard = 5")
    assert not await connection.fetchval("SELECT server_moved()")
    await migrate(url)  # which looks at everything
    await all_readable(connection)


async def test_a_server_that_counts_from_more_needs_nothing(url: str, connection: asyncpg.Connection) -> None:
    await stream.store(connection, uuid4(), [stream.an_event()])
    await connection.execute("UPDATE stream_clock SET server = 1")
    await connect(url)
    assert await clock(connection) == (True, 0)


async def test_a_second_move_counts_from_the_first(url: str, connection: asyncpg.Connection) -> None:
    for times in (1, 2):
        await connection.execute(f"UPDATE shards SET cursor_xid = '{times * FAR}'")
        await connection.execute("UPDATE stream_clock SET server = 1")
        await connect(url)
        assert await connection.fetchval(f"SELECT stream_xid() > '{times * FAR}'::xid8")


async def test_a_role_that_may_not_ask_for_the_identity_is_told_by_the_cursors(
    url: str, connection: asyncpg.Connection
) -> None:
    await connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    role = f"weak_{uuid4().hex}"
    await connection.execute(f'CREATE ROLE "{role}"')
    try:
        await connection.execute(
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"; GRANT CREATE ON SCHEMA public TO "{role}";'
            f' ALTER FUNCTION server_moved() OWNER TO "{role}"; SET ROLE "{role}"'
        )
        assert await connection.fetchval("SELECT this_server()") == 0
        assert not await connection.fetchval("SELECT server_moved()")
    finally:
        await connection.execute(
            f'RESET ROLE; REASSIGN OWNED BY "{role}" TO CURRENT_USER; DROP OWNED BY "{role}"; DROP ROLE "{role}"'
        )


async def test_the_version_before_is_refused_after_a_move(url: str, connection: asyncpg.Connection) -> None:
    await connection.execute(f"UPDATE shards SET cursor_xid = '{FAR}'")
    await migrate(url)
    with pytest.raises(DBAPIError, match="restored into another server"):
        await migrate(url, "0006")
    assert (await clock(connection))[1] > 0


async def test_a_database_without_the_schema_can_be_connected_to(url: str) -> None:
    await migrate(url, "base")
    await connect(url)
