"""The use cases of members. Each change is one transaction, in which no other changes the project's people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.projects.members import queries
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access, Principal
from shared.auth.authority import authority_of
from shared.auth.giving import check_gives, check_unrestricted, lock_people, role_permissions, standing
from shared.auth.permissions import PROJECT_NAME, permissions_of
from shared.auth.stores import Stores
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from shared.core.things import id_of, there
from shared.runtime.listing import page_of, read_cursor

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

WRITE = "members:write"
OWNER = "owner"


async def list_members(
    stores: Stores, access: Access, *, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's members, by name. Raises Problem 422 for a bad cursor."""
    after = read_cursor(cursor)
    rows = await queries.members_of(
        await stores.of(access.project_id), access.project_id, after=after, limit=limit + 1
    )
    return page_of(rows, limit)


async def get_member(stores: Stores, access: Access, user: str) -> "Record":
    """One of them. Raises Problem 404."""
    return await _found(await stores.of(access.project_id), access.project_id, user)


async def set_role(stores: Stores, access: Access, by: By, user: str, role: str) -> "Record":
    """Give a member another role; it holds everywhere within a second.

    Raises Problem 403 for a role that may do what the caller may not, be it the one before or the one after; 404; 409
    for the last owner; 422 for what is no role.
    """
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _changeable(connection, access, user)
        may = await standing(connection, access, WRITE)
        check_gives(may, await role_permissions(connection, access.project_id, role), "A member")
        if role != OWNER:
            await _check_not_last(connection, access.project_id, before)
        await queries.set_role(connection, access.project_id, before["id"], role)
        row = await _found(connection, access.project_id, user)
        await _record(connection, by, access.project_id, "member.changed", before=before, after=row)
    authority_of(stores).forget_member(row["id"], access.project_name)
    return row


async def remove_member(stores: Stores, access: Access, by: By, user: str, *, revoke_keys: bool) -> None:
    """End a membership, everywhere within a second. Raises Problem 403, 404, and 409 for the last owner."""
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _changeable(connection, access, user)
        revoked = await _end(connection, access.project_id, before, revoke_keys=revoke_keys)
        await _record(connection, by, access.project_id, "member.removed", before=before, revoked=revoked)
    _forget(stores, before["id"], access.project_name, revoked)


async def leave(stores: Stores, principal: Principal, by: By, project: str, *, revoke_keys: bool) -> None:
    """End one's own membership. Raises Problem 403 for an API key, 404, and 409 for the last owner."""
    if PROJECT_NAME.fullmatch(project) is None:
        raise _no_project()
    if principal.access is not None:
        if principal.access.project_name != project:
            raise _no_project()
        raise Problem(FORBIDDEN, "An API key is no member. Revoke it instead.")
    assert principal.user_id is not None
    pool = await stores.pg()
    async with pool.acquire() as connection, connection.transaction():
        project_id = await queries.project_of(connection, principal.user_id, project)
        if project_id is None:
            raise _no_project()
        await lock_people(connection, project_id)
        before = await queries.member(connection, project_id, principal.user_id)
        if before is None:
            raise _no_project()
        revoked = await _end(connection, project_id, before, revoke_keys=revoke_keys)
        await _record(connection, by, project_id, "member.left", before=before, revoked=revoked)
    _forget(stores, principal.user_id, project, revoked)


async def _changeable(connection: "Connection", access: Access, user: str) -> "Record":
    """The member, once it is clear that the caller may change them. Raises Problem 403, 404."""
    check_unrestricted(access, "change members")
    await lock_people(connection, access.project_id)
    may = await standing(connection, access, WRITE)
    row = await _found(connection, access.project_id, user)
    if beyond := sorted(permissions_of(row["role"], row["permissions"]) - may):
        raise Problem(
            FORBIDDEN, f"{row['name']} may do what you may not ({', '.join(beyond)}). Ask somebody who may."
        )
    return row


async def _end(
    connection: "Connection", project_id: UUID, member: "Record", *, revoke_keys: bool
) -> list[str]:
    """End the membership; the ids of the keys that were revoked with it."""
    await _check_not_last(connection, project_id, member)
    revoked = await queries.revoke_keys_of(connection, project_id, member["id"]) if revoke_keys else []
    await queries.remove(connection, project_id, member["id"])
    return revoked


async def _record(
    connection: "Connection",
    by: By,
    project_id: UUID,
    action: str,
    *,
    before: "Record",
    after: "Record | None" = None,
    revoked: Sequence[str] = (),
) -> None:
    """`revoked` are the keys that went with them."""
    if by.user_id == before["id"]:
        # As what they did it. The log would look it up, and find what they have become by it.
        by.role = before["role"]
    await record(
        connection,
        by,
        action,
        project_id=project_id,
        id=before["id"],
        name=before["name"],
        before=_recorded(before) | ({"revokedKeys": list(revoked)} if revoked else {}),
        after=None if after is None else _recorded(after),
    )


def _recorded(row: "Record") -> dict[str, Any]:
    return {"name": row["name"], "email": row["email"], "role": row["role"]}


async def _check_not_last(connection: "Connection", project_id: UUID, member: "Record") -> None:
    if member["role"] == OWNER and await queries.count_owners(connection, project_id) == 1:
        raise Problem(
            CONFLICT,
            f"{member['name']} is the last owner of this project. Make somebody else an owner first.",
        )


async def _found(on: "Connection | Pool", project_id: UUID, user: str) -> "Record":
    return there(await queries.member(on, project_id, id_of(user, "member")), "member")


def _forget(stores: Stores, user_id: UUID, project: str, keys: list[str]) -> None:
    authority = authority_of(stores)
    authority.forget_member(user_id, project)
    for key in keys:
        authority.forget_key(key)


def _no_project() -> Problem:
    return Problem(NOT_FOUND, "There is no such project, or this credential does not belong to it.")
