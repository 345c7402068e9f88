"""The schema: migrations lead to the models, both ways, and keep data."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.core.ids import floor, timestamp_ms, uuid7
from shared.db.migrate import NewerDatabaseError, chain, expand, main, migrate, status
from shared.db.models import Model
from shared.db.phases import Migration
from tests.support import stream
from tests.support.waiting import until, waits_for_lock

TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"


@pytest.fixture
async def empty_url(database_url: str) -> AsyncIterator[str]:
    """A database of its own with nothing in it."""
    name = f"migrations_{uuid4().hex}"
    admin = await asyncpg.connect(database_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


def _is_partition(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    return not (kind in {"table", "index"} and name is not None and "_p2" in name)


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"include_object": _is_partition, "compare_type": True}
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Did not recognize type 'xid8'")
        return list(compare_metadata(context, Model.metadata))


async def test_a_migrated_database_is_what_the_models_say(empty_url: str) -> None:
    await migrate(empty_url)
    engine = create_async_engine("postgresql+asyncpg://" + empty_url.split("://", 1)[1])
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(_differences) == []
    finally:
        await engine.dispose()


async def test_an_address_may_say_what_is_asked_of_tls(empty_url: str) -> None:
    address = f"{empty_url}?sslmode=prefer"
    await migrate(address)
    at, head = await status(address)
    assert at == head


async def test_down_leaves_nothing_and_up_again_works(empty_url: str) -> None:
    await migrate(empty_url)
    await migrate(empty_url, "base")
    connection = await asyncpg.connect(empty_url)
    try:
        left = {row["relname"] for row in await connection.fetch(TABLES)}
        assert left <= {"alembic_version"}
    finally:
        await connection.close()
    await migrate(empty_url)


async def test_migrating_again_keeps_the_data(empty_url: str) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        await connection.execute("INSERT INTO projects (id, name) VALUES ($1, 'kept')", uuid4())
        await migrate(empty_url)
        assert await connection.fetchval("SELECT count(*) FROM projects") == 1
    finally:
        await connection.close()


async def test_events_survive_the_way_down_and_up_again(empty_url: str) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        project = uuid4()
        await connection.execute("INSERT INTO projects (id, name) VALUES ($1, 'kept')", project)
        await stream.store(connection, project, [stream.an_event(n) for n in range(3)])
        await connection.execute("UPDATE events SET facets = '{\"a\": 1}', schema_fault = 'no'")
        await migrate(empty_url, "0001")
        assert await connection.fetchval("SELECT count(*) FROM events") == 3
        await migrate(empty_url)
        assert await connection.fetchval("SELECT count(*) FROM events WHERE facets IS NULL") == 3
    finally:
        await connection.close()


async def test_several_at_once_wait_for_each_other(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    connection = await asyncpg.connect(empty_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM shards") == 16
    finally:
        await connection.close()


async def test_a_newer_database_is_refused_and_left_as_it_is(empty_url: str) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(NewerDatabaseError, match="9999"):
            await migrate(empty_url)
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    finally:
        await connection.close()


async def test_status_says_whether_migrations_are_due(empty_url: str) -> None:
    newest = chain()[-1].revision
    assert await status(empty_url) == (None, newest)
    await migrate(empty_url, "0001")
    assert await status(empty_url) == ("0001", newest)
    await migrate(empty_url)
    assert await status(empty_url) == (newest, newest)


async def _names(connection: asyncpg.Connection) -> set[tuple[str, str]]:
    """Each column and table there is, and whether it may be left out: what code of a version relies on."""
    rows = await connection.fetch(
        """
        SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT LIKE '%\\_p2%' AND table_name <> 'alembic_version'
        """
    )
    return {(f"{row['table_name']}.{row['column_name']}", row["data_type"]) for row in rows}


async def test_an_expand_takes_nothing_away_and_asks_for_nothing_new(empty_url: str) -> None:
    """Code of the version before goes on: its columns are there, and what it does not know has a default."""
    first, *others = chain()
    await migrate(empty_url, first.revision)
    connection = await asyncpg.connect(empty_url)
    try:
        for migration in others:
            before = await _names(connection)
            await migrate(empty_url, migration.revision)
            after = await _names(connection)
            if migration.phase == "contract":
                continue
            assert before <= after, migration
            tables = {name.partition(".")[0] for name, _ in before}
            asked = await connection.fetch(
                """
                SELECT table_name || '.' || column_name AS name, table_name FROM information_schema.columns
                WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL
                """
            )
            known = {name for name, _ in before}
            assert not [r["name"] for r in asked if r["table_name"] in tables and r["name"] not in known]
    finally:
        await connection.close()


async def test_an_expand_beside_the_newest_code_goes_to_the_end(empty_url: str) -> None:
    await migrate(empty_url, "0004")
    await expand(empty_url, "0004")
    assert (await status(empty_url))[0] == chain()[-1].revision
    await expand(empty_url, None)


async def test_an_expand_leaves_a_newer_database_alone_until_something_was_taken_from_it(
    empty_url: str,
) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await expand(empty_url, "0006")
        await connection.execute("COMMENT ON TABLE alembic_version IS '9998'")
        with pytest.raises(NewerDatabaseError, match="9999"):
            await expand(empty_url, "0006")
        await connection.execute("COMMENT ON TABLE alembic_version IS '0006'")
        await expand(empty_url, "0006")
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    finally:
        await connection.close()


async def test_the_last_contract_is_noted_in_the_database(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_contracts() -> tuple[Migration, ...]:
        return tuple(Migration(m.revision, "contract" if m.revision == "0005" else "expand") for m in found)

    found = chain()
    monkeypatch.setattr("shared.db.migrate.chain", with_contracts)
    note = "SELECT obj_description('alembic_version'::regclass, 'pg_class')"
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        assert await connection.fetchval(note) == "0005"
        await migrate(empty_url, "0004")
        assert await connection.fetchval(note) is None
    finally:
        await connection.close()


def test_the_command_says_where_the_database_is(
    database_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_DATABASE_URL", database_url)
    newest = chain()[-1].revision
    assert main(["--phase", "expand", "--running", newest]) == 0
    assert json.loads(capsys.readouterr().out) == {"at": newest, "head": newest, "waiting": []}


async def test_ensure_partitions_makes_each_day_once_even_when_raced(empty_url: str) -> None:
    await migrate(empty_url)
    pool = await asyncpg.create_pool(empty_url, min_size=4, max_size=4)
    try:
        first = datetime.now(UTC).date() + timedelta(days=10)
        made = await asyncio.gather(
            *(
                pool.fetchval("SELECT ensure_partitions($1, $2)", first, first + timedelta(days=2))
                for _ in range(4)
            )
        )
        assert sum(made) == 9
    finally:
        await pool.close()


async def test_what_is_only_added_to_is_not_vacuumed_for_it(empty_url: str) -> None:
    options = "SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\\_p2%'"

    async def spared() -> dict[str, bool]:
        rows = await connection.fetch(options)
        return {row["relname"]: row["reloptions"] is not None for row in rows}

    await migrate(empty_url, "0001")
    connection = await asyncpg.connect(empty_url)
    try:
        today = datetime.now(UTC).date()
        await connection.execute("SELECT ensure_partitions($1, $1)", today)
        assert not any((await spared()).values())
        await migrate(empty_url)
        found = await spared()
        assert len(found) == 9
        assert all(spare is not name.startswith("deliveries") for name, spare in found.items())
        await migrate(empty_url, "0001")
        await connection.execute("SELECT ensure_partitions($1, $1)", today + timedelta(days=5))
        assert not any((await spared()).values())
    finally:
        await connection.close()


INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
BUILDING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'
"""


async def _building(connection: asyncpg.Connection) -> int:
    """The process that makes an index, once it waits for those who began before it."""
    async with asyncio.timeout(20):
        while (found := await connection.fetchval(BUILDING)) is None:  # noqa: ASYNC110 Postgres tells nobody
            await asyncio.sleep(0.02)
    return int(found)


async def _with_deliveries(url: str) -> tuple[asyncpg.Connection, asyncpg.Connection]:
    """A database of version 0005 with a delivery in each of three days, and who began before an index is made."""
    await migrate(url, "0005")
    connection = await asyncpg.connect(url)
    for days in (1, 2, 3):
        at = datetime.now(UTC) - timedelta(days=days)
        (uid,) = await stream.store(connection, uuid4(), [stream.an_event()], at=at)
        await stream.deliver(connection, uuid4(), uid, uuid4(), "dead", next_attempt_at=at)
    early = await asyncpg.connect(url)
    await early.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
    return connection, early


async def test_deliveries_go_on_while_their_indexes_are_made(empty_url: str) -> None:
    connection, early = await _with_deliveries(empty_url)
    try:
        migrating = [asyncio.create_task(migrate(empty_url)) for _ in range(3)]
        await _building(connection)
        at = datetime.now(UTC) + timedelta(days=9)
        (uid,) = await stream.store(connection, uuid4(), [stream.an_event()], at=at)
        async with asyncio.timeout(60):
            await stream.deliver(connection, uuid4(), uid, uuid4(), "pending", next_attempt_at=at)
        assert not any(task.done() for task in migrating)
        await early.execute("ROLLBACK")
        async with asyncio.timeout(30):
            await asyncio.gather(*migrating)
        assert await connection.fetch(INVALID) == []
        for target in ("0005", "head"):
            await migrate(empty_url, target)
            assert await connection.fetch(INVALID) == []
            assert await connection.fetchval("SELECT count(*) FROM deliveries") == 4
        assert await connection.fetchval("SELECT to_regclass('ix_deliveries_due')") is None
    finally:
        await early.close()
        await connection.close()


async def test_nobody_waits_long_behind_a_migration_that_waits_for_a_reader(
    empty_url: str,
) -> None:
    """As for a backup, which reads every table in one transaction."""
    await migrate(empty_url, "0006")
    reader, writer = await asyncpg.connect(empty_url), await asyncpg.connect(empty_url)
    try:
        await stream.store(writer, uuid4(), [stream.an_event()])  # its day is there then
        async with reader.transaction():
            await reader.execute("SELECT FROM events")
            migrating = asyncio.ensure_future(migrate(empty_url))
            async with asyncio.timeout(60):
                await until(lambda: waits_for_lock(writer))
                # It would wait for the reader, and that waits for it.
                await stream.store(writer, uuid4(), [stream.an_event()])
            assert not migrating.done()
        await migrating
        assert (await status(empty_url))[0] == chain()[-1].revision
    finally:
        await writer.close()
        await reader.close()


async def test_every_day_has_the_indexes_whenever_it_was_made(empty_url: str) -> None:
    connection, early = await _with_deliveries(empty_url)
    try:
        migrating = asyncio.create_task(migrate(empty_url))
        await _building(connection)
        await connection.execute("SELECT ensure_partitions($1, $1)", datetime.now(UTC).date() + timedelta(9))
        await early.execute("ROLLBACK")
        await migrating
        await connection.execute("SELECT ensure_partitions($1, $1)", datetime.now(UTC).date() + timedelta(10))
        rows = await connection.fetch(
            """
            SELECT x.indrelid::regclass::text AS name, count(*) FILTER (WHERE pg_get_expr(x.indpred, x.indrelid) LIKE
                '%next_attempt_at IS NOT NULL%' AND i.inhparent IS NOT NULL) AS due
            FROM pg_index x LEFT JOIN pg_inherits i ON i.inhrelid = x.indexrelid
            WHERE x.indrelid::regclass::text LIKE 'deliveries\\_p%' GROUP BY 1
            """
        )
        assert len(rows) == len({"yesterday", "today", "tomorrow"} | {2, 3} | {9, 10})
        assert {row["due"] for row in rows} == {len({"alive", "dead letters", "repeats"})}
    finally:
        await early.close()
        await connection.close()


async def test_a_migration_that_broke_off_goes_on_where_it_was(empty_url: str) -> None:
    connection, early = await _with_deliveries(empty_url)
    try:
        migrating = asyncio.create_task(migrate(empty_url))
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", await _building(connection))
        with pytest.raises(SQLAlchemyError):
            await migrating
        assert await connection.fetch(INVALID)
        assert (await status(empty_url))[0] == "0005"
        await early.execute("ROLLBACK")
        await migrate(empty_url)
        assert await connection.fetch(INVALID) == []
    finally:
        await early.close()
        await connection.close()


async def test_uuid_floor_is_what_the_core_computes(empty_url: str) -> None:
    await migrate(empty_url)
    connection = await asyncpg.connect(empty_url)
    try:
        uid = uuid7()
        moment = datetime.fromtimestamp(timestamp_ms(uid) / 1000, UTC)
        assert await connection.fetchval("SELECT uuid_floor($1)", moment) == floor(timestamp_ms(uid))
    finally:
        await connection.close()
