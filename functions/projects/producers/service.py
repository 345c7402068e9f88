"""The use cases of producers. Each change is one transaction that raises the project's intake version."""

from typing import TYPE_CHECKING, Any

from functions.projects import queries as projects
from functions.projects.producers import queries
from functions.projects.producers.draft import Draft
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.authority import authority_of
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from shared.core.things import there
from shared.runtime.listing import page_of, read_cursor

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


async def list_producers(
    stores: Stores, access: Access, *, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's producers, by name. Raises Problem 422 for a bad cursor."""
    after = read_cursor(cursor)
    rows = await queries.producers_of(
        await stores.of(access.project_id), access.project_id, after=after, limit=limit + 1
    )
    return page_of(rows, limit)


async def get_producer(stores: Stores, access: Access, name: str) -> "Record":
    """One producer. Raises Problem 404."""
    return await _found(await stores.of(access.project_id), access, name)


async def create_producer(stores: Stores, access: Access, by: By, name: str, draft: Draft) -> "Record":
    """Keep a new one. Raises Problem 403, and 409 when the name is taken."""
    _check_rights(access, draft)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        await _bump(connection, access)
        if await queries.producer(connection, access.project_id, name) is not None:
            raise _taken(name)
        row = await queries.insert(connection, access.project_id, uuid7(), name, draft)
        await _record(connection, access, by, "created", new=row)
        return row


async def replace_producer(
    stores: Stores, access: Access, by: By, name: str, *, new_name: str | None, draft: Draft
) -> "Record":
    """Change one; it holds everywhere within a second. Raises Problem 403, 404, and 409 for a name that is taken."""
    _check_rights(access, draft)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        await _bump(connection, access)
        old = await _found(connection, access, name)
        new_name = new_name or old["name"]
        if new_name != old["name"] and await queries.producer(connection, access.project_id, new_name):
            raise _taken(new_name)
        row = await queries.replace(connection, access.project_id, old["id"], new_name, draft)
        keys = await queries.keys_of(connection, access.project_id, old["id"])
        await _record(connection, access, by, "changed", old=old, new=row)
    _forget(stores, keys)
    return row


async def delete_producer(stores: Stores, access: Access, by: By, name: str) -> None:
    """Delete one and its API keys: they are refused everywhere within a second. Raises Problem 403, 404."""
    _check_rights(access, None)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        await _bump(connection, access)
        old = await _found(connection, access, name)
        keys = await queries.keys_of(connection, access.project_id, old["id"])
        await queries.delete(connection, access.project_id, old["id"])
        await _record(connection, access, by, "deleted", old=old, keys=keys)
    _forget(stores, keys)


async def _record(
    connection: "Connection",
    access: Access,
    by: By,
    what: str,
    *,
    old: "Record | None" = None,
    new: "Record | None" = None,
    keys: list[str] | None = None,
) -> None:
    """`keys` are those that go with it."""
    row = new or old
    assert row is not None
    before = _document(old)
    await record(
        connection,
        by,
        f"producer.{what}",
        project_id=access.project_id,
        id=row["id"],
        name=row["name"],
        before={**before, "keys": keys} if before and keys else before,
        after=_document(new),
    )


def _document(row: "Record | None") -> dict[str, Any] | None:
    """A producer as the audit log keeps it."""
    if row is None:
        return None
    oidc = {name: row[name] for name in ("issuer", "audience", "subject")}
    return {
        "name": row["name"],
        "sources": row["sources"],
        "types": row["types"],
        "ratePerSecond": row["rate_per_second"],
        "burst": row["burst"],
        "oidc": None if row["issuer"] is None else oidc,
    }


def _check_rights(access: Access, draft: Draft | None) -> None:
    """Nobody lets others do what they may not do themselves."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN, "A credential that is limited to some events or to a producer cannot change producers."
        )
    if draft is not None and draft.issuer is not None and "events:write" not in access.permissions:
        raise Problem(
            FORBIDDEN, "Letting the tokens of an issuer send events needs the permission events:write."
        )


async def _bump(connection: "Connection", access: Access) -> None:
    if not await projects.bump_intake(connection, access.project_id):
        raise Problem(NOT_FOUND, "There is no such project any more.")


async def _found(on: "Connection | Pool", access: Access, name: str) -> "Record":
    # What Postgres cannot have stored names nothing.
    row = await queries.producer(on, access.project_id, name) if "\0" not in name else None
    return there(row, "producer")


def _forget(stores: Stores, keys: list[str]) -> None:
    for key in keys:
        authority_of(stores).forget_key(key)


def _taken(name: str) -> Problem:
    return Problem(CONFLICT, f"There is a producer named {name} in this project.")
