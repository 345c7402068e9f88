"""Writes what happened: new deliveries and the cursors past their events, in as few commits as there can be."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from events.dispatch import orders, queries
from events.dispatch.orders import Order
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Change, Ending, NewDelivery, Shard
from shared.core.ids import timestamp_ms
from shared.runtime.resources import Resources
from shared.sending.outgoing import Attempted

if TYPE_CHECKING:
    import asyncpg

logger = logging.getLogger("weir.dispatch")

GONE = "gone"
"""Why a subscription is disabled whose sink answered 410."""

NO_DETAIL = "what came back cannot be stored"

MOST_MICROSECONDS = 2**31 - 1
"""What the column holds, some 36 minutes: a process that is stopped for longer sees its requests end after that."""


@dataclass(slots=True)
class Batch:
    """What one transaction writes. It is kept until it was written, or its shards were lost.

    `gone` has the versions at which subscriptions are disabled. `waiting` is what it finds: the orders among those it changes that have something waiting; `promoted` has
    the shard and id of each delivery that is the first of its order by that.
    """

    cursors: dict[Shard, tuple[int, UUID]] = field(default_factory=dict)
    rows: list[NewDelivery] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    gone: dict[UUID, int] = field(default_factory=dict)
    unordered: set[UUID] = field(default_factory=set)
    waiting: set[Order] = field(default_factory=set)
    promoted: list[tuple[int, UUID]] = field(default_factory=list)
    works: int = 0
    bytes: int = 0
    deliveries: int = 0

    def __bool__(self) -> bool:
        return bool(self.cursors or self.changes or self.gone or self.unordered)

    @property
    def is_simple(self) -> bool:
        """Whether one statement does it."""
        return not (self.changes or self.gone or self.unordered) and not any(
            row.ending.held or _waits_in_order(row) for row in self.rows
        )


class Recorder:
    """Collects what has ended and writes it. Only one `write` runs at a time; `changed` says that it should."""

    def __init__(self, resources: Resources, owner: str, lease_seconds: float) -> None:
        self._resources = resources
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._changes: list[Change] = []
        self._gone: dict[UUID, int] = {}
        self._unordered: set[UUID] = set()
        self._batch: Batch | None = None
        self.changed = asyncio.Event()

    def change(self, change: Change) -> None:
        """Write this with the next batch."""
        self._changes.append(change)
        self.changed.set()

    def disable(self, subscription: Subscription) -> None:
        """Disable a subscription whose sink is gone, with the next batch, unless it was changed since."""
        self._gone[subscription.id] = max(subscription.version, self._gone.get(subscription.id, 0))
        self.changed.set()

    def put_in_order(self, subscription_id: UUID) -> None:
        """Take back the time of what is due before its turn, with the next batch."""
        self._unordered.add(subscription_id)
        self.changed.set()

    def has_something(self, shards: Iterable[Shard]) -> bool:
        """Whether `write` would write anything."""
        return bool(
            self._batch
            or self._changes
            or self._gone
            or self._unordered
            or any(s.works and not s.works[0].open for s in shards)
        )

    async def write(self, shards: Collection[Shard], renewed: Callable[[], float]) -> Batch:
        """Write everything that is ready; what was written. Shards that turn out to be others' become `lost`.

        `renewed` gives the moment until which the lease of what is written now holds. Raises what the
        database raises; calling it again writes the same.
        """
        if self._batch is None:
            self._batch = self._collect(shards)
        batch = self._batch
        if batch:
            until = renewed()
            ours = await self._commit(batch)
            for shard, cursor in batch.cursors.items():
                if shard.number in ours:
                    shard.cursor, shard.leased_until = cursor, until
                else:
                    shard.lost = True
        self._batch = None
        return batch

    def _collect(self, shards: Collection[Shard]) -> Batch:
        batch = Batch()
        for shard in shards:
            works = shard.works
            if shard.lost or not works or works[0].open:
                continue
            while works and not works[0].open:
                work = works.popleft()
                batch.works += 1
                batch.bytes += work.size
                batch.deliveries += work.deliveries
                for row in work.rows:
                    row.taken = True
                batch.rows += work.rows
            batch.cursors[shard] = (work.xid, work.uid)
        batch.changes = [change for change in self._changes if not change.shard.lost]
        batch.gone, batch.unordered = self._gone, self._unordered
        self._changes, self._gone, self._unordered = [], {}, set()
        for change in batch.changes:
            batch.cursors.setdefault(change.shard, change.shard.cursor)
        if batch.unordered:
            for shard in shards:
                batch.cursors.setdefault(shard, shard.cursor)
        return batch

    async def _commit(self, batch: Batch) -> set[int]:
        import asyncpg

        pool = await self._resources.stream()
        async with pool.acquire(timeout=5) as connection:
            try:
                return await self._write(connection, batch)
            except asyncpg.CheckViolationError:
                await _ensure_partitions(connection, batch)
            except asyncpg.DeadlockDetectedError:
                logger.warning("a deadlock while recording; once more")
            except asyncpg.DataError as error:
                # Rather than hold up a shard for ever, leave out what came from outside.
                logger.error("what sinks answered cannot be stored", exc_info=error)  # noqa: TRY400
                _leave_out_answers(batch)
            return await self._write(connection, batch)

    async def _write(self, connection: "asyncpg.Connection", batch: Batch) -> set[int]:
        if batch.is_simple:
            return await self._record(connection, batch)
        async with connection.transaction():
            disabled = await queries.disable(connection, batch.gone, GONE) if batch.gone else ()
            await _let_go_of_resumed(connection, batch)
            ours = await self._record(connection, batch)
            changes = [change for change in batch.changes if change.shard.number in ours]
            if changes:
                changes.sort(key=lambda change: change.delivery_id.int)
                await queries.change(connection, ours, [_change_row(change) for change in changes])
                if attempts := [_attempt_row(c, c.attempted) for c in changes if c.attempted is not None]:
                    await queries.add_attempts(connection, attempts)
            if batch.gone:
                await queries.cancel_waiting(connection, batch.gone)
            if batch.unordered:
                await queries.demote(connection, batch.unordered, ours)
            firsts = await orders.promote(connection, _orders(batch, ours))
            batch.waiting = {(row["subscription_id"], row["order_key"]) for row in firsts}
            if disabled:
                await _record_disabled(connection, disabled)
        if held := {(row["subscription_id"], row["order_key"]) for row in firsts if row["held"]}:
            firsts += await orders.promote_resumed(connection, held)
        batch.promoted = [(row["shard"], row["id"]) for row in firsts if row["promoted"]]
        return ours

    async def _record(self, connection: "asyncpg.Connection", batch: Batch) -> set[int]:
        cursors = [(shard.number, shard.epoch, *cursor) for shard, cursor in batch.cursors.items()]
        if not cursors:
            return set()
        numbers = {shard.number for shard in batch.cursors}
        rows = [_delivery_row(row) for row in batch.rows]
        ours = await queries.record(connection, self._owner, self._lease_seconds, cursors, rows)
        if ours != numbers:
            logger.warning("shards %s have another owner", sorted(numbers - ours))
        return ours


async def _record_disabled(connection: "asyncpg.Connection", rows: Sequence[Sequence[Any]]) -> None:
    """Tell the audit log, one project after the other in the order that all do."""
    from shared.audit.by import by_weir
    from shared.audit.record import record

    for project_id, subscription_id, name, state in sorted(rows, key=lambda row: row[0].int):
        await record(
            connection,
            by_weir(),
            "subscription.disabled",
            project_id=project_id,
            id=subscription_id,
            name=name,
            before={"state": state, "stateReason": None},
            after={"state": "disabled", "stateReason": GONE},
        )


async def _let_go_of_resumed(connection: "asyncpg.Connection", batch: Batch) -> None:
    """Hold nothing for a subscription that was resumed meanwhile: nobody would let go of it again.

    The lock makes whoever resumes it from now on wait until these rows can be seen.
    """
    endings = [(row.subscription.id, row.ending) for row in batch.rows if row.ending.held]
    endings += [(c.subscription.id, c.ending) for c in batch.changes if c.ending.held and c.subscription]
    if not endings:
        return
    states = await queries.states(connection, {subscription_id for subscription_id, _ in endings})
    for subscription_id, ending in endings:
        if states.get(subscription_id) != "paused":
            ending.held = False
            ending.next_attempt_at = time.time()


async def _ensure_partitions(connection: "asyncpg.Connection", batch: Batch) -> None:
    moments = [timestamp_ms(row.delivery_id) for row in batch.rows]
    moments += [timestamp_ms(change.delivery_id) for change in batch.changes]
    if moments:
        days = [datetime.fromtimestamp(ms / 1000, UTC).date() for ms in (min(moments), max(moments))]
        await queries.ensure_partitions(connection, days[0], days[1] + timedelta(days=1))


def _leave_out_answers(batch: Batch) -> None:
    endings = [row.ending for row in batch.rows] + [change.ending for change in batch.changes]
    attempts = [e.first for e in endings if e.first] + [c.attempted for c in batch.changes if c.attempted]
    for ending in endings:
        ending.last_error = ending.last_error and NO_DETAIL
        ending.dead_letter = ending.dead_letter and {**ending.dead_letter, "data": None, "lastError": None}
    for attempt in attempts:
        attempt.error, attempt.detail = attempt.error and NO_DETAIL, None


def _waits_in_order(row: NewDelivery) -> bool:
    return row.order_key is not None and row.ending.ended_at is None


def _orders(batch: Batch, ours: Collection[int]) -> set[tuple[UUID, str]]:
    """The orders whose first waiting delivery may have changed.

    A delivery that has ended before it became a row was the first of its order: those after it become rows
    with it or later, and are looked at then.
    """
    found = {
        (row.subscription.id, row.order_key)
        for row in batch.rows
        if row.order_key is not None and _waits_in_order(row)
    }
    for change in batch.changes:
        if change.order_key is not None and change.subscription is not None and change.shard.number in ours:
            found.add((change.subscription.id, change.order_key))
    return found


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds_until(moment: float | None) -> float | None:
    """What is due goes by the database's clock, which may be another than that of this process."""
    return None if moment is None else moment - time.time()


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _first(first: Attempted | None) -> tuple[Any, ...]:
    if first is None:
        return (None, None, None, None, None)
    duration_us = min(first.duration_us, MOST_MICROSECONDS)
    return (_moment(first.started_at), duration_us, first.status_code, first.error, first.detail)


def _delivery_row(row: NewDelivery) -> tuple[Any, ...]:
    """In the order of `queries.DELIVERIES`."""
    ending: Ending = row.ending
    return (
        row.delivery_id,
        row.subscription.project_id,
        row.event_uid,
        row.subscription.id,
        row.subscription.version,
        row.shard,
        ending.status,
        ending.attempt_count,
        ending.held,
        _seconds_until(ending.next_attempt_at),
        _moment(ending.ended_at),
        row.order_key,
        row.position,
        ending.last_status_code,
        ending.last_error,
        *_first(ending.first),
        _text(ending.dead_letter),
    )


def _change_row(change: Change) -> tuple[Any, ...]:
    """In the order of `queries.CHANGE`."""
    ending = change.ending
    return (
        change.delivery_id,
        ending.status,
        ending.attempt_count,
        ending.held,
        _seconds_until(ending.next_attempt_at),
        _moment(ending.ended_at),
        ending.last_status_code,
        ending.last_error,
        *_first(ending.first),
        _text(ending.dead_letter),
    )


def _attempt_row(change: Change, attempted: Attempted) -> tuple[Any, ...]:
    """In the order of `queries.ATTEMPTS`."""
    return (
        change.delivery_id,
        change.ending.attempt_count,
        change.project_id,
        _moment(attempted.started_at),
        min(attempted.duration_us, MOST_MICROSECONDS),
        attempted.status_code,
        attempted.error,
        attempted.detail,
    )
