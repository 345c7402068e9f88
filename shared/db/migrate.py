"""Bring a database to the schema of this code: `python -m shared.db.migrate`."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

LOCK = 0x77656972
"""Key of the advisory lock that keeps two migrations from running at once."""


LOCK_SECONDS = 0.2
"""How often whoever waits for it looks."""


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


async def migrate(url: str, target: str = "head") -> None:
    """Run migrations up (or down) to `target`; at `head`, make the partitions around today and follow a new server.

    Raises NewerDatabaseError when the database knows a later revision than this code.
    """
    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            await _lock(connection)
            await connection.run_sync(_upgrade, target)
            await connection.commit()
            if target == "head":
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


def main() -> int:
    """Migrate `WEIR_DATABASE_URL`; the exit code is 0, or 1 with the reason on stderr."""
    try:
        asyncio.run(migrate(os.environ["WEIR_DATABASE_URL"]))
    except NewerDatabaseError as error:
        print(f"migrate: {error}", file=sys.stderr)  # noqa: T201 a command's own output
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
