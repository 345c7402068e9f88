"""The use cases of recalls. What is asked for is begun at once, and gone on with at each tick."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.archive.recalls import queries
from functions.archive.recalls.schemas import RecallRequest
from functions.archive.span import check_span
from functions.archive.stored import Stored, told
from shared.archive.wanted import between, received_at, written
from shared.audit.by import By
from shared.audit.masks import LEFT_OUT
from shared.audit.record import record
from shared.auth.access import Access
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, NOT_FOUND, Problem
from shared.runtime.listing import read_cursor, write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

AT_ONCE_SECONDS = 3.0
"""How long whoever asks waits: one event is back in the answer, a month is not."""

logger = logging.getLogger("weir.archive")


async def list_recalls(
    resources: Resources, access: Access, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """The project's recalls, newest first. Raises Problem 422 for a bad cursor."""
    pool = await resources.of(access.project_id)
    rows = await queries.recalls(pool, access.project_id, before=read_cursor(cursor), limit=limit + 1)
    following = write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
    return await _with_most(pool, access.project_id, rows[:limit]), following


async def get_recall(resources: Resources, access: Access, recall_id: str) -> dict[str, Any]:
    """One of them. Raises Problem 404."""
    pool = await resources.of(access.project_id)
    row = _there(await queries.recall(pool, access.project_id, _uuid(recall_id)))
    return (await _with_most(pool, access.project_id, [row]))[0]


async def dry_run(
    resources: Resources, stored: Stored, access: Access, wanted: RecallRequest
) -> dict[str, Any]:
    """What a recall would bring at most. Raises Problem 403, 404 where the event is not archived, 409, 422."""
    since, until = await _checked(resources, stored, access, wanted)
    row = {
        **wanted.model_dump(include={"event", "type", "source", "subject", "reason"}),
        "id": None,
        "since": since,
        "until": until,
        "state": "dry-run",
        "error": None,
        "events": 0,
        "keep_until": None,
        "created_by": "",
        "created_at": None,
        "ended_at": None,
    }
    return (await _with_most(await resources.of(access.project_id), access.project_id, [row]))[0]


async def create_recall(
    resources: Resources, stored: Stored, access: Access, by: By, wanted: RecallRequest
) -> dict[str, Any]:
    """Ask for one, and begin with it. Raises Problem 403, 404 where the event is not archived, 409, 422."""
    since, until = await _checked(resources, stored, access, wanted)
    recall_id = uuid7()
    pool = await resources.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        await queries.insert(
            connection,
            access.project_id,
            recall_id,
            event=wanted.event,
            since=since,
            until=until,
            type=wanted.type,
            source=wanted.source,
            subject=wanted.subject,
            reason=wanted.reason,
            keep_days=wanted.keep_days,
            by=access.principal,
        )
        row = _there(await queries.recall(connection, access.project_id, recall_id))
        await record(
            connection,
            by,
            "recall.created",
            project_id=access.project_id,
            id=recall_id,
            name=_name(row),
            after=_document(row),
        )
    await _begin(resources, stored, access.project_id, recall_id)
    return await get_recall(resources, access, str(recall_id))


async def end_recall(resources: Resources, access: Access, by: By, recall_id: str) -> None:
    """Stop one, and let its events go again. Raises Problem 403, 404, 409."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN, "A credential that is limited to some events or to a producer cannot do that."
        )
    found = _uuid(recall_id)
    async with (
        (await resources.of(access.project_id)).acquire() as connection,
        connection.transaction(),
    ):
        old = _there(await queries.recall(connection, access.project_id, found))
        if not await queries.end(connection, access.project_id, found):
            raise Problem(CONFLICT, "That recall has ended already.")
        await record(
            connection,
            by,
            "recall.ended",
            project_id=access.project_id,
            id=found,
            name=_name(old),
            before=_document(old),
        )


async def _begin(resources: Resources, stored: Stored, project_id: UUID, recall_id: UUID) -> None:
    """Do what can be done while somebody waits. What fails here is tried again at the next tick."""
    from shared.archive import recalling
    from shared.archive.store import StoreFailed

    ends_at = monotonic() + AT_ONCE_SECONDS
    async with (await resources.pg()).acquire(timeout=2) as connection:
        if not await recalling.lock(connection):
            return
        try:
            job = await queries.job(connection, project_id, recall_id)
            if job is not None:
                await recalling.bring_back(
                    connection, stored.open(), job, lambda: monotonic() < ends_at and not resources.draining
                )
        except StoreFailed as error:
            logger.warning("a recall is gone on with later: %s", error)
        finally:
            await recalling.unlock(connection)


async def _checked(
    resources: Resources, stored: Stored, access: Access, wanted: RecallRequest
) -> tuple[datetime, datetime]:
    """The span of what is asked for, where it may be had; a dry run is refused whatever the recall would be."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN,
            "A credential that is limited to some events or to a producer cannot bring others back.",
        )
    stored.open()
    span = _span(wanted)
    if wanted.event is not None:
        await _check_archived(resources, stored, access, wanted.event)
    return span


async def _check_archived(resources: Resources, stored: Stored, access: Access, uid: UUID) -> None:
    from shared.archive import catalog
    from shared.archive.reading import find

    pool = await resources.of(access.project_id)
    low, high = between(received_at(uid), received_at(uid) + timedelta(milliseconds=1))
    parts = await catalog.parts_between(pool, access.project_id, low, high, limit=10)
    with told():
        if await find(stored.open(), parts, uid) is None:
            raise Problem(NOT_FOUND, "There is no such event in this project's archive.")


async def _with_most(
    pool: "Pool | Connection", project_id: UUID, rows: "Sequence[Record | dict[str, Any]]"
) -> list[dict[str, Any]]:
    counts = await queries.at_most(pool, project_id, [between(row["since"], row["until"]) for row in rows])
    return [
        {**row, "at_most": min(count, 1) if row["event"] is not None else count}
        for row, count in zip(rows, counts, strict=True)
    ]


def _span(wanted: RecallRequest) -> tuple[datetime, datetime]:
    if wanted.event is not None:
        at = received_at(wanted.event)
        return at, at + timedelta(milliseconds=1)
    check_span(wanted.since, wanted.until)
    assert wanted.since is not None
    assert wanted.until is not None
    return wanted.since.astimezone(UTC), wanted.until.astimezone(UTC)


def _name(row: "Record") -> str:
    if row["event"] is not None:
        return str(row["event"])
    return f"{written(row['since'])} to {written(row['until'])}"


def _document(row: "Record") -> dict[str, Any]:
    """A recall as the audit log keeps it, which never forgets."""
    return {
        "event": None if row["event"] is None else str(row["event"]),
        "since": written(row["since"]),
        "until": written(row["until"]),
        "type": row["type"],
        "source": row["source"],
        "subject": row["subject"] and LEFT_OUT,
        "reason": row["reason"],
        "keepUntil": written(row["keep_until"]),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(NOT_FOUND, "There is no such recall in this project.") from None


def _there(row: "Record | None") -> "Record":
    if row is None:
        raise Problem(NOT_FOUND, "There is no such recall in this project.")
    return row
