"""How long an event takes to whoever watches, and what readers cost.

    python -m tests.bench.live [--seconds 20] [--rate 200] [--readers 200]

Starts a Weir of its own. An event's subject is when it was sent, so that whoever sees it knows how long it took: a client
of the stream, and the console in a browser, where it counts once it is drawn. Prints a table and one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from shared.runtime.settings import Settings
from tests.bench import processes, tab
from tests.support.served import Served
from tests.support.weir import LocalWeir

SENDERS = 8


class Source:
    """Sends events at a steady rate; each says in its subject when it was sent."""

    def __init__(self, context: dict[str, str], rate: int, each: int) -> None:
        self._context = context
        self._rate = rate
        self._each = each
        self.sent: list[str] = []

    async def run(self, seconds: float) -> None:
        """Requests of `each` events, at most `SENDERS` under way at once: a machine that is too slow sends less."""
        headers = {
            "authorization": f"Bearer {self._context['apiKey']}",
            "content-type": "application/cloudevents-batch+json",
        }
        started = time.monotonic()
        numbers = iter(range(int(seconds * self._rate / self._each)))

        async def send(client: httpx.AsyncClient) -> None:
            for number in numbers:
                wait = started + number * self._each / self._rate - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                if time.monotonic() - started > seconds:
                    return
                await self._post(client)

        async with httpx.AsyncClient(base_url=self._context["url"], headers=headers, timeout=60) as client:
            await asyncio.gather(*(send(client) for _ in range(SENDERS)))

    async def _post(self, client: httpx.AsyncClient) -> None:
        names = [uuid4().hex for _ in range(self._each)]
        body = [
            {
                "specversion": "1.0",
                "id": name,
                "source": "/bench",
                "type": "com.acme.order.created",
                "subject": f"at {time.time_ns() // 1_000_000} {name[:6]}",
                "data": {"amount": 118.61, "currency": "EUR", "text": "x" * 800},
            }
            for name in names
        ]
        answer = await client.post(f"/in/{self._context['project']}", content=json.dumps(body))
        assert answer.status_code == 202, answer.text
        self.sent.extend(names)


async def messages(
    client: httpx.AsyncClient, path: str, after: str | None = None
) -> AsyncIterator[tuple[str, dict[str, Any] | None]]:
    """Places of a stream, with the event where there is one; the first has none."""
    headers = {} if after is None else {"last-event-id": after}
    place, event = after or "", None
    async with client.stream("GET", path, headers=headers, timeout=30) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("id: "):
                place = line[4:]
            elif line.startswith('data: {"uid"'):
                event = json.loads(line[6:])["event"]
            elif not line and place:
                yield place, event
                event = None


async def followed(context: dict[str, str], seconds: float, rate: int) -> dict[str, float]:
    """Milliseconds from before the POST to a client of the stream."""
    path = f"/v1/projects/{context['project']}/live/events"
    took: list[float] = []
    ready = asyncio.Event()
    source = Source(context, rate, 1)
    headers = {"authorization": f"Bearer {context['apiKey']}"}

    async def read() -> None:
        async with httpx.AsyncClient(base_url=context["url"], headers=headers) as client:
            async for _, event in messages(client, path):
                ready.set()
                if event is not None:
                    took.append(time.time_ns() / 1e6 - int(event["subject"].split()[1]))

    reading = asyncio.create_task(read())
    await ready.wait()
    await source.run(seconds)
    async with asyncio.timeout(30):
        while len(took) < len(source.sent):  # noqa: ASYNC110 the stream tells nobody
            await asyncio.sleep(0.05)
    reading.cancel()
    await asyncio.wait([reading])
    took.sort()
    return {"p50": statistics.median(took), "p99": took[int(len(took) * 0.99)], "events": len(took)}


async def resumed(context: dict[str, str], seconds: float, rate: int) -> dict[str, int]:
    """A client that hangs up about once a second: what it missed, and what came twice."""
    path = f"/v1/projects/{context['project']}/live/events"
    source = Source(context, rate, 1)
    got: list[str] = []
    after: str | None = None
    reconnects = 0
    headers = {"authorization": f"Bearer {context['apiKey']}"}
    async with httpx.AsyncClient(base_url=context["url"], headers=headers) as client:
        async for place, _ in messages(client, path):
            after = place
            break
        sending = asyncio.create_task(source.run(seconds))
        until = time.monotonic() + seconds + 30
        while time.monotonic() < until and not (sending.done() and len(got) >= len(source.sent)):
            try:
                async with asyncio.timeout(1.0):
                    async for place, event in messages(client, path, after):
                        after = place
                        if event is not None:
                            got.append(event["id"])
            except TimeoutError:
                reconnects += 1
        await sending
    return {
        "reconnects": reconnects,
        "events": len(source.sent),
        "missed": len(set(source.sent) - set(got)),
        "twice": len(got) - len(set(got)),
    }


async def crowded(
    context: dict[str, str], served: Served, readers: int, seconds: float, rate: int
) -> dict[str, float]:
    """MiB of the function `live` before, and with so many readers, a tenth of which take nothing."""
    path = f"/v1/projects/{context['project']}/live/events"
    headers = {"authorization": f"Bearer {context['apiKey']}"}
    counts = [0] * readers
    found = {"before": processes.memory_mib(served.process.pid)}
    limits = httpx.Limits(max_connections=None)

    async def read(number: int, client: httpx.AsyncClient, ready: asyncio.Event) -> None:
        async with client.stream("GET", path, timeout=None) as answer:
            async for piece in answer.aiter_bytes():
                ready.set()
                counts[number] += piece.count(b'data: {"uid"')
                if number % 10 == 0:
                    await asyncio.Event().wait()

    async with httpx.AsyncClient(base_url=served.url, headers=headers, limits=limits) as client:
        ready = [asyncio.Event() for _ in range(readers)]
        reading = [asyncio.create_task(read(n, client, ready[n])) for n in range(readers)]
        await asyncio.gather(*(one.wait() for one in ready))
        found["connected"] = processes.memory_mib(served.process.pid)
        source = Source(context, rate, 10)
        for name in ("half", "after"):
            await source.run(seconds / 2)
            found[name] = processes.memory_mib(served.process.pid)
        for one in reading:
            one.cancel()
        await asyncio.wait(reading)
    found["eventsToEach"] = statistics.median(count for n, count in enumerate(counts) if n % 10)
    return found


async def explored(context: dict[str, str], served: Served, readers: int, seconds: float) -> dict[str, float]:
    """MiB of the function `explore` before, and with so many who list events one page after the other."""
    path = f"/v1/projects/{context['project']}/events"
    headers = {"authorization": f"Bearer {context['apiKey']}"}
    found = {"before": processes.memory_mib(served.process.pid)}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=readers)
    pages = 0

    async def read(client: httpx.AsyncClient) -> None:
        nonlocal pages
        cursor = {}
        while True:
            answer = await client.get(path, params={"limit": 100, **cursor})
            answer.raise_for_status()
            pages += 1
            after = answer.json()["nextCursor"]
            cursor = {"cursor": after} if after else {}

    async with httpx.AsyncClient(base_url=served.url, headers=headers, limits=limits, timeout=60) as client:
        reading = [asyncio.create_task(read(client)) for _ in range(readers)]
        for name in ("quarter", "half", "after"):
            await asyncio.sleep(seconds / 4 if name != "after" else seconds / 2)
            found[name] = processes.memory_mib(served.process.pid)
        for one in reading:
            one.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    found["pages"] = pages
    return found


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--readers", type=int, default=200)
    chosen = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        weir = LocalWeir(Path(folder) / "home")
        try:
            weir.up()
            context = weir.json("context", "show")
            running = json.loads((weir.home / "running.json").read_text())
            _tell("a client of the stream")
            figures["followed"] = asyncio.run(followed(context, chosen.seconds, chosen.rate))
            _tell("a client that hangs up again and again")
            figures["resumed"] = asyncio.run(resumed(context, chosen.seconds, chosen.rate))
            _tell("the console")
            figures["console"] = tab.watched(
                weir, context["url"], Source(context, chosen.rate, 1), chosen.seconds
            )
            _tell("the console, 1,000 events a second")
            figures["console1000"] = tab.watched(
                weir, context["url"], Source(context, 1000, 10), chosen.seconds
            )
            settings = Settings(
                database_url=running["database_url"],
                redis_url=running["redis_url"],
                secret=(weir.home / "secret").read_text().strip(),
            )
            with Served(["-m", "shared.runtime.serve", "explore"], settings) as served:
                _tell("many who list")
                figures["lists"] = asyncio.run(explored(context, served, chosen.readers, chosen.seconds))
            with Served(["-m", "shared.runtime.serve", "live"], settings) as served:
                _tell("many readers")
                figures["readers"] = asyncio.run(
                    crowded(context, served, chosen.readers, chosen.seconds, chosen.rate)
                )
        finally:
            weir.kill()
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
