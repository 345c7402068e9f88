"""What is remembered, for how long, and that each key is loaded once."""

import asyncio

import pytest

from shared.cache.lookup import Lookup


class Source:
    """Counts its loads; holds them back until `released`; fails when told."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.values: dict[str, str] = {"a": "1", "b": "2", "c": "3"}
        self.asked = asyncio.Event()
        self.released = asyncio.Event()
        self.released.set()
        self.error: Exception | None = None
        self.now = 100.0

    async def load(self, key: str) -> str | None:
        self.loads.append(key)
        self.asked.set()
        found = self.values.get(key)
        await self.released.wait()
        if self.error is not None:
            raise self.error
        return found

    def lookup(self, **options: float) -> Lookup[str, str | None]:
        return Lookup(self.load, name="test", **{"seconds": 1.0, **options}, clock=lambda: self.now)  # type: ignore[arg-type]


@pytest.fixture
async def source() -> Source:
    return Source()


async def test_an_answer_is_used_for_its_time(source: Source) -> None:
    lookup = source.lookup()
    assert [await lookup.get("a") for _ in range(3)] == ["1"] * 3
    source.now += 0.99
    await lookup.get("a")
    assert source.loads == ["a"]
    source.now += 0.01
    await lookup.get("a")
    assert source.loads == ["a", "a"]


async def test_time_counts_from_before_the_load(source: Source) -> None:
    lookup = source.lookup()
    source.released.clear()
    getting = asyncio.create_task(lookup.get("a"))
    await source.asked.wait()
    source.now += 2
    source.released.set()
    assert await getting == "1"
    await lookup.get("a")
    assert source.loads == ["a", "a"]


async def test_what_is_not_there_is_remembered_for_its_own_time(source: Source) -> None:
    lookup = source.lookup(seconds=10.0, none_seconds=1.0)
    assert await lookup.get("x") is None
    assert await lookup.get("x") is None
    assert source.loads == ["x"]
    source.values["x"] = "9"
    source.now += 1
    assert await lookup.get("x") == "9"


async def test_all_who_ask_at_once_share_one_load_and_its_failure(source: Source) -> None:
    lookup = source.lookup()
    assert await asyncio.gather(*(lookup.get("a") for _ in range(50))) == ["1"] * 50
    assert source.loads == ["a"]
    source.error = OSError("away")
    failed = await asyncio.gather(*(lookup.get("b") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, OSError) for error in failed)
    source.error = None
    assert await lookup.get("b") == "2"
    assert source.loads == ["a", "b", "b"]


async def test_one_that_gives_up_does_not_end_the_load_for_others(source: Source) -> None:
    lookup = source.lookup()
    source.released.clear()
    first, second = (asyncio.create_task(lookup.get("a")) for _ in range(2))
    await source.asked.wait()
    first.cancel()
    source.released.set()
    assert await second == "1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_that_nobody_waits_for_is_quiet(source: Source) -> None:
    lookup = source.lookup()
    source.released.clear()
    source.error = OSError("away")
    only = asyncio.create_task(lookup.get("a"))
    await source.asked.wait()
    only.cancel()
    source.released.set()
    with pytest.raises(asyncio.CancelledError):
        await only


async def test_it_holds_so_many_and_drops_the_oldest(source: Source) -> None:
    lookup = source.lookup(size=2)
    for key in ("a", "b", "c", "b", "c", "a"):
        await lookup.get(key)
    assert source.loads == ["a", "b", "c", "a"]


async def test_what_is_forgotten_during_its_load_is_not_kept(source: Source) -> None:
    lookup = source.lookup()
    source.released.clear()
    old = asyncio.create_task(lookup.get("a"))
    await source.asked.wait()
    lookup.forget("a")
    source.values["a"] = "new"
    source.released.set()
    assert await lookup.get("a") == "new"
    assert await old == "1"
    assert await lookup.get("a") == "new"
    assert source.loads == ["a", "a"]


async def test_after_a_time_out_nobody_waits_again_until_the_store_is_back(source: Source) -> None:
    lookup = source.lookup()
    source.error = TimeoutError()
    with pytest.raises(TimeoutError):
        await lookup.get("a")
    source.released.clear()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await lookup.get("a")
    assert source.loads == ["a"]
    source.now += 1
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await lookup.get("a")  # while somebody looks
    await asyncio.sleep(0)
    assert source.loads == ["a", "a"]
    source.error = None
    source.released.set()
    async with asyncio.timeout(5):
        while lookup.peek("a") is None:  # noqa: ASYNC110 nobody awaits a look in the background
            await asyncio.sleep(0)
    assert await lookup.get("a") == "1"
    assert source.loads == ["a", "a"]


async def test_a_time_out_of_long_ago_says_nothing_of_the_store_now(source: Source) -> None:
    lookup = source.lookup()
    source.error = TimeoutError()
    with pytest.raises(TimeoutError):
        await lookup.get("a")
    source.error = None
    source.now += 3600
    assert await lookup.get("a") == "1"
