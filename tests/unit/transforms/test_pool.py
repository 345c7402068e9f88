"""Expressions in child processes: what they give, and that none gets away."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.transforms.child import REQUEST
from shared.transforms.pool import CHILD, TransformFault, TransformLimit, TransformPool
from shared.transforms.settings import TransformSettings

ENDLESS = "($f := function($x){$f($x + 1)}; $f(1))"


@pytest.fixture
async def children() -> AsyncIterator[TransformPool]:
    pool = TransformPool(TransformSettings())
    yield pool
    await pool.close()


async def test_json_goes_in_and_out(children: TransformPool) -> None:
    assert await children.evaluate("a.b + 1", b'{"a": {"b": 41}}') == b"42"
    assert await children.evaluate("$", '{"a": "ü€😀"}'.encode()) == '{"a":"ü€😀"}'.encode()
    assert await children.evaluate("nothing", b"{}") is None
    assert await children.evaluate("null", b"{}") is None
    assert (
        await children.evaluate("$", b"123456789012345678901234567890") == b"123456789012345678901234567890"
    )


@pytest.mark.parametrize(
    ("expression", "position"), [("(", 1), ("1 2", 3), ('{"a": 1}}', 9), ("$f :=", 5), ("/(/", 3)]
)
async def test_what_cannot_be_read_says_where(
    children: TransformPool, expression: str, position: int
) -> None:
    with pytest.raises(TransformFault) as fault:
        await children.check(expression)
    assert fault.value.position == position


@pytest.mark.parametrize(
    "expression",
    [
        ENDLESS,
        '$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)',
        "$map([1..1000000], function($x){[1..1000]})",
        '($f := function($s){$f($s & $s)}; $f("xxxxxxxxxxxxxxxx"))',
        "$count([1..900000].[1..900000])",
    ],
)
async def test_what_takes_too_much_is_ended(children: TransformPool, expression: str) -> None:
    with pytest.raises(TransformLimit):
        await children.evaluate(expression, b"{}")
    assert await children.evaluate("1 + 1", b"{}") == b"2"
    # It is not tried again at once: others need the processes.
    idle = list(children._idle)
    with pytest.raises(TransformLimit):
        await children.evaluate(expression, b"{}")
    assert children._idle == idle


async def test_others_go_on_beside_an_endless_one(children: TransformPool) -> None:
    await children.evaluate("1", b"{}")
    endless = asyncio.create_task(children.evaluate(ENDLESS, b"{}"))
    for _ in range(50):
        assert await children.evaluate("1 + 1", b"{}") == b"2"
    with pytest.raises(TransformLimit):
        await endless


async def test_those_that_are_quick_do_not_wait_for_those_that_are_nearly_too_slow(
    children: TransformPool,
) -> None:
    def slow(number: int) -> str:
        return f"($f := function($n){{$n = 0 ? {number} : $f($n - 1)}}; $map([1..60], function($x){{$f(150)}})[0])"

    async def keep_busy(expression: str) -> None:
        while True:
            with suppress(TransformLimit):
                await children.evaluate(expression, b"{}")

    assert await children.evaluate("1", b"{}") == b"1"
    for number in range(4):
        with suppress(TransformLimit):
            await children.evaluate(slow(number), b"{}")
    assert all(children._turns._is_slow(slow(number)) for number in range(4))
    busy = [asyncio.create_task(keep_busy(slow(number))) for number in range(4) for _ in range(8)]
    try:
        # Not by the clock: of those that are slow, few are done while the quick one has a hundred.
        done = 0

        async def count() -> None:
            nonlocal done
            while True:
                with suppress(TransformLimit):
                    await children.evaluate(slow(0), b"{}")
                done += 1

        busy.append(asyncio.create_task(count()))
        await asyncio.sleep(0)
        for _ in range(100):
            assert await children.evaluate("1 + 1", b"{}") == b"2"
        assert done < 20
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def test_a_killed_child_is_replaced(children: TransformPool) -> None:
    await children.evaluate("1", b"{}")
    (child,) = children._idle
    child.kill()
    await child.wait()
    assert await children.evaluate("1", b"{}") == b"1"
    assert children._idle != [child]


async def test_one_that_is_cancelled_leaves_no_answer_to_the_next(children: TransformPool) -> None:
    await children.evaluate("1", b"{}")
    for _ in range(3):
        task = asyncio.create_task(children.evaluate("$sum([1..100000])", b"{}"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await children.evaluate("7", b"{}") == b"7"


async def test_a_child_sees_nothing_of_the_environment(
    children: TransformPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_SECRET", "top")
    await children.evaluate("1", b"{}")
    (child,) = children._idle
    assert b"WEIR" not in Path(f"/proc/{child.pid}/environ").read_bytes()  # noqa: ASYNC240 /proc waits for nothing


async def test_children_end_with_the_pool() -> None:
    pool = TransformPool(TransformSettings())
    await asyncio.gather(pool.evaluate("1", b"{}"), pool.evaluate("2", b"{}"))
    started = list(pool._idle)
    await pool.close()
    assert [child.returncode for child in started] == [-9, -9]


async def test_a_child_whose_parent_was_killed_does_not_go_on_for_ever() -> None:
    arguments = (sys.executable, "-I", str(CHILD), str(512 * 1024 * 1024), "0.5", "")
    child = await asyncio.create_subprocess_exec(*arguments, stdin=PIPE, stdout=PIPE, env={})
    try:
        assert child.stdin is not None
        text = ENDLESS.encode()
        child.stdin.write(REQUEST.pack(len(text), 2) + text + b"{}")
        await child.stdin.drain()
        async with asyncio.timeout(60):
            assert await child.wait() == -signal.SIGALRM
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(expression=st.text("$()[]{}.,:;\"\\'/*+-=<>!?&~|^%abx019 \n\0ü", min_size=1, max_size=40))
async def test_any_text_is_answered(children: TransformPool, expression: str) -> None:
    try:
        await children.evaluate(expression, b'{"a": [1, {"b": "x"}]}')
    except (TransformFault, TransformLimit):
        pass
    else:
        assert await children.evaluate("1", b"{}") == b"1"
