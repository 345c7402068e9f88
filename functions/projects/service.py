"""The use cases of projects and API keys."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.projects import queries
from shared.auth.access import Access, Principal, authority_of
from shared.auth.keys import hash_secret, is_key_id, make_key
from shared.auth.permissions import EVERYTHING, PERMISSIONS
from shared.auth.queries import insert_key
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Fault, Problem
from shared.runtime.listing import read_cursor, write_cursor

if TYPE_CHECKING:
    from uuid import UUID

    from asyncpg import Connection, Record


LONGEST = timedelta(days=36_525)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key to be may do. `scopes` are permissions or `*`."""

    name: str
    scopes: list[str]
    sources: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    expires_at: datetime | None = None
    producer: str | None = None


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


async def create_project(stores: Stores, principal: Principal, name: str) -> "tuple[Record, str | None]":
    """A new project, and the text of a key for it when an API key made it.

    A user becomes its owner. For an API key the owners of the key's project do, and the caller gets a
    key of its own kind for the new project, since the one it has opens only its own.
    Raises Problem 403, 409.
    """
    access = principal.access
    if access is not None:
        _check_permission(access, "projects:create")
        _check_unrestricted(access)
    pool = await stores.pg()
    async with pool.acquire() as connection, connection.transaction():
        row = await queries.insert_project(connection, uuid7(), name)
        if row is None:
            raise Problem(CONFLICT, f"There is a project named {name} already.")
        if access is None:
            assert principal.user_id is not None
            await queries.insert_owner(connection, row["id"], principal.user_id)
            return row, None
        await queries.copy_owners(connection, row["id"], access.project_id)
        scopes = [EVERYTHING] if access.permissions >= PERMISSIONS else sorted(access.permissions)
        key = await _insert_key(connection, stores, row["id"], NewKey(f"for {name}", scopes))
        return row, key["key"]


async def list_keys(
    stores: Stores, access: Access, *, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's keys that are not revoked."""
    if cursor is not None and not is_key_id(cursor):
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/query/cursor", "is not a cursor that a list has given")],
        )
    pool = await stores.of(access.project_id)
    rows = await queries.keys_of(pool, access.project_id, after=cursor, limit=limit + 1)
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


async def create_key(stores: Stores, access: Access, wanted: NewKey) -> dict[str, Any]:
    """A new key with its text. Nobody can give more than they may do themselves.

    Raises Problem 403, 422.
    """
    _check_wanted(wanted)
    _check_unrestricted(access)
    asked = PERMISSIONS if EVERYTHING in wanted.scopes else frozenset(wanted.scopes)
    if beyond := sorted(asked - access.permissions):
        raise Problem(FORBIDDEN, f"A key cannot be given what you may not do yourself: {', '.join(beyond)}.")
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        producer_id = None
        if wanted.producer is not None:
            producer_id = await queries.producer_named(connection, access.project_id, wanted.producer)
            if producer_id is None:
                raise Problem(
                    INVALID,
                    "This API key cannot be made.",
                    errors=[Fault("/producer", "is no producer of this project")],
                )
        return await _insert_key(connection, stores, access.project_id, wanted, producer_id)


async def revoke_key(stores: Stores, access: Access, key_id: str) -> None:
    """End a key; it is refused everywhere within a second. Raises Problem 404."""
    pool = await stores.of(access.project_id)
    if not is_key_id(key_id) or not await queries.revoke_key(pool, access.project_id, key_id):
        raise Problem(NOT_FOUND, "There is no such API key.")
    authority_of(stores).forget_key(key_id)


async def _insert_key(
    connection: "Connection",
    stores: Stores,
    project_id: "UUID",
    wanted: NewKey,
    producer_id: "UUID | None" = None,
) -> dict[str, Any]:
    key = make_key()
    row = await insert_key(
        connection,
        key_id=key.id,
        project_id=project_id,
        name=wanted.name,
        secret_hash=hash_secret(stores.settings.secret, key),
        scopes=wanted.scopes,
        sources=wanted.sources,
        types=wanted.types,
        expires_at=wanted.expires_at,
        producer_id=producer_id,
    )
    return {
        "id": key.id,
        "name": wanted.name,
        "scopes": wanted.scopes,
        "sources": wanted.sources,
        "types": wanted.types,
        "producer": wanted.producer,
        "created_at": row["created_at"],
        "expires_at": wanted.expires_at,
        "last_used_at": None,
        "key": key.text,
    }


def _check_wanted(wanted: NewKey) -> None:
    faults = [
        Fault(f"/scopes/{index}", f"is not a permission; there are {', '.join(sorted(PERMISSIONS))} and *")
        for index, scope in enumerate(wanted.scopes)
        if scope != EVERYTHING and scope not in PERMISSIONS
    ]
    faults += [
        Fault(pointer, "must not contain U+0000")
        for pointer, text in (
            ("/name", wanted.name),
            ("/producer", wanted.producer or ""),
            *((f"/sources/{i}", text) for i, text in enumerate(wanted.sources)),
            *((f"/types/{i}", text) for i, text in enumerate(wanted.types)),
        )
        if "\0" in text
    ]
    if wanted.expires_at is not None:
        now = datetime.now(UTC)
        if not now < wanted.expires_at < now + LONGEST:
            faults.append(Fault("/expiresAt", "must be in the future and within a hundred years"))
    if faults:
        raise Problem(INVALID, "This API key cannot be made.", errors=faults)


def _check_permission(access: Access, permission: str) -> None:
    if permission not in access.permissions:
        raise Problem(FORBIDDEN, f"This needs the permission {permission}.")


def _check_unrestricted(access: Access) -> None:
    if access.is_restricted:
        raise Problem(
            FORBIDDEN, "A credential that is limited to some events or to a producer cannot make others."
        )
