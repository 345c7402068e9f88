"""The SQL of API keys. Every statement carries the project."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

    from functions.projects.keys.draft import Draft

_KEY = """
    SELECT k.id, k.name, k.scopes, k.sources, k.types, o.name AS producer, k.created_at, k.created_by,
           coalesce(u.name, c.name) AS creator_name, k.expires_at, k.last_used_at, k.last_used_from, k.revoked_at,
           CASE WHEN k.previous_expires_at > now() THEN k.previous_expires_at END AS previous_expires_at,
           CASE WHEN k.previous_expires_at > now() THEN k.previous_used_at END AS previous_used_at
    FROM api_keys k
         LEFT JOIN producers o ON o.id = k.producer_id
         LEFT JOIN users u ON u.id = CASE WHEN k.created_by LIKE 'user:%' THEN substr(k.created_by, 6)::uuid END
         LEFT JOIN api_keys c ON c.project_id = k.project_id
              AND c.id = CASE WHEN k.created_by LIKE 'key:%' THEN substr(k.created_by, 5) END
"""


async def keys_of(
    on: "Connection | Pool",
    project_id: UUID,
    *,
    is_revoked: bool,
    search: str | None,
    after: str | None,
    limit: int,
) -> "list[Record]":
    """A project's keys, newest first, those that follow the key `after`.

    `search` is in the name or a scope, or begins the id, with `weir_` before it or without.
    """
    rows: list[Record] = await on.fetch(
        f"""
        {_KEY}
        WHERE k.project_id = $1 AND (k.revoked_at IS NOT NULL) = $2
          AND ($3::text IS NULL OR strpos(lower(k.name), lower($3)) > 0
               OR starts_with(k.id, CASE WHEN starts_with($3, 'weir_') THEN substr($3, 6, 12) ELSE $3 END)
               OR EXISTS (SELECT FROM unnest(k.scopes) AS scope WHERE strpos(scope, lower($3)) > 0))
          AND ($4::text IS NULL OR (k.created_at, k.id) < (
              SELECT created_at, id FROM api_keys WHERE project_id = $1 AND id = $4))
        ORDER BY k.created_at DESC, k.id DESC LIMIT $5
        """,
        project_id,
        is_revoked,
        search,
        after,
        limit,
    )
    return rows


async def key(on: "Connection | Pool", project_id: UUID, key_id: str) -> "Record | None":
    """One of the project's keys, revoked or not."""
    return await on.fetchrow(f"{_KEY} WHERE k.project_id = $1 AND k.id = $2", project_id, key_id)


async def lock_live(on: "Connection", project_id: UUID, key_id: str) -> bool:
    """Hold a key's row until the transaction ends; whether the project has it and it is not revoked."""
    found = await on.fetchval(
        "SELECT true FROM api_keys WHERE project_id = $1 AND id = $2 AND revoked_at IS NULL FOR UPDATE",
        project_id,
        key_id,
    )
    return bool(found)


async def producer_named(on: "Connection | Pool", project_id: UUID, name: str) -> UUID | None:
    """The project's producer of that name. Its row stays until the transaction ends."""
    found: UUID | None = await on.fetchval(
        "SELECT id FROM producers WHERE project_id = $1 AND name = $2 FOR SHARE", project_id, name
    )
    return found


async def replace(
    on: "Connection", project_id: UUID, key_id: str, draft: "Draft", producer_id: UUID | None
) -> None:
    """Change what a key is for."""
    await on.execute(
        """
        UPDATE api_keys SET name = $3, scopes = $4, sources = $5, types = $6, expires_at = $7, producer_id = $8
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        key_id,
        draft.name,
        draft.scopes,
        draft.sources,
        draft.types,
        draft.expires_at,
        producer_id,
    )


async def rotate(
    on: "Connection", project_id: UUID, key_id: str, secret_hash: bytes, previous_expires_at: datetime | None
) -> None:
    """Give a key another secret; the one before works until `previous_expires_at`, or no more."""
    await on.execute(
        """
        UPDATE api_keys
        SET previous_hash = CASE WHEN $4::timestamptz IS NOT NULL THEN secret_hash END,
            previous_expires_at = $4, previous_used_at = NULL, secret_hash = $3
        WHERE project_id = $1 AND id = $2
        """,
        project_id,
        key_id,
        secret_hash,
        previous_expires_at,
    )


async def end_previous(on: "Connection", project_id: UUID, key_id: str) -> bool:
    """Whether the secret before a rotation worked until now."""
    status = await on.execute(
        """
        UPDATE api_keys SET previous_hash = NULL, previous_expires_at = NULL, previous_used_at = NULL
        WHERE project_id = $1 AND id = $2 AND previous_expires_at > now()
        """,
        project_id,
        key_id,
    )
    return bool(status == "UPDATE 1")


async def revoke(on: "Connection", project_id: UUID, key_id: str) -> None:
    """End a key."""
    await on.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE project_id = $1 AND id = $2", project_id, key_id
    )
