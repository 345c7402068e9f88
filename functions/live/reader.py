"""One reader: what waits for it, within bounds, and what it was not sent, and why."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Literal

from functions.live import frames
from functions.live.entry import Entry
from functions.live.position import Position, instant

QUEUE_BYTES = 512 * 1024
QUEUE_EVENTS = 1_024
"""What may wait for a reader that does not keep up; the rest is dropped, and it is told how many and where."""

PIECE_BYTES = 64 * 1024
"""How much is put together to be sent at once: what waits is shared by the readers who want it, a piece is not."""

HELD_EVENTS = 4_096
"""What may wait while a reader catches up with the last moments before it follows."""

Reason = Literal["rate", "slow"]


@dataclass(slots=True)
class _Dropped:
    """Events that were left out in a row, for one reason."""

    reason: Reason
    first_ms: int
    last_ms: int
    last: Position
    count: int = 1


class Reader:
    """Gets entries in the order of commits by `offer`; `next` gives what goes over the wire.

    At most `rate_per_second` events of one second of receipt are sent. That is by the clock of the events, so that it
    makes no difference whether they are watched or caught up with.
    """

    def __init__(self, *, rate_per_second: int | None = None, data_max_bytes: int | None = None) -> None:
        self._rate = rate_per_second
        self._data_max_bytes = data_max_bytes
        self._from_ms = 0
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._something = asyncio.Event()
        self._second = -1
        self._in_second = 0
        self._dropped: _Dropped | None = None
        self._held: deque[Entry] | None = None
        self._ended = False
        self.after = Position.least()
        self.reached = self.after

    def begin(self, from_ms: int) -> None:
        """Want nothing that was received before."""
        self._from_ms = from_ms

    def hold(self) -> None:
        """Keep what comes from now on until `release`."""
        self._held = deque()

    def release(self) -> None:
        """Take what was kept, and keep nothing from here on."""
        held, self._held = self._held or (), None
        for entry in held:
            self.offer(entry)

    def offer(self, entry: Entry, *, waits: bool = False) -> None:
        """An event that it wants. `waits` says that whoever offers waits for the reader: nothing is too much then."""
        if self._held is not None and not waits:
            if len(self._held) < HELD_EVENTS:
                self._held.append(entry)
            else:
                self._drop(entry, "slow")
            return
        if self._ended or entry.position <= self.after or entry.ms < self._from_ms:
            return
        self.after = entry.position
        second = entry.ms // 1000
        if second > self._second:
            if waits or not self._is_full:
                self._tell_dropped()
            self._second, self._in_second = second, 0
        if self._rate is not None and self._in_second >= self._rate:
            self._drop(entry, "rate")
            return
        if not waits and self._is_full:
            self._drop(entry, "slow")
            return
        self._in_second += 1
        self._tell_dropped()
        self._put(entry.frame(self._data_max_bytes))

    def reach(self, position: Position, now_ms: int) -> None:
        """The stream was read up to there; whatever of it this reader wants it was offered."""
        self.reached = position
        if self._dropped is not None and now_ms // 1000 > self._second and not self._is_full:
            self._tell_dropped()

    def tell(self, kind: str, *, place: Position | None = None, **members: object) -> None:
        """A message of our own, in its place."""
        self._put(frames.told(kind, None if place is None else str(place), **members))

    def end(self, reason: str, **members: int | str) -> None:
        """The last message."""
        if not self._ended:
            self._tell_dropped()
            self._put(frames.told("end", None, reason=reason, **members))
            self._ended = True

    async def next(self, beat_seconds: float) -> bytes:
        """The next piece to be sent; a beat where there is nothing for so long."""
        if not self._queue:
            self._something.clear()
            try:
                async with asyncio.timeout(beat_seconds):
                    await self._something.wait()
            except TimeoutError:
                return self._beat()
        piece, size = [], 0
        while self._queue and size < PIECE_BYTES:
            piece.append(self._queue.popleft())
            size += len(piece[-1])
        self._bytes -= size
        return b"".join(piece)

    @property
    def ended(self) -> bool:
        """Whether all is sent that there will be."""
        return self._ended and not self._queue

    def _beat(self) -> bytes:
        # What was dropped and not told yet is told after a reconnect, so that is not moved past.
        return frames.beat(None if self._dropped is not None else str(max(self.after, self.reached)))

    def take(self) -> bytes:
        """All that waits, in one piece."""
        piece = b"".join(self._queue)
        self._queue.clear()
        self._bytes = 0
        return piece

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be sent."""
        return self._bytes

    @property
    def _is_full(self) -> bool:
        return self._bytes >= QUEUE_BYTES or len(self._queue) >= QUEUE_EVENTS

    def _put(self, frame: bytes) -> None:
        self._queue.append(frame)
        self._bytes += len(frame)
        self._something.set()

    def _drop(self, entry: Entry, reason: Reason) -> None:
        dropped = self._dropped
        if dropped is not None and dropped.reason != reason and not self._is_full:
            self._tell_dropped()
            dropped = None
        if dropped is None:
            self._dropped = _Dropped(reason, entry.ms, entry.ms, entry.position)
            return
        dropped.count += 1
        dropped.reason = reason
        dropped.last_ms = max(dropped.last_ms, entry.ms)
        dropped.last = entry.position

    def _tell_dropped(self) -> None:
        dropped, self._dropped = self._dropped, None
        if dropped is None:
            return
        members = {"limit": self._rate} if dropped.reason == "rate" else {}
        self._put(
            frames.told(
                "dropped",
                str(dropped.last),
                count=dropped.count,
                reason=dropped.reason,
                since=instant(dropped.first_ms),
                until=instant(dropped.last_ms),
                **members,
            )
        )
