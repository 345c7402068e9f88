"""The use cases of roles. Each change is one transaction, in which no other changes the project's people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from functions.projects.roles import queries
from functions.projects.roles.schemas import RoleRequest
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.authority import authority_of
from shared.auth.giving import check_gives, check_unrestricted, lock_people, standing
from shared.auth.permissions import DESCRIPTIONS, PERMISSIONS, ROLES
from shared.auth.stores import Stores
from shared.core.problems import CONFLICT, FORBIDDEN, INVALID, Fault, Problem
from shared.core.things import there

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

WRITE = "roles:write"
MOST = 50
"""How many roles of its own a project may have."""

_NAMED = 3
"""How many of those who have a role are named."""


async def list_roles(stores: Stores, access: Access) -> list[dict[str, Any]]:
    """Those that are built in, then the project's own."""
    pool = await stores.of(access.project_id)
    counts = await queries.count_by_role(pool, access.project_id)
    own = await queries.roles_of(pool, access.project_id)
    return [*(_built_in(name, counts.get(name, 0)) for name in ROLES), *map(shown, own)]


async def get_role(stores: Stores, access: Access, name: str) -> dict[str, Any]:
    """One of them. Raises Problem 404."""
    pool = await stores.of(access.project_id)
    if name in ROLES:
        counts = await queries.count_by_role(pool, access.project_id)
        return _built_in(name, counts.get(name, 0))
    return shown(await _found(pool, access, name))


async def create_role(stores: Stores, access: Access, by: By, wanted: RoleRequest) -> dict[str, Any]:
    """A new one. Nobody can give more than they may do themselves. Raises Problem 403, 409, 422."""
    permissions = _read(wanted)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        check_gives(await _begin(connection, access), permissions, "A role")
        await _check_free(connection, access, wanted.name)
        if len(await queries.roles_of(connection, access.project_id)) >= MOST:
            raise Problem(CONFLICT, f"A project has at most {MOST} roles of its own. Delete one first.")
        await queries.insert(
            connection, access.project_id, wanted.name, wanted.description, sorted(permissions)
        )
        made = shown(await _found(connection, access, wanted.name))
        await _record(connection, by, access, "role.created", after=made)
    return made


async def replace_role(
    stores: Stores, access: Access, by: By, name: str, wanted: RoleRequest
) -> dict[str, Any]:
    """Change one; it holds everywhere within a second, for everybody who has it.

    Raises Problem 403 where the role before or after may do what the caller may not; 404, 409, 422.
    """
    permissions = _read(wanted)
    _check_own(name)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        may = await _begin(connection, access)
        before = await _found(connection, access, name)
        _check_below(may, before)
        check_gives(may, permissions, "A role")
        new_name = wanted.name or name
        if new_name != name:
            await _check_free(connection, access, new_name)
        await queries.replace(
            connection,
            access.project_id,
            name,
            new_name=new_name,
            description=wanted.description,
            permissions=sorted(permissions),
        )
        row = await _found(connection, access, new_name)
        holders = await queries.holders(connection, access.project_id, new_name)
        await _record(connection, by, access, "role.changed", before=shown(before), after=shown(row))
    for holder in holders:
        authority_of(stores).forget_member(holder["id"], access.project_name)
    return shown(row)


async def delete_role(stores: Stores, access: Access, by: By, name: str) -> None:
    """Delete one that nobody has. Raises Problem 403, 404, and 409 that says who has it."""
    _check_own(name)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        may = await _begin(connection, access)
        before = await _found(connection, access, name)
        _check_below(may, before)
        holders = await queries.holders(connection, access.project_id, name)
        if holders:
            names = _listed([holder["name"] for holder in holders])
            verb = "has" if len(holders) == 1 else "have"
            raise Problem(CONFLICT, f"{names} {verb} this role. Give them another first.")
        if invited := await queries.invited(connection, access.project_id, name):
            raise Problem(
                CONFLICT, f"This role is promised to {_listed(invited)}. Revoke what invites them first."
            )
        await queries.delete(connection, access.project_id, name)
        await _record(connection, by, access, "role.deleted", before=shown(before))


def shown(row: "Record") -> dict[str, Any]:
    """An own role as it is answered."""
    return {**row, "permissions": sorted(PERMISSIONS.intersection(row["permissions"])), "is_built_in": False}


def _built_in(name: str, members: int) -> dict[str, Any]:
    return {
        "name": name,
        "description": DESCRIPTIONS[name],
        "permissions": sorted(ROLES[name]),
        "is_built_in": True,
        "members": members,
        "created_at": None,
        "updated_at": None,
    }


async def _begin(connection: "Connection", access: Access) -> frozenset[str]:
    """Lock the project's people; what the caller may do."""
    check_unrestricted(access, "change roles")
    await lock_people(connection, access.project_id)
    return await standing(connection, access, WRITE)


async def _record(
    connection: "Connection",
    by: By,
    access: Access,
    action: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    name = (after or before or {})["name"]
    await record(
        connection,
        by,
        action,
        project_id=access.project_id,
        id=name,
        name=name,
        before=None if before is None else _recorded(before),
        after=None if after is None else _recorded(after),
    )


def _recorded(role: dict[str, Any]) -> dict[str, Any]:
    return {member: role[member] for member in ("name", "description", "permissions")}


def _read(wanted: RoleRequest) -> frozenset[str]:
    """The permissions that are asked for. Raises Problem 422."""
    known = ", ".join(sorted(PERMISSIONS))
    faults = [
        Fault(f"/permissions/{index}", f"is not a permission; there are {known}")
        for index, permission in enumerate(wanted.permissions)
        if permission not in PERMISSIONS
    ]
    if "\0" in wanted.description:
        faults.append(Fault("/description", "must not contain U+0000"))
    if faults:
        raise Problem(INVALID, "This role cannot be made.", errors=faults)
    return frozenset(wanted.permissions)


def _check_own(name: str) -> None:
    if name in ROLES:
        raise Problem(
            CONFLICT, f"{name} is built in and cannot be changed. Make a role of the project's own instead."
        )


def _check_below(may: frozenset[str], role: Mapping[str, Any]) -> None:
    """Whoever may less than a role cannot take from those who have it."""
    if beyond := sorted(PERMISSIONS.intersection(role["permissions"]) - may):
        raise Problem(
            FORBIDDEN, f"This role may do what you may not ({', '.join(beyond)}). Ask somebody who may."
        )


async def _check_free(connection: "Connection", access: Access, name: str) -> None:
    if name in ROLES or await queries.role(connection, access.project_id, name) is not None:
        raise Problem(CONFLICT, f"There is a role named {name} in this project.")


async def _found(on: "Connection | Pool", access: Access, name: str) -> "Record":
    row = await queries.role(on, access.project_id, name) if "\0" not in name else None
    return there(row, "role")


def _listed(names: Sequence[str]) -> str:
    """`Ann Example, Bo Lind and 2 more`."""
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
