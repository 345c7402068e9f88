"""The program of a smoke Job, against functions that answer this way and that."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest

from shared.runtime import inside
from tests.support.sink import Answer, Received, Sink


@pytest.fixture
async def function() -> AsyncIterator[Sink]:
    async with Sink() as sink:
        yield sink


async def check(url: str, seconds: float = 10) -> str:
    return await asyncio.to_thread(inside.check, url, time.monotonic() + seconds)


async def test_a_function_that_answers_is_well(function: Sink) -> None:
    assert await check(function.url) == ""
    assert [(r.method, r.path) for r in function.requests] == [("GET", "/healthz"), ("GET", "/readyz")]


async def test_one_that_comes_late_is_waited_for(function: Sink) -> None:
    function.answers([404, 503, 200, 200])
    assert await check(function.url) == ""


async def test_one_that_does_not_get_ready_is_not(function: Sink) -> None:
    function.choose(lambda r: Answer(200) if r.path == "/healthz" else Answer(503, body=b"no store"))
    assert "/readyz: 503 no store" in await check(function.url, 0)


async def test_an_event_handler_must_take_a_tick(function: Sink) -> None:
    assert await check(f"tick+{function.url}") == ""
    tick = function.requests[-1]
    assert (tick.method, tick.path, tick.header("ce-type")) == ("POST", "/", "dev.weir.tick")
    function.choose(lambda r: Answer(500 if r.method == "POST" else 200))
    assert "(a tick): 500" in await check(f"tick+{function.url}")


async def test_a_tick_that_is_held_open_is_being_worked_on(
    function: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "TICK_SECONDS", 0.3)

    def answer(received: Received) -> Answer:
        return Answer(hang=received.method == "POST")

    function.choose(answer)
    assert await check(f"tick+{function.url}") == ""


async def test_what_is_wrong_is_said_as_json(function: Sink, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asyncio.to_thread(inside.main, [function.url]) == 0
    assert json.loads(capsys.readouterr().out) == {"checked": 1, "wrong": []}
