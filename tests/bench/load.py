"""A load source: raw HTTP/1.1 over many connections, in a process of its own.

    python -m tests.bench.load PORT PATH KEY --connections 64 --seconds 3 [--batch 100 | --count 20000]

Each connection sends its next request when the answer to the last one is there. Events have unique ids and
about 1 KiB of data. Prints one JSON object: requests, events, seconds, p50 and p99 in ms, and other answers
than 2xx.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import cast

import uvloop

DATA = json.dumps({"order": "A-48213", "note": "x" * 980}).encode()
assert 1000 <= len(DATA) <= 1048


class Producer(asyncio.Protocol):
    """One connection that is never idle until the source says stop."""

    def __init__(self, source: "Source") -> None:
        self._source = source
        self._sent_at = 0.0
        self._answer = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if not separator:
            return
        place = head.lower().find(b"content-length:")
        length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(body) < length:
            return
        self._answer = b""
        self._source.note(time.perf_counter() - self._sent_at, int(head[9:12]))
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _next(self) -> None:
        request = self._source.request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


class Source:
    """Makes requests until the time or the count is used up, and keeps what came back."""

    def __init__(self, requests: Iterator[bytes], seconds: float | None, count: int | None) -> None:
        self._requests = requests
        self._until = time.perf_counter() + seconds if seconds else float("inf")
        self._left = count if count is not None else sys.maxsize
        self.latencies: list[float] = []
        self.other: dict[int, int] = {}

    def request(self) -> bytes | None:
        if self._left <= 0 or time.perf_counter() >= self._until:
            return None
        self._left -= 1
        return next(self._requests)

    def note(self, seconds: float, status: int) -> None:
        if 200 <= status < 300:
            self.latencies.append(seconds)
        else:
            self.other[status] = self.other.get(status, 0) + 1


def post(path: str, key: str, content_type: str, body: bytes, headers: bytes = b"") -> bytes:
    """A POST as bytes."""
    return (
        (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
            f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
        ).encode()
        + headers
        + b"\r\n"
        + body
    )


def single(path: str, key: str) -> Iterator[bytes]:
    """Binary events with ids that nobody else uses."""
    run = os.urandom(6).hex()
    head, _, tail = post(
        path,
        key,
        "application/json",
        DATA,
        b"ce-specversion: 1.0\r\nce-type: com.acme.order.created\r\nce-source: /bench\r\nce-id: @\r\n",
    ).partition(b"@")
    for number in count():
        yield head + f"{run}-{number}".encode() + tail


def batches(path: str, key: str, size: int) -> Iterator[bytes]:
    """Batches of structured events."""
    run = os.urandom(6).hex()
    parts = [
        b'{"specversion":"1.0","type":"com.acme.order.created","source":"/bench","id":"'
        + f"{run}-@@@@@@@@-{number}".encode()
        + b'","datacontenttype":"application/json","data":'
        + DATA
        + b"}"
        for number in range(size)
    ]
    # One replacement makes a batch: the source shares the cores with what it measures.
    template = post(path, key, "application/cloudevents-batch+json", b"[" + b",".join(parts) + b"]")
    for number in count():
        yield template.replace(b"@@@@@@@@", b"%08d" % number)


async def run(
    port: int,
    connections: int,
    requests: Callable[[], Iterator[bytes]],
    seconds: float | None,
    number: int | None,
) -> tuple[Source, float]:
    """Send until done; the source with its figures, and the seconds it took."""
    source = Source(requests(), seconds, number)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    pairs = await asyncio.gather(
        *(loop.create_connection(lambda: Producer(source), "127.0.0.1", port) for _ in range(connections))
    )
    await asyncio.gather(*(protocol.done for _, protocol in pairs))
    return source, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("key")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--count", type=int)
    parser.add_argument("--batch", type=int, default=1)
    chosen = parser.parse_args()

    def requests() -> Iterator[bytes]:
        if chosen.batch > 1:
            return batches(chosen.path, chosen.key, chosen.batch)
        return single(chosen.path, chosen.key)

    source, seconds = uvloop.run(run(chosen.port, chosen.connections, requests, chosen.seconds, chosen.count))
    ordered = sorted(source.latencies) or [0.0]
    print(
        json.dumps(
            {
                "requests": len(source.latencies),
                "events": len(source.latencies) * chosen.batch,
                "seconds": seconds,
                "p50": ordered[len(ordered) // 2] * 1000,
                "p99": ordered[int(len(ordered) * 0.99)] * 1000,
                "other": source.other,
            }
        )
    )


if __name__ == "__main__":
    main()
