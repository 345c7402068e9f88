"""Nobody gives more than they may do themselves: neither by a role, nor by a key, nor to another member.

What a caller may do is remembered for a second. That is not enough here: in that second somebody whose rights were
taken could make a key that keeps them. So it is read again, in the transaction that gives.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from shared.auth import queries
from shared.auth.access import Access
from shared.auth.permissions import ROLES, granted, permissions_of
from shared.core.problems import FORBIDDEN, INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Connection


async def lock_people(connection: "Connection", project_id: UUID) -> None:
    """Change a project's members and roles one at a time, until the transaction ends.

    So that of two owners who remove each other one is told no.
    """
    if not await queries.lock_project(connection, project_id):
        raise _no_project()


async def standing(connection: "Connection", access: Access, permission: str) -> frozenset[str]:
    """What the caller may do now, `permission` included. Raises Problem 403, and 404 when they are out."""
    kind, _, who = access.principal.partition(":")
    if kind == "user":
        row = await queries.membership(connection, UUID(who), access.project_name)
        may = None if row is None else permissions_of(row["role"], row["permissions"])
    else:
        row = await queries.key_by_id(connection, who)
        may = None if row is None or _is_over(row["expires_at"]) else granted(row["scopes"])
    if may is None:
        raise _no_project()
    if permission not in may:
        raise Problem(FORBIDDEN, f"This needs the permission {permission}.")
    return may


def check_unrestricted(access: Access, what: str) -> None:
    """Raises Problem 403 for a credential that is limited to some events or to a producer."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN, f"A credential that is limited to some events or to a producer cannot {what}."
        )


def check_gives(may: frozenset[str], given: Iterable[str], subject: str) -> None:
    """Raises Problem 403 for what goes beyond what the giver may do. `subject` is what gets it: "A key"."""
    if beyond := sorted(frozenset(given) - may):
        raise Problem(
            FORBIDDEN, f"{subject} cannot be given what you may not do yourself: {', '.join(beyond)}."
        )


async def role_permissions(connection: "Connection", project_id: UUID, role: str) -> frozenset[str]:
    """What a role of that project allows, built in or its own. Raises Problem 422 at `/role`.

    An own role stays as it is until the transaction ends.
    """
    if role in ROLES:
        return ROLES[role]
    own = await queries.own_role(connection, project_id, role) if "\0" not in role else None
    if own is None:
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/role", "is no role of this project; its list of roles names those there are")],
        )
    return permissions_of(role, own)


def _is_over(expires_at: datetime | None) -> bool:
    return expires_at is not None and expires_at <= datetime.now(UTC)


def _no_project() -> Problem:
    return Problem(NOT_FOUND, "There is no such project, or this credential does not belong to it.")
