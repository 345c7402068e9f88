"""The SQL of credentials, permissions and signing keys."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

SIGNING_LOCK = 0x57454952_0001
"""Advisory lock: one process at a time makes a signing key."""

OVERLAP_MINUTES = 20
"""How long a retired key still verifies: longer than any token that it signed lives."""


async def key_by_id(on: "Connection | Pool", key_id: str) -> "Record | None":
    """An API key that is not revoked, with its project's name, its producer, and the limit of its rate."""
    return await on.fetchrow(
        """
        SELECT k.project_id, p.name AS project_name, k.secret_hash, k.previous_hash, k.previous_expires_at,
               k.scopes, k.sources, k.types, k.expires_at, k.last_used_at, k.producer_id, o.name AS producer_name,
               o.sources AS producer_sources, o.types AS producer_types,
               coalesce(o.rate_per_second, p.rate_per_second) AS rate_per_second,
               CASE WHEN o.rate_per_second IS NULL THEN p.burst ELSE o.burst END AS burst
        FROM api_keys k JOIN projects p ON p.id = k.project_id LEFT JOIN producers o ON o.id = k.producer_id
        WHERE k.id = $1 AND k.revoked_at IS NULL
        """,
        key_id,
    )


async def touch_key(
    on: "Connection | Pool", key_id: str, *, address: str | None, with_previous: bool
) -> None:
    """Note that a key was used, unless that was noted within the last minute.

    `with_previous` says by its secret before the last rotation; whether that is still used is noted of itself.
    """
    await on.execute(
        """
        UPDATE api_keys SET last_used_at = now(), last_used_from = coalesce($2, last_used_from),
               previous_used_at = CASE WHEN $3 THEN now() ELSE previous_used_at END
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute'
              OR ($3 AND (previous_used_at IS NULL OR previous_used_at < now() - interval '1 minute')))
        """,
        key_id,
        address,
        with_previous,
    )


async def insert_key(
    on: "Connection",
    *,
    key_id: str,
    project_id: UUID,
    name: str,
    secret_hash: bytes,
    scopes: list[str],
    sources: list[str],
    types: list[str],
    expires_at: datetime | None,
    producer_id: UUID | None = None,
    created_by: str | None = None,
) -> "Record":
    """Keep a new API key; its `created_at`. `created_by` is a principal."""
    row = await on.fetchrow(
        """
        INSERT INTO api_keys
            (id, project_id, name, secret_hash, scopes, sources, types, expires_at, producer_id, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING created_at
        """,
        key_id,
        project_id,
        name,
        secret_hash,
        scopes,
        sources,
        types,
        expires_at,
        producer_id,
        created_by,
    )
    assert row is not None
    return row


async def membership(on: "Connection | Pool", user_id: UUID, project_name: str) -> "Record | None":
    """The project of that name, if the user is a member of it, with their role and what an own role allows."""
    return await on.fetchrow(
        """
        SELECT p.id, p.rate_per_second, p.burst, m.role, r.permissions, m.last_seen_at
        FROM members m JOIN projects p ON p.id = m.project_id
             LEFT JOIN roles r ON r.project_id = m.project_id AND r.name = m.own_role
        WHERE m.user_id = $1 AND p.name = $2
        """,
        user_id,
        project_name,
    )


async def lock_project(on: "Connection", project_id: UUID) -> bool:
    """Hold a project's row until the transaction ends; whether it is there."""
    found = await on.fetchval("SELECT true FROM projects WHERE id = $1 FOR NO KEY UPDATE", project_id)
    return bool(found)


async def own_role(on: "Connection", project_id: UUID, name: str) -> list[str] | None:
    """What a project's own role allows. Its row stays until the transaction ends."""
    found: list[str] | None = await on.fetchval(
        "SELECT permissions FROM roles WHERE project_id = $1 AND name = $2 FOR SHARE", project_id, name
    )
    return found


async def touch_member(on: "Connection | Pool", project_id: UUID, user_id: UUID) -> None:
    """Note that a member was there, unless that was noted within the last minute."""
    await on.execute(
        """
        UPDATE members SET last_seen_at = now()
        WHERE project_id = $1 AND user_id = $2
          AND (last_seen_at IS NULL OR last_seen_at < now() - interval '1 minute')
        """,
        project_id,
        user_id,
    )


async def verification_key(on: "Connection | Pool", kid: str) -> "Record | None":
    """A signing key's public half, while tokens that it signed may live."""
    return await on.fetchrow(
        """
        SELECT kid, algorithm, public_jwk FROM signing_keys
        WHERE kid = $1 AND (retired_at IS NULL OR retired_at > now() - make_interval(mins => $2))
        """,
        kid,
        OVERLAP_MINUTES,
    )


async def public_keys(on: "Connection | Pool") -> "list[dict[str, Any]]":
    """Every public key that verifies tokens now, newest first, as a JWK."""
    rows = await on.fetch(
        """
        SELECT public_jwk FROM signing_keys
        WHERE retired_at IS NULL OR retired_at > now() - make_interval(mins => $1)
        ORDER BY created_at DESC, kid
        """,
        OVERLAP_MINUTES,
    )
    keys: list[dict[str, Any]] = [row["public_jwk"] for row in rows]
    return keys


async def live_signing_keys(on: "Connection") -> "list[Record]":
    """The keys that may sign now, the newest first."""
    keys: list[Record] = await on.fetch(
        """
        SELECT kid, algorithm, private_sealed FROM signing_keys
        WHERE signs_from <= now() AND (retired_at IS NULL OR retired_at > now())
        ORDER BY signs_from DESC, created_at DESC, kid
        """
    )
    return keys


async def signing_keys(on: "Connection | Pool") -> "list[Record]":
    """Every key that signs, will, or did and still verifies, the newest first."""
    keys: list[Record] = await on.fetch(
        """
        SELECT kid, algorithm, created_at, signs_from, retired_at,
               retired_at + make_interval(mins => $1) AS ends_at, signs_from > now() AS is_waiting,
               signs_from <= now() AND (retired_at IS NULL OR retired_at > now()) AS may_sign
        FROM signing_keys
        WHERE retired_at IS NULL OR retired_at > now() - make_interval(mins => $1)
        ORDER BY signs_from DESC, created_at DESC, kid
        """,
        OVERLAP_MINUTES,
    )
    return keys


async def retire_signing_keys(on: "Connection", *, but: str, after_seconds: float) -> None:
    """Let the others sign no more after so many seconds, and drop those that have long ended."""
    await on.execute(
        """
        UPDATE signing_keys SET retired_at = now() + make_interval(secs => $2)
        WHERE kid <> $1 AND (retired_at IS NULL OR retired_at > now() + make_interval(secs => $2))
        """,
        but,
        after_seconds,
    )
    await on.execute("DELETE FROM signing_keys WHERE retired_at < now() - interval '1 day'")


async def revoke_signing_keys(on: "Connection", *, but: str) -> None:
    """End the others: what they have signed proves nothing any more."""
    await on.execute("DELETE FROM signing_keys WHERE kid <> $1", but)


async def lock(on: "Connection", key: int) -> None:
    """Wait until no other transaction holds the advisory lock `key`; held until this one ends."""
    await on.execute("SELECT pg_advisory_xact_lock($1)", key)


async def insert_signing_key(
    on: "Connection",
    *,
    kid: str,
    algorithm: str,
    public_jwk: dict[str, Any],
    private_sealed: bytes,
    after_seconds: float,
) -> None:
    """Keep a new signing key, which signs after so many seconds."""
    await on.execute(
        """
        INSERT INTO signing_keys (kid, algorithm, public_jwk, private_sealed, signs_from)
        VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
        """,
        kid,
        algorithm,
        public_jwk,
        private_sealed,
        after_seconds,
    )
