"""Which events of a project legal holds keep from being destroyed."""

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.archive.wanted import Wanted, wanted_of

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

COLUMNS = "project_id, type, source, subject, since, until"


class Holding:
    """The holds of one project that are not lifted. `sha256` tells them from others."""

    def __init__(self, rows: Iterable[Any]) -> None:
        """`rows` have the COLUMNS."""
        self._holds: frozenset[Wanted] = frozenset(wanted_of(row) for row in rows)
        self.sha256 = sha256("\n".join(sorted(map(repr, self._holds))).encode()).digest()

    def keeps(self, uid: UUID, event_type: str, source: str, subject: str | None) -> bool:
        """Whether one of them means an event with these attributes."""
        return any(hold.means(uid, event_type, source, subject) for hold in self._holds)

    def names(self, subject: str) -> bool:
        """Whether one of them is of that subject: then it says so itself, whatever there is of it."""
        return any(hold.subject == subject for hold in self._holds)


async def holding_of(on: "Connection | Pool", project_id: UUID) -> Holding:
    """Those of a project, now."""
    rows = await on.fetch(
        f"SELECT {COLUMNS} FROM holds WHERE project_id = $1 AND lifted_at IS NULL",  # noqa: S608 a constant
        project_id,
        timeout=30,
    )
    return Holding(rows)
