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
def needed_revision() -> str:
    """The last migration that this code cannot do without: what only takes away (`contract`) may come later.

    Files of migrations begin with their revision, and say their phase in a line of its own.
    """
    files = sorted(VERSIONS.glob("[0-9]*_*.py"), reverse=True)
    return next(p.name.partition("_")[0] for p in files if '\nphase = "expand"\n' in p.read_text())


async def check_revision(pool: "Pool", timeout: float) -> None:
    """Raise OlderDatabaseError unless the database is at the revision that this code needs, or at a later one.

    A later one is well: migrations are made so that the version before them runs on (expand, then contract).
    `timeout` is in seconds. Raises OSError, TimeoutError or asyncpg.PostgresError when the database does not answer.
    """
    from asyncpg import UndefinedTableError

    try:
        found = await pool.fetchval("SELECT max(version_num) FROM alembic_version", timeout=timeout)
    except UndefinedTableError:
        found = None
    if found is None or found < needed_revision():
        raise OlderDatabaseError(
            f"the database {'is empty' if found is None else f'is at revision {found}'} and this version of Weir"
            f" needs {needed_revision()}: run the migration (`python -m shared.db.migrate`)"
        )
