"""What a fresh Weir on one machine starts with: an owner, their project, and a key that may do everything."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr

from shared.audit.by import By, by_operator
from shared.audit.record import record
from shared.auth import queries
from shared.auth.keys import hash_secret, is_key, make_key, parse_key
from shared.auth.permissions import EVERYTHING
from shared.core.ids import uuid7

if TYPE_CHECKING:
    from asyncpg import Connection

_LOCK = 0x57454952_0002


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The local owner's project and credential."""

    project: str
    api_key: str = field(repr=False)
    user_id: UUID


async def ensure_local_owner(
    conn: "Connection",
    secret: SecretStr | str,
    *,
    known_key: str | None = None,
    project: str = "default",
    email: str = "owner@localhost",
    name: str = "Owner",
) -> Bootstrap:
    """Make sure of the user, the project, the ownership and the key; safe to call at every start.

    `known_key` is the text that an earlier call gave; it is kept while it is valid, otherwise another
    key is made, since its text is kept nowhere else.
    """
    async with conn.transaction():
        by = by_operator("weir up")
        user_id, project_id = await ensure_owner(conn, by, email=email, name=name, project=project)
        if known_key is not None and await _is_valid(conn, secret, known_key, project):
            return Bootstrap(project, known_key, user_id)
        key = make_key()
        await queries.insert_key(
            conn,
            key_id=key.id,
            project_id=project_id,
            name="local",
            secret_hash=hash_secret(secret, key),
            scopes=[EVERYTHING],
            sources=[],
            types=[],
            expires_at=None,
        )
        await record(
            conn,
            by,
            "key.created",
            project_id=project_id,
            id=key.id,
            name="local",
            after={"name": "local", "scopes": [EVERYTHING], "sources": [], "types": [], "expiresAt": None},
        )
        return Bootstrap(project, key.text, user_id)


async def ensure_owner(
    conn: "Connection", by: By, *, email: str, name: str, project: str
) -> tuple[UUID, UUID]:
    """Make sure of a user, a project and that the one is in the other, in an open transaction. The ids of both.

    Whoever is new there owns it; whoever was there before keeps their role.
    """
    await queries.lock(conn, _LOCK)
    user_id: UUID = await conn.fetchval(
        """
        INSERT INTO users (id, email, name) VALUES ($1, $2, $3)
        ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id
        """,
        uuid7(),
        email,
        name,
    )
    # An id of our own choice tells which of them are new.
    made_id = uuid7()
    project_id: UUID = await conn.fetchval(
        """
        INSERT INTO projects (id, name) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
        """,
        made_id,
        project,
    )
    is_new_member = await conn.fetchval(
        """
        INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, 'owner')
        ON CONFLICT DO NOTHING RETURNING true
        """,
        project_id,
        user_id,
    )
    if project_id == made_id:
        after = {"name": project}
        await record(
            conn, by, "project.created", project_id=project_id, id=project_id, name=project, after=after
        )
    if is_new_member:
        await record(
            conn,
            by,
            "member.added",
            project_id=project_id,
            id=user_id,
            name=email,
            after={"email": email, "role": "owner"},
        )
    return user_id, project_id


async def _is_valid(conn: "Connection", secret: SecretStr | str, text: str, project: str) -> bool:
    key = parse_key(text)
    row = await queries.key_by_id(conn, key.id) if key is not None else None
    return (
        key is not None
        and row is not None
        and row["project_name"] == project
        and row["scopes"] == [EVERYTHING]
        and row["expires_at"] is None
        and is_key(secret, key, row["secret_hash"])
    )
