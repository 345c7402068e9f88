"""Hearing of new work from other processes, through Redis."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources
from shared.runtime.wake import CHANNEL

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

RETRY_SECONDS = 1.0
POLL_SECONDS = 0.1
IGNORE_SECONDS = 2.0

logger = logging.getLogger("weir.dispatch")


class Ears:
    """Listens on the channels of shards. `deaf` while Redis is away: then somebody has to look.

    Who publishes a wake is told how many heard it. So a shard may only be given up after Redis has said that
    we do not listen for it any more, and what was heard before that has to be acted on.
    """

    def __init__(self, resources: Resources, heard: Callable[[int], object]) -> None:
        self._resources = resources
        self._heard = heard
        self._wanted: set[str] = set()
        self._active: set[str] = set()
        self._shards: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._confirmed = asyncio.Event()
        self.deaf = True

    def listen(self, shards: Iterable[int]) -> None:
        """Listen for these shards too."""
        for shard in shards:
            channel = CHANNEL.format(shard)
            self._shards[channel] = shard
            self._wanted.add(channel)
        self._changed.set()

    def drop(self, shard: int) -> None:
        """Stop listening for a shard that somebody else has."""
        self._wanted.discard(CHANNEL.format(shard))
        self._changed.set()

    async def ignore(self, shards: Iterable[int]) -> None:
        """Stop listening for these; returns when nobody is told any more that we do."""
        channels = {CHANNEL.format(shard) for shard in shards}
        self._wanted -= channels
        self._changed.set()
        try:
            async with asyncio.timeout(IGNORE_SECONDS):
                while channels & self._active:
                    self._confirmed.clear()
                    await self._confirmed.wait()
        except TimeoutError:
            logger.warning("redis does not confirm that a subscription has ended")

    async def run(self) -> None:
        """Listen until cancelled. Once a channel is subscribed to, it is said to be heard; so it is while Redis is away."""
        while True:
            self._changed.set()  # of a connection that is new nothing was asked yet
            try:
                client = await self._resources.redis()
                async with client.pubsub() as pubsub:
                    await self._listen(pubsub)
            except Exception as error:
                if not is_outage(error):
                    raise
                if not self.deaf:
                    logger.warning("redis does not answer, new work is looked for: %s", error)
            finally:
                self.deaf = True
                self._active.clear()
                self._confirmed.set()
            for channel in self._wanted:
                self._heard(self._shards[channel])  # it may be that nobody was told
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, pubsub: "PubSub") -> None:
        asked: set[str] = set()
        while True:
            if self._changed.is_set():
                self._changed.clear()
                wanted = set(self._wanted)
                if added := wanted - asked:
                    self._active |= added
                    await pubsub.subscribe(*added)
                if removed := asked - wanted:
                    await pubsub.unsubscribe(*removed)
                asked = wanted
                self.deaf = False
            if not self._active:
                await self._changed.wait()
                continue
            message = await pubsub.get_message(timeout=POLL_SECONDS)
            if message is not None:
                self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        channel = message["channel"]
        if message["type"] == "unsubscribe":
            if channel not in self._wanted:
                self._active.discard(channel)
                self._confirmed.set()
        elif message["type"] in {"message", "subscribe"} and channel in self._shards:
            # What came before a subscription was heard by nobody, so that counts as news too.
            self._heard(self._shards[channel])
