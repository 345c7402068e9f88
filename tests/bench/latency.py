"""From a producer's POST to the receiver's door, at a steady rate: sender and receiver in one process.

Both speak raw HTTP on uvloop, so that what they add is little; how much is measured as well, by sending straight from
one to the other.
"""

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import uvloop

from tests.bench.load import DATA, post
from tests.support.projects import Project

DIRECT = 400
"""How many requests go straight to the receiver."""

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """A connection to the sink: notes when an event is there, by its id."""

    def __init__(self, arrived: "Arrivals") -> None:
        self._arrived = arrived
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._data += data
        while (whole := _whole(self._data)) is not None:
            head, self._data = whole
            self._arrived.note(_value(head, b"ce-id").decode(), now)
            self._transport.write(ANSWER)


class Arrivals:
    """When each event was sent, and how long the way took of those that have arrived, in seconds."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.sent: dict[str, float] = {}
        self.took: list[float] = []
        self.all = asyncio.get_running_loop().create_future()

    def note(self, name: str, now: float) -> None:
        began = self.sent.pop(name, None)
        if began is None:
            return
        self.took.append(now - began)
        self._left -= 1
        if not self._left:
            self.all.set_result(None)


class Sender(asyncio.Protocol):
    """A connection to who takes events, with one request at a time."""

    def __init__(self, idle: "deque[Sender]") -> None:
        self._idle = idle
        self._data = b""
        self.statuses: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if (whole := _whole(self._data)) is not None:
            head, self._data = whole
            status = int(head[9:12])
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self._idle.append(self)


async def run(
    url: str, project: Project, *, seconds: float, rate: int, before: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Milliseconds, p50 and p99, from before the POST to the arrival at a sink; `lost` should be 0.

    `directP50` is the same without a gateway in between. `before` is called with the address of the sink's subscription
    before the first event is sent, in a thread.
    """
    loop = asyncio.get_running_loop()
    count = int(seconds * rate)
    arrivals = Arrivals(count)
    sink = await loop.create_server(lambda: Receiver(arrivals), "127.0.0.1", 0)
    port = sink.sockets[0].getsockname()[1]
    host = urlsplit(url)
    assert host.hostname is not None
    async with httpx.AsyncClient(base_url=url, headers=project.headers, timeout=60) as client:
        made = await client.post(
            f"/v1/projects/{project.name}/subscriptions",
            json={"name": "latency", "filters": [], "sink": f"http://127.0.0.1:{port}/"},
        )
        made.raise_for_status()
        if before is not None:
            await asyncio.to_thread(before, made.headers["location"])
        await _send(arrivals, host.hostname, host.port, f"/in/{project.name}", project.key, count, rate)
        with suppress(TimeoutError):  # told as `lost`
            await asyncio.wait_for(arrivals.all, 30)
        (await client.delete(made.headers["location"])).raise_for_status()
    took = sorted(arrivals.took) or [float("nan")]
    straight = Arrivals(DIRECT)
    direct = await loop.create_server(lambda: Receiver(straight), "127.0.0.1", 0)
    await _send(straight, "127.0.0.1", direct.sockets[0].getsockname()[1], "/", project.key, DIRECT, rate)
    await asyncio.wait_for(straight.all, 30)
    for server in (sink, direct):
        server.close()
    return {
        "rate": rate,
        "p50": took[len(took) // 2] * 1000,
        "p99": took[int(len(took) * 0.99)] * 1000,
        "directP50": statistics.median(straight.took) * 1000,
        "lost": count - len(arrivals.took),
    }


def measure(
    url: str, project: Project, *, seconds: float, rate: int, before: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """`run`, in a loop of its own."""
    return uvloop.run(run(url, project, seconds=seconds, rate=rate, before=before))


async def _send(
    arrivals: Arrivals, host: str, port: int | None, path: str, key: str, count: int, rate: int
) -> None:
    loop = asyncio.get_running_loop()
    idle: deque[Sender] = deque()
    senders: list[Sender] = []
    run_id = time.time_ns()
    attributes = (
        b"ce-specversion: 1.0\r\nce-type: com.acme.order.created\r\nce-source: /bench\r\nce-id: %b\r\n"
    )
    start = loop.time()
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
        if not idle:
            _, sender = await loop.create_connection(lambda: Sender(idle), host, port)
            senders.append(sender)
            idle.append(sender)
        name = f"latency-{run_id}-{number}"
        request = post(path, key, "application/json", DATA, attributes % name.encode())
        sender = idle.pop()
        arrivals.sent[name] = time.perf_counter()
        sender.transport.write(request)
    while len(idle) < len(senders):  # noqa: ASYNC110 answers that are still to come
        await asyncio.sleep(0.01)
    for sender in senders:
        sender.transport.close()
        if other := [status for status in sender.statuses if not 200 <= status < 300]:
            raise SystemExit(f"latency: other answers than 2xx: {other}")


def _whole(data: bytes) -> tuple[bytes, bytes] | None:
    """The head of the first message in `data` and what comes after that message; None while it is not all there."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    length = int(_value(head, b"content-length") or b"0")
    return None if len(rest) < length else (head, rest[length:])


def _value(head: bytes, name: bytes) -> bytes:
    """The value of a header, empty without it."""
    place = head.lower().find(b"\r\n" + name + b":")
    return b"" if place < 0 else head[place + len(name) + 3 :].split(b"\r\n", 1)[0].strip()
