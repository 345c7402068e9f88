"""Waits end in time, or not at all."""

import asyncio

from shared.http.deadlines import Deadlines


class Told:
    """The names of those that were told, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._changed = asyncio.Event()

    def add(self, name: str) -> None:
        self.names.append(name)
        self._changed.set()

    async def wait(self, count: int) -> list[str]:
        async with asyncio.timeout(5):
            while len(self.names) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.names


class Wait:
    def __init__(self, name: str, told: Told) -> None:
        self.name = name
        self._told = told

    def expire(self) -> None:
        self._told.add(self.name)


async def test_waits_of_several_lengths_end_in_their_order() -> None:
    told = Told()
    deadlines = Deadlines()
    for name, seconds in (("late", 0.12), ("never", 0.04), ("early", 0.04), ("other", 0.08)):
        wait = Wait(name, told)
        deadlines.start(wait, seconds)
        if name == "never":
            deadlines.stop(wait, seconds)
    assert await told.wait(3) == ["early", "other", "late"]
    deadlines.stop(Wait("late", told), 0.12)  # whoever was told stops waiting too
    assert not deadlines._timers
    assert not deadlines._waits


async def test_the_timer_goes_on_for_those_that_came_later() -> None:
    told = Told()
    deadlines = Deadlines()
    deadlines.start(Wait("first", told), 0.05)
    await asyncio.sleep(0.03)
    deadlines.start(Wait("second", told), 0.05)
    began = asyncio.get_running_loop().time()
    assert await told.wait(2) == ["first", "second"]
    assert asyncio.get_running_loop().time() - began >= 0.045
    deadlines.close()
