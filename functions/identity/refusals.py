"""Tries to sign in that failed, in the audit log: only so many in an hour, whoever tries."""

from hashlib import sha256
from typing import TYPE_CHECKING

from shared.audit.by import By
from shared.audit.record import record
from shared.cache.windows import Limit, Windows
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

OF_ACCOUNT = Limit("refused-account", 20, 3600)
OF_NOBODY = Limit("refused-nobody", 300, 3600)
"""Of all that name no account together: who makes addresses up must not fill a log that keeps everything."""


class Refusals:
    """Records them. It does the same for accounts that are there and that are not, so that time does not tell."""

    def __init__(self) -> None:
        self._windows = Windows()

    async def record(self, resources: Resources, by: By, account: "Record | None") -> None:
        """Keep that somebody failed to sign in to `account`; of what names none, no text of theirs is kept."""
        name = "nobody" if account is None else sha256(account["id"].bytes).hexdigest()[:32]
        limit = OF_NOBODY if account is None else OF_ACCOUNT
        if await self._windows.count(await resources.redis(), {f"weir:refusals:{name}": limit}):
            return
        async with (await resources.pg()).acquire() as connection, connection.transaction():
            await record(
                connection,
                by,
                "session.refused",
                project_id=None,
                id=None if account is None else account["id"],
                name="no account" if account is None else account["email"],
                after={"how": "password"},
            )
