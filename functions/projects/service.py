"""The use cases of projects."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.projects import queries
from functions.projects.keys.draft import Draft
from functions.projects.keys.queries import key as key_of
from functions.projects.keys.service import insert, recorded
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access, Principal
from shared.auth.giving import check_unrestricted, standing
from shared.auth.permissions import EVERYTHING, PERMISSIONS
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from shared.runtime.listing import page_of, read_cursor

if TYPE_CHECKING:
    from asyncpg import Connection, Record

CREATE = "projects:create"


async def list_projects(
    stores: Stores, principal: Principal, *, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The caller's projects: a user's, or the one of an API key. Raises Problem 403."""
    if principal.access is not None:
        _check_permission(principal.access, "projects:read")
        project_id = principal.access.project_id
        row = await queries.project_by_id(await stores.of(project_id), project_id)
        return ([] if row is None else [row]), None
    assert principal.user_id is not None
    after = read_cursor(cursor)
    rows = await queries.projects_of(await stores.pg(), principal.user_id, after=after, limit=limit + 1)
    return page_of(rows, limit)


async def get_project(stores: Stores, access: Access) -> "Record":
    """The project. Raises Problem 404 when it has just gone."""
    row = await queries.project_by_id(await stores.of(access.project_id), access.project_id)
    if row is None:
        raise Problem(NOT_FOUND, "There is no such project.")
    return row


async def create_project(
    stores: Stores, principal: Principal, by: By, name: str
) -> "tuple[Record, str | None]":
    """A new project, and the text of a key for it when an API key made it.

    A user becomes its owner. For an API key the owners of the key's project do, and the caller gets a
    key of its own kind for the new project, since the one it has opens only its own.
    Raises Problem 403, 404 for a key that was just revoked, 409.
    """
    access = principal.access
    if access is not None:
        _check_permission(access, CREATE)
        check_unrestricted(access, "make others")
    pool = await stores.pg()
    async with pool.acquire() as connection, connection.transaction():
        may = frozenset() if access is None else await standing(connection, access, CREATE)
        row = await queries.insert_project(connection, uuid7(), name)
        if row is None:
            raise Problem(CONFLICT, f"There is a project named {name} already.")
        if access is None:
            assert principal.user_id is not None
            await queries.insert_owner(connection, row["id"], principal.user_id)
            await _record_project(connection, by, row)
            return row, None
        await queries.copy_owners(connection, row["id"], access.project_id)
        scopes = [EVERYTHING] if may >= PERMISSIONS else sorted(may)
        # No longer than the one that makes it: a key for a day would make itself one for ever.
        ends = await queries.key_ends(connection, access.project_id, access.principal.removeprefix("key:"))
        draft = Draft(f"for {name}", scopes, expires_at=ends)
        text = await insert(connection, stores, row["id"], draft, created_by=access.principal)
        key = await key_of(connection, row["id"], text.id)
        assert key is not None
        await _record_project(connection, by, row)
        for owner in await queries.owners(connection, row["id"]):
            await _record(connection, by, row, "member.added", owner["id"], owner["name"], _owner(owner))
        await _record(connection, by, row, "key.created", key["id"], key["name"], recorded(key))
        return row, text.text


async def _record_project(connection: "Connection", by: By, row: "Record") -> None:
    await _record(connection, by, row, "project.created", row["id"], row["name"], {"name": row["name"]})


async def _record(  # noqa: PLR0917
    connection: "Connection",
    by: By,
    project: "Record",
    action: str,
    thing: UUID | str,
    name: str,
    after: dict[str, Any],
) -> None:
    await record(connection, by, action, project_id=project["id"], id=thing, name=name, after=after)


def _owner(row: "Record") -> dict[str, Any]:
    return {"name": row["name"], "email": row["email"], "role": "owner"}


def _check_permission(access: Access, permission: str) -> None:
    if permission not in access.permissions:
        raise Problem(FORBIDDEN, f"This needs the permission {permission}.")
