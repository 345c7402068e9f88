"""Bring a database to the schema of this code: `python -m shared.db.migrate`.

`--roles` makes the roles alone, before a dump is restored. `--phase expand` runs what is safe beside the code that serves, `--phase contract` the rest as well. The last line on
stdout says where the database is then, as JSON: `{"at": "0006", "head": "0006", "waiting": []}`.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.phases import BlockedError, Migration, course
from shared.db.security import MissingRoleError, make_roles, secure

Argument = TypeVar("Argument")

LOCK = 0x77656972
"""Key of the advisory lock that keeps two migrations from running at once."""


CONTRACTED = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")

LOCK_SECONDS = 0.2
"""How often whoever waits for it looks."""

TABLE_LOCK_SECONDS = 2
"""How long a migration waits for a table that somebody reads: everybody who wants to write waits behind it."""

LET_PASS_SECONDS = 3.0
"""How long those are let pass before it tries again."""

TRIES = 60


LOCK_NOT_AVAILABLE = "55P03"

logger = logging.getLogger("weir.migrate")


class NewerDatabaseError(Exception):
    """The database has a revision that this code does not know: run the newer code, or restore a backup."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("shared.db") / "migrations"))
    return config


def _engine(url: str) -> AsyncEngine:
    """An engine whose connections are asyncpg's own: that reads `sslmode` and its like, which SQLAlchemy does not know."""
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
    )


def chain() -> tuple[Migration, ...]:
    """Every migration of this code, the first one first."""
    script = ScriptDirectory.from_config(_config())
    return tuple(Migration(r.revision, r.module.phase) for r in reversed([*script.walk_revisions()]))


def _expand(connection: Connection, running: str | None) -> None:
    current = MigrationContext.configure(connection).get_current_revision()
    migrations = chain()
    known = {m.revision for m in migrations}
    if current is None or current in known:
        target = course(migrations, current, running).target
    elif (contracted := connection.scalar(CONTRACTED)) is None or contracted in known:
        target = None  # a newer version has added to it: what this one needs is there
    else:
        target = "head"  # is refused, with the reason
    if target is None:
        connection.rollback()
    else:
        _upgrade(connection, target)


def _note_contract(connection: Connection) -> None:
    """Leave in the database which contract was the last, for code that does not know it and cannot run any more."""
    current = MigrationContext.configure(connection).get_current_revision()
    migrations = chain()
    revisions = [m.revision for m in migrations]
    if current not in revisions:
        return
    done = migrations[: revisions.index(current) + 1]
    last = next((m.revision for m in reversed(done) if m.phase == "contract"), None)
    if connection.scalar(CONTRACTED) != last:
        literal = "NULL" if last is None else f"'{last}'"
        connection.execute(text(f"COMMENT ON TABLE alembic_version IS {literal}"))


def _secure(connection: Connection, _: None) -> None:
    if connection.scalar(text("SELECT to_regclass('own_events') IS NOT NULL")):
        secure(connection)


def _upgrade(connection: Connection, target: str) -> None:
    config = _config()
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise NewerDatabaseError(
            f"the database is at revision {current}, which this version of Weir does not know;"
            " run the version that migrated it, or restore a backup from before"
        )
    connection.rollback()  # of having looked: Alembic is to begin and end each migration's transaction by itself
    config.attributes["connection"] = connection
    if target == "base" or (target in known and current is not None and _is_older(script, target, current)):
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


def _is_older(script: ScriptDirectory, target: str, current: str) -> bool:
    return target in {r.revision for r in script.iterate_revisions(current, "base")} - {current}


async def _lock(connection: AsyncConnection) -> None:
    """Wait for `LOCK` between statements: while one runs, it holds up every index that is made CONCURRENTLY."""
    while not await connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
        await connection.commit()
        await asyncio.sleep(LOCK_SECONDS)
    await connection.commit()


async def _run(
    connection: AsyncConnection, run: Callable[[Connection, Argument], None], argument: Argument
) -> None:
    """Migrate, again and again where a table is in use for longer: each migration that is done stays done."""
    for tried in range(1, TRIES + 1):
        try:
            await connection.run_sync(run, argument)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or tried == TRIES:
                raise
            logger.warning("a table is in use, by a backup or a long search: the migration tries again")
            await connection.rollback()
            await asyncio.sleep(LET_PASS_SECONDS)
        else:
            return


async def migrate(url: str, target: str = "head") -> None:
    """Run migrations up (or down) to `target`; at `head`, make the partitions around today and follow a new server.

    Raises NewerDatabaseError when the database knows a later revision than this code.
    """
    await _locked(url, _upgrade, target, partitions=target == "head")


async def expand(url: str, running: str | None) -> None:
    """Run the migrations that are safe beside code whose own last one is `running` (None: it is not known).

    In a database that a newer version has only added to there is nothing to do. Raises NewerDatabaseError when it
    has taken something away, and BlockedError when what this code needs comes after a
    migration that must wait.
    """
    await _locked(url, _expand, running, partitions=True)


async def _locked(
    url: str, run: Callable[[Connection, Argument], None], argument: Argument, *, partitions: bool
) -> None:
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            await _lock(connection)
            await connection.execute(text(f"SET lock_timeout = '{TABLE_LOCK_SECONDS}s'"))
            await connection.commit()
            await _run(connection, run, argument)
            await connection.commit()
            await connection.run_sync(_note_contract)
            await connection.commit()
            if partitions:
                await _run(connection, _secure, None)
                today = datetime.now(UTC).date()
                await connection.execute(
                    text("SELECT ensure_partitions(:first, :last)"),
                    {"first": today - timedelta(days=1), "last": today + timedelta(days=1)},
                )
                await connection.execute(text("SELECT follow_server()"))
                await connection.commit()
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
            await connection.commit()
    finally:
        await engine.dispose()


async def prepare(url: str) -> None:
    """Make the roles alone, on a server that a dump is to be restored into. Raises MissingRoleError."""
    engine = _engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(make_roles)
    finally:
        await engine.dispose()


async def status(url: str) -> tuple[str | None, str | None]:
    """The revision a database is at (None: empty) and the one this code wants."""
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(
                lambda c: MigrationContext.configure(c).get_current_revision()
            )
    finally:
        await engine.dispose()
    return current, ScriptDirectory.from_config(_config()).get_current_head()


async def _report(url: str) -> dict[str, object]:
    at, head = await status(url)
    revisions = [m.revision for m in chain()]
    waiting = revisions[revisions.index(at) + 1 :] if at in revisions else []
    return {"at": at, "head": head, "waiting": waiting}


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate `WEIR_DATABASE_URL`; the exit code is 0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.db.migrate",
        description="Bring the database that WEIR_DATABASE_URL names to the schema of this code.",
        epilog="Example: python -m shared.db.migrate --phase expand --running 0006",
    )
    parser.add_argument(
        "--phase",
        choices=("expand", "contract"),
        default="contract",
        help="expand: stop before what the version that serves still needs; contract: run everything (default)",
    )
    parser.add_argument(
        "--running",
        help="with expand: the last migration that the version which serves brought; unknown without",
    )
    parser.add_argument(
        "--roles",
        action="store_true",
        help="make nothing but the roles, which a dump needs that is to be restored into a new server",
    )
    chosen = parser.parse_args(arguments)
    url = os.environ["WEIR_DATABASE_URL"]
    try:
        if chosen.roles:
            asyncio.run(prepare(url))
            return 0
        asyncio.run(expand(url, chosen.running) if chosen.phase == "expand" else migrate(url))
    except (NewerDatabaseError, BlockedError, MissingRoleError) as error:
        print(f"migrate: {error}", file=sys.stderr)  # noqa: T201 a command's own output
        return 1
    print(json.dumps(asyncio.run(_report(url))))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
