"""Whether a database has every migration of this code, asked without what it takes to migrate one."""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Pool

VERSIONS = Path(__file__).parent / "migrations" / "versions"


class OlderDatabaseError(Exception):
    """The database lacks migrations of this code; the message names both revisions."""


CONTRACT = re.compile(r'^phase(: \w+)? = "contract"$', re.MULTILINE)
"""What a migration says of itself that takes away what the version before needs: no code that brings it needs it."""


@cache
def needed_revision() -> str:
    """The last migration that this code cannot do without. The files begin with their revision."""
    newest_first = sorted(VERSIONS.glob("[0-9]*_*.py"), reverse=True)
    needed = next(path for path in newest_first if CONTRACT.search(path.read_text(encoding="utf-8")) is None)
    return needed.name.partition("_")[0]


async def check_revision(pool: "Pool", timeout: float) -> None:
    """Raise OlderDatabaseError unless the database is at the revision that this code needs, or at a later one.

    A later one is well: migrations are made so that the version before them runs on, and those that are not wait
    until it serves no more.
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
