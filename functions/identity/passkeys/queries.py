"""The SQL of passkeys."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

AT_MOST = 20
"""How many passkeys somebody may have."""


async def passkeys_of(on: "Connection | Pool", user_id: UUID) -> "list[Record]":
    """The user's passkeys, the oldest first."""
    rows: list[Record] = await on.fetch(
        """
        SELECT id, credential_id, name, relying_party, transports, is_synced, created_at, last_used_at
        FROM passkeys WHERE user_id = $1 ORDER BY created_at, id
        """,
        user_id,
    )
    return rows


async def passkey_by_credential(on: "Connection | Pool", credential_id: bytes) -> "Record | None":
    """The passkey that a browser showed."""
    return await on.fetchrow(
        """
        SELECT id, user_id, public_key, sign_count, relying_party FROM passkeys WHERE credential_id = $1
        """,
        credential_id,
    )


async def note_use(
    on: "Connection | Pool", passkey_id: UUID, *, before: int, count: int, synced: bool
) -> bool:
    """Keep the counter that an authenticator showed, unless another answer was quicker with the same one."""
    status = await on.execute(
        """
        UPDATE passkeys SET sign_count = $3, is_synced = $4, last_used_at = now()
        WHERE id = $1 AND sign_count = $2 AND ($3 > $2 OR $3 = 0)
        """,
        passkey_id,
        before,
        count,
        synced,
    )
    return bool(status == "UPDATE 1")


async def lock_user(on: "Connection", user_id: UUID) -> None:
    """Have whoever adds a passkey to that account wait for the end of this transaction."""
    await on.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", user_id)


async def add_passkey(
    on: "Connection",
    *,
    passkey_id: UUID,
    user_id: UUID,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    relying_party: str,
    name: str,
    transports: Sequence[str],
    is_synced: bool,
) -> "Record | None":
    """Keep a passkey; None when there is one with that id."""
    return await on.fetchrow(
        """
        INSERT INTO passkeys (
            id, user_id, credential_id, public_key, sign_count, relying_party, name, transports, is_synced)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (credential_id) DO NOTHING
        RETURNING id, name, relying_party, is_synced, created_at, last_used_at
        """,
        passkey_id,
        user_id,
        credential_id,
        public_key,
        sign_count,
        relying_party,
        name,
        list(transports),
        is_synced,
    )


async def rename_passkey(on: "Connection", user_id: UUID, passkey_id: UUID, name: str) -> str | None:
    """Give a passkey another name; the one before, or None when it is not the user's."""
    before: str | None = await on.fetchval(
        """
        UPDATE passkeys p SET name = $3 FROM passkeys old
        WHERE p.id = $2 AND p.user_id = $1 AND old.id = p.id RETURNING old.name
        """,
        user_id,
        passkey_id,
        name,
    )
    return before


async def remove_passkey(on: "Connection", user_id: UUID, passkey_id: UUID) -> str | None:
    """Forget a passkey; its name, or None when it is not the user's."""
    name: str | None = await on.fetchval(
        "DELETE FROM passkeys WHERE user_id = $1 AND id = $2 RETURNING name", user_id, passkey_id
    )
    return name
