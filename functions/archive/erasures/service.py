"""The use cases of erasures. What is asked for here is done by `housekeep`, tick by tick."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.archive.erasures import queries
from functions.archive.erasures.schemas import ErasureRequest
from functions.archive.stored import Stored, told
from shared.archive import catalog
from shared.archive.holding import holding_of
from shared.archive.subjects import digest_of, kept_in
from shared.archive.wanted import Wanted, day_of
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.core.ids import uuid7
from shared.core.problems import FORBIDDEN, NOT_FOUND, Problem
from shared.runtime.listing import read_cursor, write_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from shared.archive.lines import Line
    from shared.core.cloudevents import Event
    from shared.db.project_pool import ProjectPool

COUNTED = 10_000
SEARCH_SECONDS = 10.0


async def list_erasures(
    resources: Resources, access: Access, *, subject: str | None, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's erasures, newest first; of one subject alone. Raises Problem 422 for a bad cursor."""
    rows = await queries.erasures(
        await resources.of(access.project_id),
        access.project_id,
        digest=None if subject is None else digest_of(_secret(resources), access.project_id, subject),
        before=read_cursor(cursor),
        limit=limit + 1,
    )
    return rows[:limit], write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None


async def get_erasure(resources: Resources, access: Access, erasure_id: str) -> "Record":
    """One of them. Raises Problem 404."""
    try:
        found = UUID(erasure_id)
    except ValueError:
        raise _missing() from None
    row = await queries.erasure(await resources.of(access.project_id), access.project_id, found)
    if row is None:
        raise _missing()
    return row


async def dry_run(
    resources: Resources, stored: Stored, access: Access, wanted: ErasureRequest
) -> dict[str, Any]:
    """What an erasure would come to. Raises Problem 403, 503."""
    _check_rights(access)
    pool = await resources.of(access.project_id)
    holding = await holding_of(pool, access.project_id)
    rows = await queries.of_subject(pool, access.project_id, wanted.subject, limit=COUNTED + 1)
    archived = await queries.archived_days(pool, access.project_id)
    lines, all_looked = await _archived(pool, stored, access, wanted.subject)
    kept = [holding.keeps(row["uid"], row["type"], row["source"], wanted.subject) for row in rows]
    kept_there = sum(
        holding.keeps(line.uid, event.type, event.source, wanted.subject) for line, event in lines
    )
    return {
        "id": None,
        "subject": wanted.subject,
        "digest": digest_of(_secret(resources), access.project_id, wanted.subject).hex(),
        "reason": wanted.reason,
        "state": "dry-run",
        "events": min(len(rows) - sum(kept), COUNTED),
        "archived_events": len(lines) - kept_there,
        # One that is in both is one.
        "held": kept_there
        + sum(
            is_kept and day_of(row["uid"]) not in archived for row, is_kept in zip(rows, kept, strict=True)
        ),
        "is_exact": all_looked and len(rows) <= COUNTED,
        "kept_in": await kept_in(pool, access.project_id, wanted.subject),
        "days": 0,
        "days_looked": 0,
        "created_by": "",
        "created_at": None,
        "ended_at": None,
    }


async def _archived(
    pool: "Pool | ProjectPool", stored: Stored, access: Access, subject: str
) -> "tuple[list[tuple[Line, Event]], bool]":
    """The archived events of a subject, as far as there is time for; whether that is all."""
    if stored.kind == "none":
        return [], True
    from shared.archive.lines import event_of
    from shared.archive.reading import newest

    everything = Wanted()
    parts = await catalog.parts_between(
        pool, access.project_id, everything.low, everything.high, limit=100_000
    )
    with told():
        page = await newest(
            stored.open(),
            parts,
            Wanted(subject=subject),
            COUNTED,
            seconds=SEARCH_SECONDS,
            frames=COUNTED,
        )
    return [(line, event_of(line)) for line in page.lines], page.next is None


async def create_erasure(resources: Resources, access: Access, by: By, wanted: ErasureRequest) -> "Record":
    """Ask for one. Raises Problem 403.

    The audit log is never changed, so it has the digest alone.
    """
    _check_rights(access)
    erasure_id = uuid7()
    digest = digest_of(_secret(resources), access.project_id, wanted.subject)
    async with (
        (await resources.of(access.project_id)).acquire() as connection,
        connection.transaction(),
    ):
        await queries.insert(
            connection,
            access.project_id,
            erasure_id,
            subject=wanted.subject,
            digest=digest,
            reason=wanted.reason,
            by=access.principal,
        )
        row = await queries.erasure(connection, access.project_id, erasure_id)
        assert row is not None
        await record(
            connection,
            by,
            "erasure.created",
            project_id=access.project_id,
            id=erasure_id,
            name=digest.hex()[:12],
            after={"digest": digest.hex(), "reason": wanted.reason},
        )
        return row


def _secret(resources: Resources) -> str:
    return resources.settings.secret.get_secret_value()


def _check_rights(access: Access) -> None:
    if access.is_restricted:
        raise Problem(
            FORBIDDEN,
            "A credential that is limited to some events or to a producer cannot have others erased.",
        )


def _missing() -> Problem:
    return Problem(NOT_FOUND, "There is no such erasure in this project.")
