"""The SQL of notices."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

AT_MOST = 20


async def add_notice(
    on: "Connection", *, notice_id: UUID, user_id: UUID, kind: str, address: str, browser: str
) -> None:
    """Keep a notice."""
    await on.execute(
        "INSERT INTO notices (id, user_id, kind, address, browser) VALUES ($1, $2, $3, $4, $5)",
        notice_id,
        user_id,
        kind,
        address,
        browser,
    )


async def notices_of(on: "Connection | Pool", user_id: UUID) -> "list[Record]":
    """The latest that the user has not put away, newest first."""
    rows: list[Record] = await on.fetch(
        """
        SELECT id, kind, address, browser, created_at FROM notices
        WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
        """,
        user_id,
        AT_MOST,
    )
    return rows


async def remove_notice(on: "Connection | Pool", user_id: UUID, notice_id: UUID) -> bool:
    """Put a notice away."""
    status = await on.execute("DELETE FROM notices WHERE user_id = $1 AND id = $2", user_id, notice_id)
    return bool(status == "DELETE 1")
