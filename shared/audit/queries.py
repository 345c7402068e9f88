"""The SQL of the audit log. The database itself numbers rows, chains them and refuses to change them (migration 0010)."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

    from shared.audit.by import By

NO_PROJECT = UUID(int=0)
"""The chain of what concerns no project."""


async def append(
    on: "Connection",
    by: "By",
    *,
    entry_id: UUID,
    project_id: UUID | None,
    action: str,
    kind: str,
    thing_id: str | None,
    thing_name: str,
    before: str | None,
    after: str | None,
) -> None:
    """Add a row at the end of its chain. `before` and `after` are JSON."""
    await on.execute(
        """
        INSERT INTO audit (
            id, project_id, actor_kind, actor_id, actor_name, role, via, agent, address, request_id,
            action, kind, thing_id, thing_name, before, after)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::jsonb, $16::text::jsonb)
        """,
        entry_id,
        project_id,
        by.kind,
        by.id,
        by.name,
        by.role,
        by.via,
        by.agent,
        by.address,
        by.request_id,
        action,
        kind,
        thing_id,
        thing_name,
        before,
        after,
    )


async def verify(on: "Connection | Pool", chain: UUID, after: int, limit: int) -> "Record":
    """Compute `limit` rows behind the number `after` again, and look where the chain ends.

    `hash_before` is that of the row `after`. `rows` is how many were looked at, `sequence` and `hash` are the last one's; `broken_sequence`, `broken_id` and
    `reason` are of the first that does not hold, null when all do. `head_sequence` and `head_hash` say where the
    chain should end.
    """
    row = await on.fetchrow(
        """
        WITH start AS (
            SELECT CASE WHEN $2::bigint = 0 THEN decode(repeat('00', 32), 'hex')
                ELSE (SELECT hash FROM audit WHERE chain = $1 AND sequence = $2) END AS hash
        ), part AS MATERIALIZED (
            SELECT a.id, a.sequence, a.prev_hash, a.hash, audit_hash(a) AS computed FROM audit a
            WHERE a.chain = $1 AND a.sequence > $2 ORDER BY a.sequence LIMIT $3
        ), judged AS (
            SELECT p.id, p.sequence, p.hash,
                CASE
                    WHEN p.sequence <> coalesce(lag(p.sequence) OVER w, $2) + 1 THEN 'missing'
                    WHEN p.prev_hash IS DISTINCT FROM coalesce(lag(p.hash) OVER w, start.hash) THEN 'relinked'
                    WHEN p.hash <> p.computed THEN 'changed'
                END AS reason
            FROM part p CROSS JOIN start WINDOW w AS (ORDER BY p.sequence)
        ), broken AS (
            SELECT * FROM judged WHERE reason IS NOT NULL ORDER BY sequence LIMIT 1
        ), last AS (
            SELECT * FROM judged ORDER BY sequence DESC LIMIT 1
        )
        SELECT start.hash AS hash_before, (SELECT count(*) FROM judged) AS rows, last.sequence, last.hash,
            broken.sequence AS broken_sequence, broken.id AS broken_id, broken.reason,
            coalesce(head.sequence, 0) AS head_sequence, head.hash AS head_hash
        FROM start LEFT JOIN last ON true LEFT JOIN broken ON true
            LEFT JOIN audit_heads head ON head.chain = $1
        """,
        chain,
        after,
        limit,
    )
    assert row is not None
    return row


async def has(on: "Connection | Pool", chain: UUID, sequence: int, digest: bytes) -> bool:
    """Whether the chain has that row."""
    return bool(
        await on.fetchval(
            "SELECT EXISTS (SELECT FROM audit WHERE chain = $1 AND sequence = $2 AND hash = $3)",
            chain,
            sequence,
            digest,
        )
    )


async def chains(on: "Connection | Pool") -> "list[Record]":
    """Every chain there is, with its project's name: null for what concerns none, and for a project that is gone."""
    rows: list[Record] = await on.fetch(
        """
        SELECT h.chain, h.sequence, p.name AS project FROM audit_heads h LEFT JOIN projects p ON p.id = h.chain
        ORDER BY p.name NULLS FIRST, h.chain
        """
    )
    return rows
