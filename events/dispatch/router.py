"""From an event to its deliveries."""

import logging
import time
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from asyncpg.pgproto import pgproto

from events.dispatch import endings
from events.dispatch.gates import Gates
from events.dispatch.orders import take_turn
from events.dispatch.subscriptions import Subscribers, Subscription
from events.dispatch.work import Ending, Job, NewDelivery, Work
from shared.core.ids import delivery_id_bytes
from shared.sending.message import Message, message_of
from shared.sending.outgoing import Attempted

if TYPE_CHECKING:
    from asyncpg import Record

ORDER_KEY_CHARACTERS = 256

logger = logging.getLogger("weir.dispatch")


def order_key_of(message: Message) -> str | None:
    """The event's partition key as it is indexed: a long one by its digest. None without one."""
    key = message.event.extensions.get("partitionkey")
    if key is None:
        return None
    text = str(key)
    return text if len(text) <= ORDER_KEY_CHARACTERS else blake2b(text.encode(), digest_size=32).hexdigest()


class Router:
    """Makes the rows and jobs of events, and gives the jobs to their gates."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates

    def route(self, work: Work, row: "Record", subscribers: Subscribers) -> None:
        """Decide about every subscription once.

        An event that cannot be read or judged does not stop those after it.
        """
        try:
            message = message_of(row)
            matches = subscribers.matches(message.event)
        except Exception:
            logger.exception("event %s cannot be read; it is passed over", work.uid)
            return
        for subscription in matches.members:
            try:
                self._deliver(work, message, subscription, _identity(message, subscription))
            except Exception as error:
                _undecided(work, message, subscription, error)
        for subscription, raised in matches.failed:
            _undecided(work, message, subscription, raised)
        work.deliveries = len(work.jobs) + len(work.rows)

    def _deliver(self, work: Work, message: Message, subscription: Subscription, identity: UUID) -> None:
        key = order_key_of(message) if subscription.policy.ordering == "partitionkey" else None
        paused = subscription.state == "paused"
        first = key is None or take_turn(work.shard, subscription.id, key)
        if not paused and first:
            gate = self._gates.of(subscription)
            if not gate.saturated and gate.room > 0:
                job = Job(work.shard, subscription, message, identity, work=work, order_key=key)
                work.jobs.append(job)
                work.open += 1
                gate.put(job)
                return
            gate.saturated = True
        ending = endings.held() if paused else endings.waiting(time.time())
        if key is not None:
            ending.next_attempt_at = None  # until it is the first of its order
        work.rows.append(
            NewDelivery(
                work.shard.number,
                identity,
                message.uid,
                subscription,
                ending,
                key,
                None if key is None else work.xid,
            )
        )


def _identity(message: Message, subscription: Subscription) -> UUID:
    identity: UUID = pgproto.UUID(delivery_id_bytes(message.uid.bytes, subscription.id.bytes))
    return identity


def _undecided(work: Work, message: Message, subscription: Subscription, error: Exception) -> None:
    """Note a delivery that is dead because it could not be decided about."""
    logger.error("event %s, subscription %s", message.uid, subscription.id, exc_info=error)
    now, text = time.time(), f"could not be decided: {type(error).__name__}"
    ending = Ending("dead", 1, ended_at=now, last_error=text, first=Attempted(now, 0, None, text, None))
    identity = _identity(message, subscription)
    work.rows.append(NewDelivery(work.shard.number, identity, message.uid, subscription, ending))
