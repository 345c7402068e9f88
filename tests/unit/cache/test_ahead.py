"""What is used towards the end of its time is looked up again beside, and what a second level has is not loaded."""

import asyncio
from collections.abc import Callable

import pytest

from shared.cache.lookup import AHEAD, Lookup, Seen
from shared.cache.tally import tally_of


class Source:
    """Answers with how often it was asked; fails when told."""

    def __init__(self) -> None:
        self.loads = 0
        self.now = 100.0
        self.error: Exception | None = None
        self.value: str | None = ""

    async def load(self, _key: str) -> str | None:
        self.loads += 1
        if self.error is not None:
            raise self.error
        return None if self.value is None else f"{self.value}{self.loads}"


class Second:
    """A second level that has what it is given."""

    def __init__(self) -> None:
        self.seen: Seen[str | None] | None = Seen(7)
        self.written: list[tuple[str, str | None, int]] = []
        self.forgotten: list[str] = []
        self.tell: Callable[[str], None] = self.forgotten.append

    async def read(self, _key: str) -> Seen[str | None] | None:
        return self.seen

    def write(self, key: str, value: str | None, stamp: int) -> None:
        self.written.append((key, value, stamp))

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def heed(self, forget: Callable[[str], None]) -> None:
        self.tell = forget


@pytest.fixture
async def source() -> Source:
    return Source()


def lookup(source: Source, second: Second | None = None, **times: float) -> Lookup[str, str | None]:
    return Lookup(source.load, name="test", seconds=1.0, second=second, clock=lambda: source.now, **times)


async def settle() -> None:
    """Let what was started come to its end: nothing here waits for anything."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_used_late_in_its_time_is_looked_up_beside(source: Source) -> None:
    known = lookup(source)
    assert await known.get("a") == "1"
    source.now += AHEAD[0] - 0.01
    await known.get("a")
    await settle()
    assert source.loads == 1
    source.now += AHEAD[1] - AHEAD[0] + 0.02
    assert [await known.get("a") for _ in range(3)] == ["1"] * 3  # nobody waits
    await settle()
    assert source.loads == 2
    source.now += 0.3
    assert known.peek("a") == "2"


async def test_what_fails_beside_is_used_on_until_its_time_is_over(source: Source) -> None:
    known = lookup(source)
    await known.get("a")
    source.error = OSError("away")
    source.now += 0.95
    for _ in range(3):
        assert await known.get("a") == "1"
        await settle()
    assert source.loads == 2  # once
    source.now += 0.05
    with pytest.raises(OSError, match="away"):
        await known.get("a")


async def test_what_is_not_there_is_not_looked_up_before_somebody_asks(source: Source) -> None:
    source.value = None
    known = lookup(source)
    await known.get("a")
    source.now += 0.99
    assert await known.get("a") is None
    await settle()
    assert source.loads == 1


async def test_what_the_second_level_has_is_not_loaded_and_lasts_as_long_as_there(source: Source) -> None:
    second = Second()
    second.seen = Seen(7, 0.4, "theirs")
    known = lookup(source, second)
    assert await known.get("a") == "theirs"
    source.now += 0.39
    assert known.peek("a") == "theirs"
    source.now += 0.01
    assert known.peek("a") is None
    assert (source.loads, second.written) == (0, [])


async def test_a_none_of_the_second_level_is_an_answer(source: Source) -> None:
    second = Second()
    second.seen = Seen(7, 0.4, None)
    assert await lookup(source, second).get("a") is None
    assert source.loads == 0


async def test_what_is_loaded_is_written_with_the_time_of_the_look(source: Source) -> None:
    second = Second()
    assert await lookup(source, second).get("a") == "1"
    assert second.written == [("a", "1", 7)]


async def test_without_a_second_level_that_answers_nothing_is_written(source: Source) -> None:
    second = Second()
    second.seen = None
    assert await lookup(source, second).get("a") == "1"
    assert second.written == []


async def test_ahead_of_time_only_what_is_younger_is_taken(source: Source) -> None:
    second = Second()
    known = lookup(source, second)
    await known.get("a")
    source.now += 0.95
    second.seen = Seen(8, 0.06, "our own")
    await known.get("a")
    await settle()
    assert source.loads == 2
    source.now += 0.95
    second.seen = Seen(9, 0.9, "theirs")
    await known.get("a")
    await settle()
    assert (source.loads, known.peek("a")) == (2, "theirs")


async def test_what_is_forgotten_is_told_and_what_is_heard_is_not_told_again(source: Source) -> None:
    second = Second()
    known = lookup(source, second)
    tally = tally_of("test")
    before = tally.dropped, tally.heard
    await known.get("a")
    known.forget("a")
    assert (second.forgotten, known.peek("a")) == (["a"], None)
    await known.get("a")
    second.tell("a")
    assert (second.forgotten, known.peek("a")) == (["a"], None)
    assert (tally.dropped - before[0], tally.heard - before[1]) == (1, 1)
