"""The use cases of legal holds."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.archive.holds import queries
from functions.archive.holds.schemas import HoldRequest
from functions.archive.span import check_span
from shared.archive.wanted import written
from shared.audit.by import By
from shared.audit.masks import LEFT_OUT
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, UNAVAILABLE, Problem
from shared.runtime.listing import read_cursor, write_cursor

if TYPE_CHECKING:
    from asyncpg import Connection, Record

PATIENCE = "30s"
"""How long a hold waits for the work on the archive that is under way: it began without knowing of it."""


async def list_holds(
    stores: Stores, access: Access, *, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's holds, newest first. Raises Problem 422 for a bad cursor."""
    rows = await queries.holds(
        await stores.of(access.project_id), access.project_id, before=read_cursor(cursor), limit=limit + 1
    )
    return rows[:limit], write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None


async def get_hold(stores: Stores, access: Access, hold_id: str) -> "Record":
    """One of them. Raises Problem 404."""
    return _there(await queries.hold(await stores.of(access.project_id), access.project_id, _uuid(hold_id)))


async def create_hold(stores: Stores, access: Access, by: By, wanted: HoldRequest) -> "Record":
    """Put one: from its answer on nothing that it means is destroyed. Raises Problem 403, 422, 503."""
    _check_rights(access)
    check_span(wanted.since, wanted.until)
    hold_id = uuid7()
    async with (
        (await stores.of(access.project_id)).acquire() as connection,
        connection.transaction(),
    ):
        await _wait_for_work(connection)
        await queries.insert(
            connection, access.project_id, hold_id, by=access.principal, **wanted.model_dump()
        )
        row = _there(await queries.hold(connection, access.project_id, hold_id))
        await record(
            connection,
            by,
            "hold.created",
            project_id=access.project_id,
            id=hold_id,
            name=wanted.name,
            after=_document(row),
        )
        return row


async def lift_hold(stores: Stores, access: Access, by: By, hold_id: str) -> None:
    """Lift one: what is due goes from the next tick on. Raises Problem 403, 404, 409."""
    _check_rights(access)
    found = _uuid(hold_id)
    async with (
        (await stores.of(access.project_id)).acquire() as connection,
        connection.transaction(),
    ):
        old = _there(await queries.hold(connection, access.project_id, found))
        if not await queries.lift(connection, access.project_id, found, access.principal):
            raise Problem(CONFLICT, "That hold has been lifted already.")
        await record(
            connection,
            by,
            "hold.lifted",
            project_id=access.project_id,
            id=found,
            name=old["name"],
            before=_document(old),
        )


async def _wait_for_work(connection: "Connection") -> None:
    """Let nobody destroy anything until the transaction ends."""
    import asyncpg

    from shared.archive import recalling

    try:
        await recalling.lock_in_transaction(connection, PATIENCE)
    except asyncpg.LockNotAvailableError:
        raise Problem(
            UNAVAILABLE,
            "Old events are being archived or erased at this moment, so a hold cannot be promised yet. Nothing was"
            " changed; ask again.",
            headers={"Retry-After": "10"},
        ) from None


def _document(row: "Record") -> dict[str, Any]:
    """A hold as the audit log keeps it, which never forgets."""
    return {
        "name": row["name"],
        "type": row["type"],
        "source": row["source"],
        "subject": row["subject"] and LEFT_OUT,
        "since": None if row["since"] is None else written(row["since"]),
        "until": None if row["until"] is None else written(row["until"]),
    }


def _check_rights(access: Access) -> None:
    if access.is_restricted:
        raise Problem(
            FORBIDDEN,
            "A credential that is limited to some events or to a producer cannot hold or let go of any.",
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(NOT_FOUND, "There is no such hold in this project.") from None


def _there(row: "Record | None") -> "Record":
    if row is None:
        raise Problem(NOT_FOUND, "There is no such hold in this project.")
    return row
