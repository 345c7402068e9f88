"""What must be in the database before the first request: the schema, the owner, their project and key."""

import asyncio
from dataclasses import dataclass

from shared.auth.bootstrap import ensure_local_owner
from shared.auth.links import create_link


@dataclass(frozen=True, slots=True)
class FirstData:
    """`link_token` signs the owner in once."""

    project: str
    api_key: str
    link_token: str


async def prepare(database_url: str, secret: str, known_key: str | None) -> FirstData:
    """Migrate and make sure of the local owner.

    Raises NewerDatabaseError, OSError, TimeoutError, asyncpg.PostgresError.
    """
    import asyncpg

    from shared.db.migrate import migrate

    await migrate(database_url)
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        owner = await ensure_local_owner(connection, secret, known_key=known_key)
        return FirstData(owner.project, owner.api_key, await create_link(connection, owner.user_id))
    finally:
        await connection.close()


async def _new_link(database_url: str) -> str | None:
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=5)
    try:
        user_id = await connection.fetchval("SELECT id FROM users WHERE email = 'owner@localhost'")
        return None if user_id is None else await create_link(connection, user_id)
    finally:
        await connection.close()


def new_link(database_url: str) -> str | None:
    """A token that signs the local owner in once; None when there is no such user."""
    return asyncio.run(_new_link(database_url))
