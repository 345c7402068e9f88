"""An answer goes out in as few pieces as it is made of."""

import asyncio

from shared.runtime.connection import Answering


class Wire(asyncio.Transport):
    """The rim: takes what is written, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.pieces.append(b"closed")

    def is_closing(self) -> bool:
        return b"closed" in self.pieces


async def test_head_and_body_are_one_write() -> None:
    wire = Wire()
    answer = Answering(wire, asyncio.get_running_loop())
    answer.write(b"head ")
    assert wire.pieces == []
    answer.write(b"body")
    assert wire.pieces == [b"head body"]
    answer.write(b" more")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head body", b" more"]


async def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    wire = Wire()
    answer = Answering(wire, asyncio.get_running_loop())
    answer.write(b"head")
    await asyncio.sleep(0)
    assert wire.pieces == [b"head"]
    answer.write(b"body")
    assert wire.pieces == [b"head", b"body"]


async def test_an_empty_body_and_an_end() -> None:
    wire = Wire()
    answer = Answering(wire, asyncio.get_running_loop())
    answer.write(b"head")
    answer.write(b"")
    assert wire.pieces == [b"head"]
    other = Answering(wire, asyncio.get_running_loop())
    other.write(b"half")
    assert not other.is_closing()
    other.close()
    await asyncio.sleep(0)
    assert wire.pieces == [b"head", b"half", b"closed"]
    assert other.is_closing()
