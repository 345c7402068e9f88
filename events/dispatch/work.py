"""What the dispatcher holds in memory: shards, the events read of them, the deliveries to be attempted."""

from collections import deque
from typing import Any
from uuid import UUID

import msgspec

from events.dispatch.subscriptions import Subscription
from shared.sending.message import Message
from shared.sending.outgoing import Attempted


class Shard(msgspec.Struct, eq=False):
    """A shard whose lease is ours.

    `position` (xid, uid) is how far it has been read, `cursor` how far everything is recorded. `works` are the
    events in between, in order. `busy_until` is when what takes long of it has probably ended, 0 when nothing does. Of one
    that is `ending` nothing is started that may take long and end later than that, so that it can be given
    away then; of one that is `leaving`, nothing at all. `lost` is set when somebody else has it: nothing of it may be written.
    `orders` has, for each ordered subscription that is known, the order keys with a delivery that has not
    ended, and how many of those are not on record yet; `unknown_orders` those that are not known, and from
    when on it may be asked what of them waits; `followers` deliveries that wait for their turn, and until when
    what is known of them is fresh. `leased_until`, `busy_until` and `stays_until`, before which it is not handed over, are
    moments of the monotonic clock. `busy_looks` and `told_at` are `load`'s.
    """

    number: int
    epoch: int
    cursor: tuple[int, UUID]
    position: tuple[int, UUID]
    leased_until: float
    deadline: float
    works: "deque[Work]" = msgspec.field(default_factory=deque)
    busy_until: float = 0.0
    stays_until: float = 0.0
    busy_looks: int = 0
    told_at: float = 0.0
    looked_back: bool = False
    ending: bool = False
    leaving: bool = False
    lost: bool = False
    orders: dict[UUID, dict[str, int]] = msgspec.field(default_factory=dict)
    unknown_orders: dict[UUID, float] = msgspec.field(default_factory=dict)
    followers: "dict[UUID, tuple[Job, float]]" = msgspec.field(default_factory=dict)


class Work(msgspec.Struct, eq=False):
    """One event that was read: the rows to be inserted for it, and how many deliveries have not ended yet.

    `deliveries` is to how many it leads in all.
    """

    shard: Shard
    xid: int
    uid: UUID
    size: int
    read_at: float
    rows: list["NewDelivery"] = msgspec.field(default_factory=list)
    jobs: list["Job"] = msgspec.field(default_factory=list)
    open: int = 0
    deliveries: int = 0


class Job(msgspec.Struct, eq=False):
    """A delivery that is to be attempted now, or is under way.

    `attempt` is the number of this attempt, from 1, `started_at` when that was started (monotonic), None before. `work` is set while it is the event's first and no row
    stands for it. `row` is the row that stands for it while that is not written yet. `withdrawn` jobs are not
    started any more. `dead_letter` makes it a request to the dead letter sink. `companions` go in the same
    request, where the subscription takes batches. `replay_id` is the replay that delivers it again; retries are counted from
    the attempt after `attempts_before` on.
    """

    shard: Shard
    subscription: Subscription
    message: Message
    delivery_id: UUID
    attempt: int = 1
    work: Work | None = None
    row: "NewDelivery | None" = None
    withdrawn: bool = False
    started_at: float | None = None
    order_key: str | None = None
    dead_letter: dict[str, Any] | None = None
    companions: "list[Job] | None" = None
    replay_id: UUID | None = None
    attempts_before: int = 0


class Ending(msgspec.Struct, eq=False):
    """What an attempt or a decision makes of a delivery. Times are Unix seconds; `first` is of attempt 1."""

    status: str
    attempt_count: int
    held: bool = False
    next_attempt_at: float | None = None
    ended_at: float | None = None
    last_status_code: int | None = None
    last_error: str | None = None
    first: "Attempted | None" = None
    dead_letter: dict[str, Any] | None = None


class NewDelivery(msgspec.Struct, eq=False):
    """A delivery row to be inserted. `taken` when a statement with it is under way or done."""

    shard: int
    delivery_id: UUID
    event_uid: UUID
    subscription: Subscription
    ending: Ending
    order_key: str | None = None
    position: int | None = None
    taken: bool = False


class Change(msgspec.Struct, eq=False):
    """What became of a delivery that is a row already; `attempted` when it was not its first attempt.

    `replay_id` as of a job.
    """

    shard: Shard
    delivery_id: UUID
    subscription: Subscription | None
    project_id: UUID
    ending: Ending
    order_key: str | None = None
    attempted: Attempted | None = None
    replay_id: UUID | None = None
