"""What is looked for in the audit log: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.core.ids import floor

FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)

_WITH_IDS = frozenset({"user", "key"})
_KINDS = _WITH_IDS | {"operator", "weir", "nobody"}

_SLACK = timedelta(minutes=10)
"""An id is made before its row is numbered and dated: by the wait for others, and what clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What all must hold. `actor` is `user:ID`, `key:ID`, `KIND:NAME` of others, or a name; `thing` an id or a name.

    `actions` and `kinds` are any of them. `text` may be anywhere in a row, in any case.
    """

    actor: str | None = None
    actions: Sequence[str] = ()
    kinds: Sequence[str] = ()
    thing: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    @property
    def low(self) -> UUID:
        """No row of the time has a smaller id."""
        if self.since is None:
            return FIRST
        return floor(int((self.since.timestamp() - _SLACK.total_seconds()) * 1000))

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What `queries.FITS` asks for, in its order."""
        kind, _, rest = (self.actor or "").partition(":")
        known = kind in _KINDS and bool(rest)
        return (
            kind if known else None,
            rest if known and kind in _WITH_IDS else None,
            rest if known and kind not in _WITH_IDS else None if known else self.actor,
            list(self.actions) or None,
            list(self.kinds) or None,
            self.thing,
            self.since,
            self.until,
            self.text,
        )
