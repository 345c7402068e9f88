"""The use cases of projects."""

from typing import TYPE_CHECKING

from functions.projects import queries
from functions.projects.keys.draft import Draft
from functions.projects.keys.service import insert
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access, Principal
from shared.auth.giving import check_unrestricted
from shared.auth.permissions import EVERYTHING, PERMISSIONS
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from shared.runtime.listing import read_cursor, write_cursor

if TYPE_CHECKING:
    from asyncpg import Connection, Record


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
    following = write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return rows[:limit], following


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
    Raises Problem 403, 409.
    """
    access = principal.access
    if access is not None:
        _check_permission(access, "projects:create")
        check_unrestricted(access, "make others")
    pool = await stores.pg()
    async with pool.acquire() as connection, connection.transaction():
        row = await queries.insert_project(connection, uuid7(), name)
        if row is None:
            raise Problem(CONFLICT, f"There is a project named {name} already.")
        if access is None:
            assert principal.user_id is not None
            await queries.insert_owner(connection, row["id"], principal.user_id)
            await _record_project(connection, by, row)
            return row, None
        await queries.copy_owners(connection, row["id"], access.project_id)
        scopes = [EVERYTHING] if access.permissions >= PERMISSIONS else sorted(access.permissions)
        draft = Draft(f"for {name}", scopes)
        key = await insert(connection, stores, row["id"], draft, created_by=access.principal)
        await _record_project(connection, by, row)
        return row, key.text


async def _record_project(connection: "Connection", by: By, row: "Record") -> None:
    await record(
        connection,
        by,
        "project.created",
        project_id=row["id"],
        id=row["id"],
        name=row["name"],
        after={"name": row["name"]},
    )


def _check_permission(access: Access, permission: str) -> None:
    if permission not in access.permissions:
        raise Problem(FORBIDDEN, f"This needs the permission {permission}.")
