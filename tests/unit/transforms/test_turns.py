"""Whose turn it is: each expression in turn, and slow ones leave one to the others."""

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from shared.transforms.turns import SLOW_SECONDS, Turns


def known(turns: Turns, *slow: str) -> Turns:
    for expression in slow:
        turns.took(expression, 10 * SLOW_SECONDS)
    return turns


async def started(turns: Turns, *expressions: str) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(turns.take(expression)) for expression in expressions]
    await asyncio.sleep(0)
    return tasks


async def test_slow_ones_leave_one_to_the_others() -> None:
    turns = known(Turns(3), "a", "b")
    tasks = await started(turns, "a", "b", "a", "b", "quick")
    assert [task.done() for task in tasks] == [True, True, False, False, True]
    turns.give(slow=False)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, True, False, False, True]
    turns.give(slow=True)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, True, True, False, True]
    for task in tasks:
        task.cancel()


async def test_each_expression_has_its_turn_whoever_has_more_that_waits() -> None:
    turns = Turns(1)
    tasks = await started(turns, "a", "a", "a", "a", "b", "b", "c")
    order = []
    for _ in tasks:
        (task,) = [task for task in tasks if task.done() and task not in order]
        order.append(task)
        turns.give(slow=task.result())
        await asyncio.sleep(0)
    assert ["aaaabbc"[tasks.index(task)] for task in order] == list("aabcaba")


async def test_one_that_becomes_slow_while_others_of_it_wait_is_treated_so() -> None:
    turns = Turns(2)
    tasks = await started(turns, "a", "a", "a", "a", "quick")
    assert [task.done() for task in tasks] == [True, True, False, False, False]
    known(turns, "a")
    turns.give(slow=False)
    turns.give(slow=False)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True, True, True, False, True]
    for task in tasks:
        task.cancel()


async def test_one_that_is_quick_again_is_not_slow_for_ever() -> None:
    turns = known(Turns(2), "a")
    for _ in range(30):
        turns.took("a", 0.0)
    tasks = await started(turns, "a", "a")
    assert all(task.done() for task in tasks)


@given(seed=st.integers(0, 2**32), count=st.integers(1, 4))
def test_nobody_waits_for_ever_and_there_are_never_too_many(seed: int, count: int) -> None:
    asyncio.run(_play(random.Random(seed), count))


async def _play(rand: random.Random, count: int) -> None:
    turns = known(Turns(count), "s0", "s1")
    under_way = slow_under_way = 0

    async def use(expression: str) -> None:
        nonlocal under_way, slow_under_way
        slow = await turns.take(expression)
        under_way, slow_under_way = under_way + 1, slow_under_way + slow
        assert under_way <= count
        assert slow_under_way <= max(1, count - 1)
        try:
            for _ in range(rand.randrange(4)):
                await asyncio.sleep(0)
            turns.took(expression, rand.choice((0.0, 5 * SLOW_SECONDS)))
        finally:
            under_way, slow_under_way = under_way - 1, slow_under_way - slow
            turns.give(slow=slow)

    tasks = [asyncio.create_task(use(rand.choice(("s0", "s1", "q0", "q1", "q2")))) for _ in range(40)]
    for _ in range(10):
        await asyncio.sleep(0)
        rand.choice(tasks).cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() or task.exception() is None for task in tasks)
    assert (turns._free, turns._free_for_slow) == (count, max(1, count - 1))
    assert not turns._waiting
