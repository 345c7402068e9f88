"""The SQL of the audit log. The database itself numbers rows, chains them and refuses to change them (migration 0010)."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection

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
    """Add a row at the end of its chain, with names as they are now. `before` and `after` are JSON."""
    await on.execute(
        """
        INSERT INTO audit (
            id, project_id, actor_kind, actor_id, actor_name, role, via, agent, address, request_id,
            action, kind, thing_id, thing_name, before, after)
        SELECT $1, $2::uuid, $3, $4::text,
            coalesce(
                nullif($5, ''),
                CASE $3
                    WHEN 'user' THEN (SELECT name FROM users WHERE id = $6::uuid)
                    WHEN 'key' THEN (SELECT name FROM api_keys WHERE id = $4::text)
                END, ''),
            coalesce($7, (SELECT role FROM members WHERE project_id = $2::uuid AND user_id = $6::uuid)),
            $8, $9, $10, $11, $12, $13, $14, $15, $16::text::jsonb, $17::text::jsonb
        """,
        entry_id,
        project_id,
        by.kind,
        by.id,
        by.name,
        by.user_id,
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
