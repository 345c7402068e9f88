"""Whether a database has every migration of this code, asked without what it takes to migrate one."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Pool

VERSIONS = Path(__file__).parent / "migrations" / "versions"


class OlderDatabaseError(Exception):
    """The database lacks migrations of this code; the message names both revisions."""


@cache
def newest_revision() -> str:
    """The last migration that this code brings: the files begin with their revision."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


async def check_revision(pool: "Pool", timeout: float) -> None:
    """Raise OlderDatabaseError unless the database is at this code's newest revision, or at a later one.

    A later one is well: migrations are made so that the version before them runs on (expand, then contract).
    `timeout` is in seconds. Raises OSError, TimeoutError or asyncpg.PostgresError when the database does not answer.
    """
    from asyncpg import UndefinedTableError

    try:
        found = await pool.fetchval("SELECT max(version_num) FROM alembic_version", timeout=timeout)
    except UndefinedTableError:
        found = None
    if found is None or found < newest_revision():
        raise OlderDatabaseError(
            f"the database {'is empty' if found is None else f'is at revision {found}'} and this version of Weir"
            f" needs {newest_revision()}: run the migration (`python -m shared.db.migrate`)"
        )
