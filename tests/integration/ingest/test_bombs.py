"""Requests that are cheap to send and dear to read: one process reads for all, so none may take long."""

import json
import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Self

import asyncpg
import pytest

from tests.integration.ingest.conftest import BATCH, STRUCTURED, Post, serve, stored
from tests.support.projects import Project
from tests.support.wire import Wire, ask

MIB = 1024 * 1024
LONG = 50
"""How many times as long as `usual` a neighbour may wait at most: what a machine does in a second differs."""

ATTEMPTS = 4
GOOD = '{"specversion":"1.0","id":"%d","source":"/a","type":"t"%s}'


@pytest.fixture(scope="module")
def port(database_url: str, redis_url: str) -> Iterator[int]:
    with serve(database_url, redis_url) as served:
        yield served.port
    assert '"level":"error"' not in served.errors


@pytest.fixture
def usual(port: int, post: Post) -> float:
    """Seconds that a batch of 500 good events takes here and now, whatever else runs."""
    took = []
    for turn in range(3):
        body = ",".join(GOOD % (n, f',"subject":"{turn}"') for n in range(500)).replace(
            '"/a"', f'"/usual/{turn}"'
        )
        started = time.perf_counter()
        assert ask(port, post.structured(f"[{body}]".encode(), BATCH)).status == 202
        took.append(time.perf_counter() - started)
    return min(took)


def filled(piece: bytes, size: int, start: bytes = b"[", end: bytes = b"]") -> bytes:
    """Almost `size` bytes of `piece` with commas between them."""
    return start + b",".join([piece] * ((size - len(start) - len(end)) // (len(piece) + 1))) + end


def attributes(size: int) -> bytes:
    start = b'{"specversion":"1.0","id":"1","source":"/a","type":"t"'
    return start + b"".join(b',"a%d":1' % n for n in range((size - 60) // 12)) + b"}"


def escaped(size: int) -> bytes:
    """A name that is written with an escape makes a second reading necessary."""
    return filled(
        b"{}", size, b'{"specversion":"1.0","\\u0069d":"1","source":"/a","type":"t","data":[', b"]}"
    )


BOMBS = {
    "8 MiB of numbers": (BATCH, filled(b"1", 8 * MIB), 413),
    "8 MiB of objects": (BATCH, filled(b"{}", 8 * MIB), 413),
    "8 MiB of arrays in one element": (BATCH, filled(b"[]", 8 * MIB, b"[[", b"]]"), 413),
    "8 MiB of attributes": (BATCH, b"[" + attributes(8 * MIB - 2) + b"]", 413),
    "eight events of a mebibyte read twice": (BATCH, filled(escaped(MIB - 4), 8 * MIB), 202),
    "10,000 events": (BATCH, b"[" + ",".join(GOOD % (n, "") for n in range(10_000)).encode() + b"]", 202),
    "10,000 bad events": (BATCH, filled(b'{"a":1}', 80_001), 400),
    "8 MiB of levels": (BATCH, b"[" * 8 * MIB, 400),
    "1 MiB of attributes": (STRUCTURED, attributes(MIB), 202),
    "1 MiB read twice": (STRUCTURED, escaped(MIB), 202),
    "1 MiB of levels": (
        STRUCTURED,
        b'{"data":' + b'{"a":' * (MIB // 7) + b"1" + b"}" * (MIB // 7) + b"}",
        400,
    ),
    "1 MiB of spaces": (STRUCTURED, (GOOD % (1, "")).encode()[:-1] + b" " * (MIB - 200) + b"}", 202),
    "1 MiB of source": (
        STRUCTURED,
        json.dumps({**json.loads(GOOD % (1, "")), "source": "/" * (MIB - 200)}).encode(),
        202,
    ),
    "1 MiB of id": (
        STRUCTURED,
        json.dumps({**json.loads(GOOD % (1, "")), "id": "ü" * 150_000 + "\x00"}).encode(),
        400,
    ),
    "1 MiB of digits": (STRUCTURED, (GOOD % (1, ',"x":' + "9" * (MIB - 200))).encode(), 400),
    "1 MiB of time": (
        STRUCTURED,
        (GOOD % (1, ',"time":"2026-01-01T00:00:00.' + "9" * (MIB - 200) + '"')).encode(),
        400,
    ),
}


class Neighbour:
    """`with Neighbour(port, post) as neighbour` sends one event after the other; `slowest` is how long one took."""

    def __init__(self, port: int, post: Post, sent: int) -> None:
        self._ended = Event()
        self._port = port
        self._post = post
        self._thread = Thread(target=self._send, daemon=True)
        self.slowest = 0.0
        self.statuses: set[int] = set()
        self.count = self._first = sent

    def _send(self) -> None:
        with Wire(self._port) as wire:
            while not self._ended.is_set():
                started = time.perf_counter()
                self.statuses.add(wire.send(self._post(identity=f"n{self.count}")).reply().status)
                self.slowest = max(self.slowest, time.perf_counter() - started)
                self.count += 1

    def __enter__(self) -> Self:
        self._thread.start()
        while self.count < self._first + 5:
            time.sleep(0.001)
        self.slowest = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        before = self.count
        while self.count <= before + 1 and self._thread.is_alive():
            time.sleep(0.001)
        self._ended.set()
        self._thread.join()


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_holds_no_neighbour_up(
    port: int, post: Post, pool: asyncpg.Pool, project: Project, usual: float, name: str
) -> None:
    content_type, body, status = BOMBS[name]
    slowest = float("inf")
    sent = 0
    for _ in range(ATTEMPTS):  # others use the processors too
        with Neighbour(port, post, sent) as neighbour:
            reply = ask(port, post.structured(body, content_type))
        assert reply.status == status, reply.body[:300]
        assert neighbour.statuses == {202}
        sent = neighbour.count
        slowest = min(slowest, neighbour.slowest)
        if slowest < LONG * usual:
            break
    assert slowest < LONG * usual
    events = [row["id"] for row in await stored(pool, project) if row["source"] == "/tests"]
    assert events == [f"n{n}" for n in range(sent)]


async def test_a_batch_past_its_limits_is_413(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    events = [(GOOD % (n, "")).encode() for n in range(10_001)]
    many = ask(port, post.structured(b"[" + b",".join(events) + b"]", BATCH))
    assert many.status_line == "HTTP/1.1 413 Request Entity Too Large"
    assert many.document == {
        "type": "https://weir.dev/problems/too-large",
        "title": "Too large",
        "status": 413,
        "detail": "A batch may have at most 10000 events.",
    }
    long = ask(port, post.structured(b"[" + events[0] + b" " * 8 * MIB + b"]", BATCH))
    assert long.status_line == "HTTP/1.1 413 Request Entity Too Large"
    assert long.document["detail"] == "A batch may have at most 8388608 bytes."
    assert await stored(pool, project) == []


async def test_a_lenient_batch_keeps_what_is_good_beside_what_is_too_large(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    large = (GOOD % (2, ',"data":"' + "a" * MIB + '"')).encode()
    body = b"[" + b",".join(((GOOD % (1, "")).encode(), large, (GOOD % (3, "")).encode())) + b"]"
    reply = ask(port, post.structured(body, BATCH, prefer="handling=lenient"))
    assert reply.status == 202
    assert [result.get("problem", {}).get("status") for result in reply.document["results"]] == [
        None,
        413,
        None,
    ]
    assert [row["id"] for row in await stored(pool, project)] == ["1", "3"]
    strict = ask(port, post.structured(body, BATCH))
    assert (strict.status, strict.document["errors"]) == (
        413,
        [{"pointer": "/1", "detail": "An event may have at most 1048576 bytes."}],
    )
