"""The use cases of a project's settings."""

from typing import TYPE_CHECKING, Any

from functions.projects.settings import queries
from functions.projects.settings.schemas import SettingsBody
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.stores import Stores
from shared.core.problems import FORBIDDEN, INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Record


async def get_settings(stores: Stores, access: Access) -> "Record":
    """What the project has set. Raises Problem 404 when it has just gone."""
    return _there(await queries.settings_of(await stores.of(access.project_id), access.project_id))


async def replace_settings(stores: Stores, access: Access, by: By, wanted: SettingsBody) -> "Record":
    """Set all of it; it holds everywhere within a second. Raises Problem 403, 404, 422."""
    if access.is_restricted:
        raise Problem(
            FORBIDDEN, "A credential that is limited to some events or to a producer cannot set limits."
        )
    if wanted.burst is not None and wanted.rate_per_second is None:
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/burst", "needs ratePerSecond beside it")],
        )
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        old = _there(await queries.lock(connection, access.project_id))
        row = _there(
            await queries.replace(
                connection,
                access.project_id,
                rate_per_second=wanted.rate_per_second,
                burst=wanted.burst,
                allowed_origins=list(dict.fromkeys(origin.lower() for origin in wanted.allowed_origins)),
            )
        )
        await record(
            connection,
            by,
            "settings.changed",
            project_id=access.project_id,
            id=access.project_id,
            name=old["name"],
            before=_document(old),
            after=_document(row),
        )
        return row


def _document(row: "Record") -> dict[str, Any]:
    """The settings as the audit log keeps them."""
    return {
        "ratePerSecond": row["rate_per_second"],
        "burst": row["burst"],
        "allowedOrigins": row["allowed_origins"],
    }


def _there(row: "Record | None") -> "Record":
    if row is None:
        raise Problem(NOT_FOUND, "There is no such project any more.")
    return row
