"""A producer that goes on whatever happens, and remembers what it was promised."""

import asyncio
import contextlib
import itertools
import time

import aiohttp


class Producer:
    """Sends events with unique ids at a steady rate; `acknowledged` are the ids answered with 202.

    An event that got no answer or another one is not sent again: whether it was stored is open, and Weir
    promised nothing.
    """

    def __init__(self, url: str, key: str, rate: int) -> None:
        self.url = url
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.last_ack = 0.0
        self._key = key
        self._rate = rate
        self._numbers = itertools.count()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()

    async def run(self) -> None:
        """Send until told to stop."""
        timeout = aiohttp.ClientTimeout(total=15)
        headers = {
            "authorization": f"Bearer {self._key}",
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-type": "torture.event",
            "ce-source": "/torture",
        }
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            under_way: set[asyncio.Task[None]] = set()
            started = time.monotonic()
            for sent in itertools.count(1):
                if self._stop.is_set():
                    break
                if len(under_way) < 200:
                    task = asyncio.create_task(self._send(session))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                with contextlib.suppress(TimeoutError):
                    wait = started + sent / self._rate - time.monotonic()
                    await asyncio.wait_for(self._stop.wait(), max(wait, 0.0001))
            if under_way:
                await asyncio.wait(under_way)

    async def _send(self, session: aiohttp.ClientSession) -> None:
        name = f"event-{next(self._numbers)}"
        try:
            async with session.post(self.url, json={"name": name}, headers={"ce-id": name}) as answer:
                if answer.status == 202:
                    self.acknowledged.add(name)
                    self.last_ack = time.monotonic()
                else:
                    self.refused += 1
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.refused += 1
