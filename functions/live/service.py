"""A tail from its first moment to its last: what was missed, then what comes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from functions.live import queries
from functions.live.frames import told
from functions.live.position import AHEAD_MS, PAST_MS, Position, instant, milliseconds, read_position
from functions.live.reader import Reader
from functions.live.settings import LiveSettings
from functions.live.stream import TURN, Page, Stream
from functions.live.wanted import Test, Wanted, compile_wanted, refusal
from shared.core.ids import floor, timestamp_ms
from shared.core.problems import FORBIDDEN, INVALID, NOT_FOUND, UNAUTHENTICATED, Fault, Problem
from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

CATCH_UP_BYTES = 1024 * 1024
"""What is read at once for one reader that catches up, and waits to be sent before more is read."""

RETRY = b"retry: 1000\n\n"

Check = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a tail begins: after what was sent last, or with what was received since; now without either."""

    after: Position | None = None
    since_ms: int | None = None


def read_start(last_event_id: str | None, since: datetime | None) -> Start:
    """Raises Problem 422 for a place that no answer has named, and for what is too long ago."""
    now = time.time_ns() // 1_000_000
    if last_event_id:
        after = read_position(last_event_id)
        if after is None or after.ms > now + AHEAD_MS:
            raise Problem(
                INVALID,
                "The request has values that cannot be used.",
                errors=[Fault("/header/Last-Event-ID", "is not an id that this stream has given")],
            )
        return Start(after=after)
    if since is None:
        return Start()
    since_ms = milliseconds(since)
    if since_ms < now - PAST_MS:
        raise refusal("since", "is more than 24 hours ago: list older events by GET …/events?since=")
    return Start(since_ms=min(since_ms, now))


class Tail:
    """One reader of one project's stream."""

    def __init__(
        self,
        stream: Stream,
        resources: Resources,
        project_id: UUID,
        wanted: Wanted,
        *,
        start: Start,
        rate_per_second: int | None,
        data_max_bytes: int | None,
        check: Check,
        settings: LiveSettings,
    ) -> None:
        self._stream = stream
        self._resources = resources
        self._project_id = project_id
        self._wanted = wanted
        self._test: Test = compile_wanted(wanted)
        self._start = start
        self._check = check
        self._checked = time.monotonic()
        self._settings = settings
        self._reader = Reader(rate_per_second=rate_per_second, data_max_bytes=data_max_bytes)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What goes over the wire. The stream has to run."""
        yield RETRY
        until = time.monotonic() + self._settings.live_stream_seconds
        try:
            async for piece in self._arrive():
                yield piece
            async for piece in self._follow(until):
                yield piece
        except Exception as error:
            if not is_outage(error):
                raise
            yield told("end", None, reason="away")
        finally:
            self._stream.leave(self._project_id, self._wanted, self._reader)

    async def _follow(self, until: float) -> AsyncGenerator[bytes, None]:
        """Send what comes until then, or until the credential is refused."""
        beat = self._settings.live_beat_seconds
        while not self._reader.ended:
            now = time.monotonic()
            if now >= until:
                self._reader.end("time")
            else:
                await self._check_again()
            yield await self._reader.next(min(beat, max(0.0, until - now)))

    async def _arrive(self) -> AsyncGenerator[bytes, None]:
        """Send what there is from the start on, then follow."""
        reader = self._reader
        after = await self._beginning()
        if after is not None:
            page = Page([], after)
            while True:
                page = await self._page(page.until)
                await self._offer(page)
                # Whoever reads slowly catches up for long.
                await self._check_again()
                if self._resources.draining:
                    reader.end("restart")
                yield reader.take() or b": catching up\n\n"
                if reader.ended:
                    return
                if not page.more:
                    break
            after = page.until
        await self._stream.start()
        reader.hold()
        place = self._stream.join(self._project_id, self._wanted, reader)
        while after is not None and after < place:
            # What was stored between the last look and the moment from which the stream is followed.
            page = await self._page(after, until=place.xid)
            await self._offer(page, until=place)
            yield reader.take()
            after = page.until if page.more else None
        reader.reach(max(place, reader.after), 0)
        reader.after = max(place, reader.after)
        reader.tell("live", place=reader.after)
        reader.release()

    async def _beginning(self) -> Position | None:
        """The place after which to start; None for now."""
        start = self._start
        after, since_ms = start.after, start.since_ms
        if after is None and since_ms is None:
            return None
        await self._stream.start()
        head = self._stream.position
        oldest = time.time_ns() // 1_000_000 - PAST_MS
        if after is not None:
            if after.ms < oldest:
                self._reader.tell(
                    "dropped", count=None, reason="past", since=instant(after.ms), until=instant(oldest)
                )
                since_ms = oldest
            elif after.xid > head.xid and after.xid >= await queries.horizon(await self._resources.stream()):
                since_ms = after.ms  # it is of a server from before this database was restored
            else:
                self._reader.after = after
                return after
        assert since_ms is not None
        self._reader.begin(since_ms)
        low = floor(since_ms)
        async with (await self._resources.of(self._project_id)).acquire() as conn:
            first = await queries.first_since(conn, self._project_id, low)
        return head if first is None else min(Position(first.xid, low), head)

    async def _page(self, after: Position, until: int | None = None) -> Page:
        return await self._stream.page([self._project_id], after, until, byte_limit=CATCH_UP_BYTES)

    async def _offer(self, page: Page, until: Position | None = None) -> None:
        for number, (_, entry) in enumerate(page.entries, 1):
            if (until is None or entry.position <= until) and self._test(entry):
                self._reader.offer(entry, waits=True)
            if not number % TURN:
                await asyncio.sleep(0)

    async def _check_again(self) -> None:
        """Each beat, end with what the credential is refused for now. A store that is away refuses nobody."""
        now = time.monotonic()
        if now - self._checked < self._settings.live_beat_seconds:
            return
        self._checked = now
        try:
            await self._check()
        except Problem as problem:
            if problem.kind in {UNAUTHENTICATED, FORBIDDEN, NOT_FOUND}:
                self._reader.end("refused", status=problem.kind.status, detail=problem.detail)
        except Exception as error:
            if not is_outage(error):
                raise


async def outcomes(resources: Resources, project_id: UUID, uids: list[UUID]) -> "list[Record]":
    """How the deliveries of these events stand."""
    lows = [floor(timestamp_ms(uid)) for uid in uids]
    highs = [floor(timestamp_ms(uid) + 1) for uid in uids]
    async with (await resources.reading_of(project_id)).acquire() as conn:
        return await queries.outcomes(conn, project_id, uids, lows, highs)
