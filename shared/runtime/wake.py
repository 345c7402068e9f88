"""Telling dispatch that shards have work. A wake is a hint: losing one delays, never loses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from shared.contracts.wake import Wake as Hint
from shared.core.ids import SHARDS
from shared.runtime.outage import is_outage

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from shared.runtime.broker import Broker
    from shared.runtime.early import EarlyWake
    from shared.runtime.local_broker import LocalBroker

CHANNEL = "weir:wake:{}"
EARLY_SECONDS = 0.25
"""How long a start may be held up by a broker that is not there."""

BROKER_INTERVAL_SECONDS = 1.0
REDIS_PAUSE_SECONDS = 1.0
"""How long Redis is left alone after it did not answer, so that its absence costs no time-outs."""

REDIS_TIMEOUT_SECONDS = 1.0
CLOSE_SECONDS = 10.0
"""How long the end of a process waits for the broker's answer. Hanging up takes the wake back from whoever holds it,
and a dispatcher at zero needs seconds to get it."""

Listener = Callable[[frozenset[int]], Collection[int] | None]
"""Gets shards that have new work; answers which of them it takes care of. Must not block or raise."""

logger = logging.getLogger("weir")


class Carrier(Protocol):
    """What brings Weir's own events to whoever handles them: a broker, a queue, a bus."""

    async def send(self, kind: str, data: Any) -> bool:
        """Send an event of type `kind`. Whether it was taken: a hint may be lost, so nothing is raised."""

    async def close(self) -> None:
        """Let go of what was opened."""


class Wake:
    """Wakes by the shortest way there is: this process, Redis, then the broker.

    Calls that come while a round is under way are joined into the next one, so a thousand commits make a
    handful of messages. The broker is asked at most once a second for each shard, at the end of that
    second again if anything came in it.

    `carrier` is the broker of the environment (`K_SINK`) unless another is set before the first wake.
    """

    def __init__(self, redis: "Callable[[], Awaitable[Redis]]") -> None:
        self.local: LocalBroker | None = None
        self.carrier: Carrier | None = None
        self._redis = redis
        self._listeners: list[Listener] = []
        self._waiting: set[int] = set()
        self._sender: asyncio.Task[None] | None = None
        self._asked_at: dict[int, float] = {}
        self._early: set[int] = set()
        self._later: asyncio.TimerHandle | None = None
        self._redis_away_until = 0.0
        self._asking: set[asyncio.Task[bool]] = set()
        self._closed = False

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every wake in this process. Returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def shards(self, shards: Iterable[int]) -> None:
        """Say that `shards` have new work. Returns at once and never raises; needs a running loop."""
        left = frozenset(shards)
        for listener in self._listeners:
            if not left:
                return
            left -= frozenset(listener(left) or ())
        if left and not self._closed:
            self._waiting |= left
            self._start()

    async def early(self, sent: "EarlyWake | None" = None) -> None:
        """Have a dispatcher started before there is anything to tell: on Knative it starts beside this process.

        For a process that starts because work is coming. Where it was not `sent` before, this returns as soon as the wake
        has gone out, for what loads a function lets nothing else run.
        """
        if (broker := self._knative()) is None:
            return
        every = set(range(SHARDS))
        self._note(every)
        connection = None if sent is None else sent.connection()
        if connection is not None:
            self._start_asking(broker.send(Hint.TYPE, _data(every), connection=connection))
            return
        gone = asyncio.Event()
        asking = self._start_asking(broker.send(Hint.TYPE, _data(every), gone))
        going = asyncio.get_running_loop().create_task(gone.wait())
        await asyncio.wait({asking, going}, timeout=EARLY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        going.cancel()

    def stay(self, shard: int, seconds: float) -> None:
        """Have Knative see for so long that there is a lot to do in `shard`; see `Hint`. Returns at once."""
        if not self._closed and (broker := self._knative()) is not None:
            self._start_asking(broker.send(Hint.TYPE, _data({shard}, seconds)))

    def tell(self, kind: str, data: object) -> None:
        """Send an event of Weir's own to whoever handles its type. Returns at once and never raises: it is a hint too."""
        if self._closed:
            return
        if self.local is not None:
            self.local.send({"type": kind, "source": "/weir", "data": data})
            return
        if self.carrier is None:
            from shared.runtime.broker import Broker

            self.carrier = Broker.from_environment()
        self._start_asking(self.carrier.send(kind, data))

    async def settle(self, timeout_seconds: float) -> None:
        """Send what is waiting now, whether or not the same was sent just before.

        Then nothing is left to do later: for a process that stands still between requests. The broker may take
        `timeout_seconds` to answer.
        """
        while self._waiting or self._early or (self._sender is not None and not self._sender.done()):
            self._asked_at.clear()
            if self._later is not None:
                self._later.cancel()
                self._later = None
            self._waiting |= self._early
            self._early = set()
            if self._waiting:
                self._start()
            if self._sender is not None:
                await asyncio.wait([self._sender])
        if self._asking:
            _, held = await asyncio.wait(self._asking, timeout=timeout_seconds)
            for asking in held:
                asking.cancel()
            if held:
                await asyncio.wait(held)

    async def close(self) -> None:
        """Send what is waiting, then end."""
        self._closed = True
        await self.settle(CLOSE_SECONDS)
        if self.carrier is not None:
            await self.carrier.close()

    def _start(self) -> None:
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._waiting:
            shards, self._waiting = self._waiting, set()
            try:
                unheard = await self._publish(shards)
                if unheard:
                    await self._ask(unheard)
            except Exception:
                logger.exception("a wake was lost; the tick makes up for it")

    async def _publish(self, shards: set[int]) -> set[int]:
        """Publish to whoever holds the shards. Returns those that nobody listens for."""
        if monotonic() < self._redis_away_until:
            return shards
        try:
            client = await self._redis()
            async with asyncio.timeout(REDIS_TIMEOUT_SECONDS), client.pipeline(transaction=False) as pipeline:
                for shard in shards:
                    pipeline.publish(CHANNEL.format(shard), "1")
                heard = await pipeline.execute()
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("redis does not answer, wakes go to the broker: %s", error)
            self._redis_away_until = monotonic() + REDIS_PAUSE_SECONDS
            return shards
        return {shard for shard, count in zip(shards, heard, strict=True) if not count}

    async def _ask(self, shards: set[int]) -> None:
        """Have the broker start a dispatcher, unless it was asked for that less than a second ago."""
        now = monotonic()
        due = {s for s in shards if now - self._asked_at.get(s, float("-inf")) >= BROKER_INTERVAL_SECONDS}
        early = shards - due
        if early:
            self._again(early, max(self._asked_at[s] for s in early) + BROKER_INTERVAL_SECONDS - now)
        if not due:
            return
        if self.local is not None:
            self._note(due)
            self.local.send({"type": Hint.TYPE, "source": "/weir", "data": _data(due)})
            return
        self._note(due)
        if self.carrier is None:
            from shared.runtime.broker import Broker

            self.carrier = Broker.from_environment()
        # Not awaited: the answer may come only when the work is done, and other shards must not wait for that.
        self._start_asking(self.carrier.send(Hint.TYPE, _data(due)))

    def _knative(self) -> "Broker | None":
        """The broker of Knative, which counts requests; None where wakes are carried by something else."""
        from shared.runtime.broker import Broker

        if self.local is None and self.carrier is None:
            self.carrier = Broker.from_environment()
        return self.carrier if isinstance(self.carrier, Broker) else None

    def _note(self, shards: set[int]) -> None:
        now = monotonic()
        for shard in shards:
            self._asked_at[shard] = now

    def _start_asking(self, sending: Coroutine[Any, Any, bool]) -> "asyncio.Task[bool]":
        asking = asyncio.get_running_loop().create_task(sending)
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        return asking

    def _asked(self, asking: "asyncio.Task[bool]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled() and (error := asking.exception()) is not None:
            logger.error("a wake was lost; the tick makes up for it", exc_info=error)

    def _again(self, shards: set[int], after: float) -> None:
        """Go through `shards` once more after that many seconds: whoever had them may have let go."""
        self._early = self._early | shards
        if self._later is None and not self._closed:
            self._later = asyncio.get_running_loop().call_later(after, self._retry)

    def _retry(self) -> None:
        self._later = None
        early, self._early = self._early, set()
        self.shards(early)


def _data(shards: Iterable[int], stay_seconds: float = 0) -> dict[str, object]:
    hint = Hint(shards=tuple(sorted(shards)), stay_seconds=stay_seconds)
    return hint.model_dump(mode="json", by_alias=True, exclude_defaults=True)
