"""The use cases of a project's retention."""

from typing import TYPE_CHECKING, Any

from functions.archive.retention import queries
from functions.archive.retention.schemas import RetentionRequest
from shared.archive.wanted import day_of
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.stores import Stores
from shared.core.problems import FORBIDDEN, INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Record


async def get_retention(stores: Stores, access: Access) -> dict[str, Any]:
    """For how long the project keeps its events. Raises Problem 404 when it has just gone."""
    pool = await stores.of(access.project_id)
    row = _there(await queries.retention_of(pool, access.project_id))
    return {
        "retention_days": row["retention_days"],
        "archive_days": row["archive_days"],
        "oldest": None if row["first_uid"] is None else day_of(row["first_uid"]),
        "oldest_archived": row["first_day"],
        "waiting": [dict(wait) for wait in await queries.waits_of(pool, access.project_id)],
    }


async def replace_retention(stores: Stores, access: Access, by: By, wanted: RetentionRequest) -> None:
    """Say for how long; it is gone by from the next tick on. Raises Problem 403, 404, 422."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN,
            "A credential that is limited to some events or to a producer cannot set how long all are kept.",
        )
    if wanted.retention_days is None and wanted.archive_days is not None:
        raise _invalid("needs retentionDays beside it: what stays in the database does not go to the archive")
    if (
        wanted.archive_days
        and wanted.retention_days is not None
        and wanted.archive_days <= wanted.retention_days
    ):
        raise _invalid("must be more than retentionDays, or 0 for no archive")
    async with (
        (await stores.of(access.project_id)).acquire() as connection,
        connection.transaction(),
    ):
        old = _there(await queries.lock(connection, access.project_id))
        said = {"retention_days": wanted.retention_days, "archive_days": wanted.archive_days}
        await queries.replace(connection, access.project_id, **said)
        await record(
            connection,
            by,
            "retention.changed",
            project_id=access.project_id,
            id=access.project_id,
            name=old["name"],
            before={"retentionDays": old["retention_days"], "archiveDays": old["archive_days"]},
            after={"retentionDays": wanted.retention_days, "archiveDays": wanted.archive_days},
        )


def _invalid(detail: str) -> Problem:
    return Problem(
        INVALID, "The request has values that cannot be used.", errors=[Fault("/archiveDays", detail)]
    )


def _there(row: "Record | None") -> "Record":
    if row is None:
        raise Problem(NOT_FOUND, "There is no such project any more.")
    return row
