"""The use cases of saved searches."""

from typing import TYPE_CHECKING, Any

from functions.explore.searches import queries
from functions.explore.searches.schemas import SearchRequest
from shared.audit.by import By
from shared.audit.masks import without_subjects
from shared.audit.record import record
from shared.auth.access import Access
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, INVALID, Fault, Problem
from shared.core.things import id_of, there
from shared.runtime.listing import read_cursor, write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from shared.db.project_pool import ProjectPool

MOST = 200
"""Searches that a project keeps."""

ALONE = {"events": ("status", "event"), "deliveries": ("outcome", "schemaFault")}
"""What the list of a page does not take."""


async def list_searches(
    resources: Resources, access: Access, *, page: str | None, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's searches by name. Raises Problem 422 for a bad cursor."""
    after = read_cursor(cursor)
    pool = await resources.of(access.project_id)
    rows = await queries.searches_of(pool, access.project_id, page=page, after=after, limit=limit + 1)
    return rows[:limit], write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None


async def get_search(resources: Resources, access: Access, search_id: str) -> "Record":
    """One search. Raises Problem 404."""
    return await _found(await resources.of(access.project_id), access, search_id)


async def save_search(resources: Resources, access: Access, by: By, body: SearchRequest) -> "Record":
    """Keep a new one. Raises Problem 409 when the name is taken or there are too many, and 422."""
    query = _query(body)
    pool = await resources.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        if await queries.count(connection, access.project_id) >= MOST:
            raise Problem(CONFLICT, f"A project keeps {MOST} searches: delete one that nobody uses any more.")
        await _check_name(connection, access, body.name)
        row = await queries.insert(
            connection, access.project_id, uuid7(), name=body.name, page=body.page, query=query
        )
        await _record(connection, access, by, "created", new=row)
    return row


async def replace_search(
    resources: Resources, access: Access, by: By, search_id: str, body: SearchRequest
) -> "Record":
    """Change one. Raises Problem 404, 409 for a name that is taken, and 422."""
    query = _query(body)
    pool = await resources.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        old = await _found(connection, access, search_id, lock=True)
        if body.name != old["name"]:
            await _check_name(connection, access, body.name)
        row = await queries.replace(
            connection, access.project_id, old["id"], name=body.name, page=body.page, query=query
        )
        await _record(connection, access, by, "changed", old=old, new=row)
    return row


async def delete_search(resources: Resources, access: Access, by: By, search_id: str) -> None:
    """Delete one. Raises Problem 404."""
    pool = await resources.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        old = await _found(connection, access, search_id, lock=True)
        await queries.delete(connection, access.project_id, old["id"])
        await _record(connection, access, by, "deleted", old=old)


def _query(body: SearchRequest) -> dict[str, Any]:
    """What was given, by the names of the list's parameters. Raises Problem 422."""
    given = body.query.model_dump(mode="json", by_alias=True)
    kept = {name: value for name, value in given.items() if value not in (None, [])}
    faults = [
        Fault(f"/query/{name}", f"is not asked of {body.page}") for name in ALONE[body.page] if name in kept
    ]
    if "last" in kept and "since" in kept:
        faults.append(Fault("/query/last", "cannot stand beside since: say one of them"))
    if faults:
        raise Problem(INVALID, "The request has values that cannot be used.", errors=faults)
    return kept


async def _check_name(connection: "Connection", access: Access, name: str) -> None:
    if await queries.is_taken(connection, access.project_id, name):
        raise Problem(CONFLICT, f"There is a search named {name} in this project.")


async def _found(
    on: "Connection | ProjectPool", access: Access, search_id: str, *, lock: bool = False
) -> "Record":
    found = id_of(search_id, "search")
    return there(await queries.search(on, access.project_id, found, lock=lock), "search")


async def _record(
    connection: "Connection",
    access: Access,
    by: By,
    what: str,
    *,
    old: "Record | None" = None,
    new: "Record | None" = None,
) -> None:
    row = new or old
    assert row is not None
    await record(
        connection,
        by,
        f"search.{what}",
        project_id=access.project_id,
        id=row["id"],
        name=row["name"],
        before=_document(old),
        after=_document(new),
    )


def _document(row: "Record | None") -> dict[str, Any] | None:
    """A search as the audit log keeps it."""
    return (
        None
        if row is None
        else {"name": row["name"], "page": row["page"], "query": without_subjects(row["query"])}
    )
