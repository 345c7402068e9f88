"""Places in the stream of events, in the order of their commits: pure."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from shared.core.ids import floor, timestamp_ms

DAY_MS = 86_400_000
PAST_MS = DAY_MS
"""How far back a reader may go on."""

AHEAD_MS = 3_600_000
"""What clocks may differ: no event was received later than so long from now."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(r"([0-9]{1,19})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII).fullmatch


class Position(NamedTuple):
    """After the event `uid` of the transaction `xid`: as text it is the id of what was sent, for `Last-Event-ID`."""

    xid: int
    uid: UUID

    @classmethod
    def least(cls) -> Self:
        """Before everything."""
        return cls(0, UUID(int=0))

    @classmethod
    def now(cls, horizon: int) -> Self:
        """Before all that is stored from now on, where every transaction below `horizon` has ended."""
        return cls(horizon - 1, floor(time.time_ns() // 1_000_000))

    def __str__(self) -> str:
        return f"{self.xid}-{self.uid}"

    @property
    def ms(self) -> int:
        """When its event was received, in Unix milliseconds."""
        return timestamp_ms(self.uid)

    @property
    def since(self) -> UUID:
        """Where to look for what follows: a day before it, because the clocks of those who store differ."""
        return floor(max(0, self.ms - DAY_MS))


def read_position(text: str) -> Position | None:
    """The place that a text stands for; None for one that no answer of ours has had."""
    found = _TEXT(text)
    if found is None or int(found[1]) >= 2**63:
        return None
    return Position(int(found[1]), UUID(found[2]))


def instant(ms: int) -> datetime:
    """Unix milliseconds as an instant in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def milliseconds(moment: datetime) -> int:
    """Unix milliseconds, rounded up: times of receipt are whole ones."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))
