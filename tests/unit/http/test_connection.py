"""Answers are read the same however they are cut into pieces."""

import asyncio
import itertools
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from shared.http.answer import Answer, Opening
from shared.http.connection import Connection

HEAD = st.sampled_from([200, 201, 404, 503])


class Wire(asyncio.Transport):
    """The rim: takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def chunked(body: bytes, sizes: list[int]) -> bytes:
    parts, place = [], 0
    for size in sizes:
        if piece := body[place : place + size]:
            parts.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        place += size
    if rest := body[place:]:
        parts.append(b"%x\r\n%b\r\n" % (len(rest), rest))
    return b"".join(parts) + b"0\r\n\r\n"


def read(pieces: list[bytes], limit: int, *, end: bool) -> tuple[Answer, bool]:
    async def work() -> tuple[Answer, bool]:
        connection, wire = Connection(Opening()), Wire()
        connection.connection_made(wire)
        answer = connection.send(b"POST / HTTP/1.1\r\n\r\n", b"", limit)
        for piece in pieces:
            if not wire.closed:
                connection.data_received(piece)
        if end and not wire.closed:
            connection.eof_received()
            connection.connection_lost(None)
        return await asyncio.wait_for(answer, 1), connection.is_open

    return cast("tuple[Answer, bool]", asyncio.run(work()))


@given(
    body=st.binary(max_size=200),
    framing=st.sampled_from(["length", "chunks", "end"]),
    interim=st.integers(0, 2),
    status=HEAD,
    cuts=st.lists(st.integers(0, 600), max_size=12),
    sizes=st.lists(st.integers(1, 50), max_size=5),
    limit=st.integers(0, 250),
)
def test_an_answer_in_pieces(
    body: bytes, framing: str, interim: int, status: int, cuts: list[int], sizes: list[int], limit: int
) -> None:
    head = b"HTTP/1.1 %d Some Words\r\nX-One: 1\r\n" % status
    if framing == "length":
        answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "chunks":
        answer = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes)
    else:
        answer = head + b"\r\n" + body
    answer = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * interim + answer
    places = [0, *sorted(min(cut, len(answer)) for cut in cuts), len(answer)]
    pieces = [piece for a, b in itertools.pairwise(places) if (piece := answer[a:b])]
    found, is_open = read(pieces, limit, end=framing == "end")
    assert found.status == status
    assert found.headers[0] == (b"X-One", b"1")
    assert (found.body, found.truncated) == (body[:limit], len(body) > limit)
    assert is_open == (framing != "end" and len(body) <= limit)


@given(st.binary(max_size=400), st.lists(st.integers(1, 100), max_size=6))
def test_garbage_ends_and_does_no_more(noise: bytes, cuts: list[int]) -> None:
    pieces, place = [], 0
    for cut in cuts:
        pieces.append(noise[place : place + cut])
        place += cut
    pieces.append(noise[place:])
    try:
        read([piece for piece in pieces if piece], 100, end=True)
    except Exception as error:
        assert type(error).__name__ == "Broken"  # noqa: PT017 an answer is as good an end
