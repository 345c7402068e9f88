"""Order by partition key, with several processes, failing sinks, kills and processes that are fenced."""

import asyncio
import random
import signal
import time
from collections import Counter, defaultdict
from contextlib import suppress
from uuid import uuid4

import httpx
import pytest

from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.served import Served
from tests.support.sink import Answer, Received, Sink

SERVE_ALL = ["-m", "shared.runtime.serve", "--all"]


class Watch:
    """Answers as a sink that fails now and then, and notes every request that came out of turn."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.ended: dict[str, int] = defaultdict(lambda: -1)
        """The highest number of each key that had its last answer."""

        self.open: Counter[str] = Counter()
        self.times: Counter[str] = Counter()
        self.wrong: list[str] = []

    def choose(self, request: Received) -> Answer:
        key, number = request.header("ce-partitionkey") or "", int(request.header("ce-number") or -1)
        name = f"{key}/{number}"
        self.times[name] += 1
        # The last one that ended may come again, after a crash; nothing before it, and nothing but the next.
        if number not in {self.ended[key], self.ended[key] + 1}:
            self.wrong.append(f"{name} while {self.ended[key]} was the last to end")
        if self.times[name] == 1 and self._random.random() < 0.2:
            return Answer(503)
        self.ended[key] = max(self.ended[key], number)
        if self._random.random() < 0.03 and self.times[name] == 1:
            return Answer(400)
        return Answer(200, delay=self._random.choice((0, 0, 0.005)))


async def post_in_order(
    client: httpx.AsyncClient, urls: list[str], world: World, key: str, count: int, pause: float
) -> None:
    """Send `count` events of one order, each after the one before was acknowledged."""
    for number in range(count):
        headers = {
            **world.project.headers,
            "content-type": "application/json",
            "ce-specversion": "1.0",
            "ce-type": "com.example.step",
            "ce-source": f"/orders/{key}",
            "ce-id": f"{key}-{number}",
            "ce-partitionkey": key,
            "ce-number": str(number),
        }
        while True:
            with suppress(httpx.HTTPError):
                url = random.choice(urls)
                answer = await client.post(f"{url}/in/{world.project.name}", content=b"{}", headers=headers)
                if answer.status_code == 202:
                    break
            await asyncio.sleep(0.05)
        await asyncio.sleep(pause)


@pytest.mark.parametrize("seed", [1])
async def test_order_holds_across_workers_kills_and_fences(
    settings: Settings, world: World, sink: Sink, seed: int
) -> None:
    watch = Watch(seed)
    sink.choose(watch.choose)
    await world.subscribe(
        sink.url,
        ordering="partitionkey",
        backoffDelay="PT0.05S",
        backoffMax="PT0.2S",
        retry=8,
        timeout="PT2S",
    )
    keys, each = [f"k{n}-{uuid4().hex[:4]}" for n in range(12)], 40
    with (
        Served(SERVE_ALL, settings, WEIR_SINK_ALLOW="127.0.0.0/8") as first,
        Served(SERVE_ALL, settings, WEIR_SINK_ALLOW="127.0.0.0/8") as second,
        Served(SERVE_ALL, settings, WEIR_SINK_ALLOW="127.0.0.0/8") as third,
    ):
        async with httpx.AsyncClient(timeout=2) as client:
            urls = [first.url, second.url, third.url]
            posts = [asyncio.create_task(post_in_order(client, urls, world, key, each, 0.2)) for key in keys]
            await sink.wait(200)
            urls.remove(third.url)
            third.process.send_signal(signal.SIGKILL)
            await asyncio.sleep(1)
            urls.remove(second.url)
            second.process.send_signal(signal.SIGSTOP)
            stopped = time.monotonic()
            await asyncio.sleep(max(0.0, stopped + 11.5 - time.monotonic()))
            second.process.send_signal(signal.SIGCONT)
            urls.append(second.url)
            await asyncio.gather(*posts)
            rows = await world.settled(len(keys) * each)
    assert watch.wrong == []
    assert len(rows) == len(keys) * each
    assert {row["status"] for row in rows} <= {"delivered", "dead"}
    assert all(watch.ended[key] == each - 1 for key in keys)
    again = sum(watch.times.values()) - len(watch.times)
    attempts = sum(row["attempt_count"] for row in rows)
    assert again - (attempts - len(rows)) <= 12 * 2  # at a kill and a fence, one of each key may come again
