"""Producers with a bounded rate, each with partition keys of its own."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any

import aiohttp

KEYS = 48
PRODUCERS = 16
BATCHING = 2
"""So many of the producers send batches."""

BATCH = 30
"""Events in a batch: so many are stored by another statement than few."""

PAUSE_SECONDS = 0.1
"""Before what was not answered with 202 is sent again."""


class Load:
    """Sends until told to end; what was not answered with 202 is sent again, as producers should.

    Event n of a key is named `key.n`, and is sent when n-1 was acknowledged, or in one batch with it.
    The same `source` twice sends copies of the same events. `acknowledged` is id to uid, `answers` counts the status codes, 0 for no answer. `host` is asked for where the address
    is a gateway's.
    """

    def __init__(
        self,
        url: str,
        key: str,
        rate: float,
        *,
        padding: int = 200,
        limit: int | None = None,
        host: str | None = None,
        source: str = "/torture",
    ) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {key}"} | ({"host": host} if host else {})
        self._each = rate / PRODUCERS
        self._limit = limit
        self._source = source
        self._data = {"note": "x" * padding}
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False
        self._taken = asyncio.Event()
        self.taken_at = 0.0
        self.sent_at: dict[str, float] = {}
        self.acknowledged: dict[str, str] = {}
        self.answers: Counter[int] = Counter()

    def start(self) -> None:
        """Send from now on."""
        self._tasks = [asyncio.ensure_future(self._produce(number)) for number in range(PRODUCERS)]

    async def end(self) -> None:
        """Return when what is under way has an answer."""
        self._ending = True
        await asyncio.gather(*self._tasks)

    async def taken(self) -> None:
        """Wait for the next 202."""
        self._taken.clear()
        await self._taken.wait()

    async def whole(self) -> None:
        """Wait until as many were sent as there should be."""
        await asyncio.gather(*self._tasks)

    async def _produce(self, number: int) -> None:
        size = BATCH if number < BATCHING else 1
        keys = [f"k{k}" for k in range(KEYS) if k % PRODUCERS == number]
        names = (f"{key}.{n}" for n in count(1) for key in keys)
        loop = asyncio.get_running_loop()
        due = loop.time() + number / PRODUCERS * size / self._each
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
            while not self._ending and not self._is_whole:
                await asyncio.sleep(max(0.0, due - loop.time()))
                due = max(due + size / self._each, loop.time())
                identities = [next(names) for _ in range(size)]
                for identity in identities:
                    self.sent_at[identity] = loop.time()
                while not await self._send(session, identities):
                    if self._ending:
                        return
                    await asyncio.sleep(PAUSE_SECONDS)

    @property
    def is_bounded(self) -> bool:
        """Whether it ends by itself."""
        return self._limit is not None

    @property
    def _is_whole(self) -> bool:
        return self._limit is not None and len(self.sent_at) >= self._limit

    async def _send(self, session: aiohttp.ClientSession, identities: Sequence[str]) -> bool:
        batch = len(identities) > 1
        content: Any = [self._event(identity) for identity in identities]
        kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
        headers = {**self._headers, "content-type": kind}
        try:
            async with session.post(
                self._url, headers=headers, data=json.dumps(content if batch else content[0])
            ) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.answers[0] += 1
            return False
        self.answers[answer.status] += 1
        if answer.status != 202:
            return False
        for identity, result in zip(identities, told["results"] if batch else [told], strict=True):
            self.acknowledged[identity] = result["uid"]
        if not self._taken.is_set():
            self.taken_at = asyncio.get_running_loop().time()
            self._taken.set()
        return True

    def _event(self, identity: str) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": identity,
            "source": self._source,
            "type": "com.example.tortured",
            "partitionkey": identity.partition(".")[0],
            "data": self._data,
        }
