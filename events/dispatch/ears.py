"""Hearing of new work from other processes, through Redis."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from shared.runtime.outage import is_outage
from shared.runtime.resources import Resources
from shared.runtime.wake import CHANNEL

if TYPE_CHECKING:
    from redis.asyncio.client import PubSub

RETRY_SECONDS = 1.0
POLL_SECONDS = 0.2

logger = logging.getLogger("weir.dispatch")


class Ears:
    """Listens on the channels of shards. `deaf` while Redis is away: then somebody has to look."""

    def __init__(self, resources: Resources, heard: Callable[[int], object]) -> None:
        self._resources = resources
        self._heard = heard
        self._wanted: set[str] = set()
        self._shards: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.deaf = True

    def listen(self, shards: Iterable[int]) -> None:
        """Listen for these shards too."""
        for shard in shards:
            channel = CHANNEL.format(shard)
            self._shards[channel] = shard
            self._wanted.add(channel)
        self._changed.set()

    def ignore(self, shards: Iterable[int]) -> None:
        """Do not listen for these any more."""
        self._wanted -= {CHANNEL.format(shard) for shard in shards}
        self._changed.set()

    async def run(self) -> None:
        """Listen until cancelled. Once a channel is subscribed to, it is said to be heard."""
        while True:
            try:
                client = await self._resources.redis()
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await self._listen(pubsub)
            except Exception as error:
                if not is_outage(error):
                    raise
                if not self.deaf:
                    logger.warning("redis does not answer, new work is looked for: %s", error)
                self.deaf = True
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, pubsub: "PubSub") -> None:
        subscribed: set[str] = set()
        while True:
            if self._changed.is_set():
                self._changed.clear()
                wanted = set(self._wanted)
                if added := wanted - subscribed:
                    await pubsub.subscribe(*added)
                if removed := subscribed - wanted:
                    await pubsub.unsubscribe(*removed)
                subscribed = wanted
                self.deaf = False
                # What came before the subscription was heard by nobody.
                for channel in added:
                    self._heard(self._shards[channel])
            if not subscribed:
                await self._changed.wait()
                continue
            message = await pubsub.get_message(timeout=POLL_SECONDS)
            if message is not None and message["channel"] in self._shards:
                self._heard(self._shards[message["channel"]])
