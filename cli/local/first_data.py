"""What must be in the database before the first request: the schema, the owner, their project and key."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.auth.bootstrap import ensure_local_owner
from shared.auth.links import create_link

if TYPE_CHECKING:
    from asyncpg import Connection

OWNER = "owner@localhost"
VERSIONS = Path(__file__).resolve().parents[2] / "shared" / "db" / "migrations" / "versions"


@dataclass(frozen=True, slots=True)
class FirstData:
    """`link_token` signs the owner in once."""

    project: str
    api_key: str
    link_token: str


def latest_revision() -> str | None:
    """The revision that no other follows, read from the migrations' text; None when that is not plain.

    Alembic would tell the same after a second of importing, which an ordinary start is spared.
    """
    known: set[str] = set()
    followed: set[str] = set()
    for path in VERSIONS.glob("[0-9]*.py"):
        text = path.read_text()
        known |= set(re.findall(r'^revision(?:: str)? = "([^"]+)"', text, re.MULTILINE))
        followed |= set(re.findall(r'^down_revision[^=\n]*= "([^"]+)"', text, re.MULTILINE))
    last = known - followed
    return last.pop() if len(last) == 1 else None


async def _is_current(connection: "Connection") -> bool:
    latest = latest_revision()
    if latest is None or await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return False
    found = await connection.fetch("SELECT version_num FROM alembic_version")
    return [row["version_num"] for row in found] == [latest]


async def prepare(database_url: str, secret: str, known_key: str | None) -> FirstData:
    """Migrate where that is needed and make sure of the local owner.

    Raises NewerDatabaseError, OSError, TimeoutError, asyncpg.PostgresError.
    """
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        if not await _is_current(connection):
            from shared.db.migrate import migrate

            await migrate(database_url)
        owner = await ensure_local_owner(connection, secret, known_key=known_key)
        return FirstData(owner.project, owner.api_key, await create_link(connection, owner.user_id))
    finally:
        await connection.close()


async def _new_link(database_url: str, *, without_second_factor: bool) -> str | None:
    import asyncpg

    from shared.audit.by import by_operator
    from shared.audit.record import record
    from shared.auth.owner import remove_second_factors

    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        user_id = await connection.fetchval("SELECT id FROM users WHERE email = $1", OWNER)
        if user_id is None:
            return None
        async with connection.transaction():
            if without_second_factor and await remove_second_factors(connection, user_id):
                by = by_operator("weir open")
                await record(
                    connection,
                    by,
                    "second_factor.removed",
                    project_id=None,
                    id=user_id,
                    name=OWNER,
                    before={},
                )
        return await create_link(connection, user_id)
    finally:
        await connection.close()


def new_link(database_url: str, *, without_second_factor: bool = False) -> str | None:
    """A token that signs the local owner in once; None when there is no such user."""
    return asyncio.run(_new_link(database_url, without_second_factor=without_second_factor))
