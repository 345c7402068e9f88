"""Evaluates expressions in child processes, so that none can stop, slow down or look into this one."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from shared.transforms.child import ANSWER, NO_INPUT, REQUEST
from shared.transforms.settings import TransformSettings
from shared.transforms.turns import Turns

CHILD = Path(__file__).with_name("child.py")
LIBRARY = "jsonata"
INTERPRETER = ("LD_LIBRARY_PATH",)
"""What of the environment the interpreter may need to start at all, as AWS Lambda's does."""

START_SECONDS = 20.0
IDLE_SECONDS = 60.0
REST_SECONDS = 10.0
"""For how long an expression that took too long is not tried again: it would keep others from a process."""

ALARM_SECONDS = 5.0
"""How long after its time-out an expression ends by itself, when this process is not there any more to end it."""

RESTING = 1_000

logger = logging.getLogger("weir.transforms")


class TransformFault(Exception):
    """The expression is wrong, or wrong for this input: trying again does not help.

    `position` counts characters of the expression; None where it is not known.
    """

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class TransformLimit(Exception):
    """It took too much time or memory, or its process ended: another time it may go well."""


class TransformPool:
    """At most `transform_processes` children, started when they are needed and ended when they are not."""

    def __init__(self, settings: TransformSettings) -> None:
        self._settings = settings
        self._turns = Turns(settings.transform_processes)
        self._idle: list[Process] = []
        self._resting: OrderedDict[str, float] = OrderedDict()
        self._used_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def check(self, expression: str) -> None:
        """Raise TransformFault unless `expression` can be read; TransformLimit."""
        await self._ask(expression, None)

    async def evaluate(self, expression: str, given: bytes) -> bytes | None:
        """What `expression` makes of a JSON text, as a JSON text; None for nothing and for null.

        Raises TransformFault, TransformLimit.
        """
        return await self._ask(expression, given)

    async def close(self) -> None:
        """End the children."""
        if self._timer is not None:
            self._timer.cancel()
        idle, self._idle = self._idle, []
        for child in idle:
            await _end(child)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _ask(self, expression: str, given: bytes | None) -> bytes | None:
        self._refuse_resting(expression)
        slow = await self._turns.take(expression)
        try:
            self._refuse_resting(expression)
            kind, body = await self._use_child(expression, given)
        finally:
            self._turns.give(slow=slow)
        if kind == b"e":
            told: dict[str, Any] = msgspec.json.decode(body)
            raise TransformFault(told["detail"], told["position"])
        return body if kind == b"v" else None

    async def _use_child(self, expression: str, given: bytes | None) -> tuple[bytes, bytes]:
        child = self._take() or await self._start()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.transform_timeout_seconds):
                kind, body = await _exchange(child, expression, given)
        except TimeoutError:
            self._let_rest(expression)
            await _end(child)
            raise TransformLimit(self._too_slow()) from None
        except (OSError, asyncio.IncompleteReadError) as error:
            self._let_rest(expression)
            await _end(child)
            logger.warning("a transform has ended its process: %s", error)
            raise TransformLimit("the transform has ended its process") from None
        except BaseException:
            await _end(child)  # cancelled: nobody reads its answer any more
            raise
        if kind == b"l":
            self._let_rest(expression)
            await _end(child)
            raise TransformLimit(body.decode())
        self._turns.took(expression, time.monotonic() - started)
        self._idle.append(child)
        self._rest()
        return kind, body

    def _refuse_resting(self, expression: str) -> None:
        until = self._resting.get(expression)
        if until is not None and time.monotonic() < until:
            raise TransformLimit(self._too_slow())

    def _take(self) -> Process | None:
        """A child that waits; what has ended meanwhile is no expression's fault."""
        while self._idle:
            child = self._idle.pop()
            if child.returncode is None:
                return child
        return None

    async def _start(self) -> Process:
        try:
            child = await create_subprocess_exec(
                sys.executable,
                "-I",
                str(CHILD),
                str(self._settings.transform_memory_bytes),
                str(self._settings.transform_timeout_seconds + ALARM_SECONDS),
                _folder_of(LIBRARY),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={name: os.environ[name] for name in INTERPRETER if name in os.environ},
                start_new_session=True,  # Ctrl-C is our affair
            )
        except OSError as error:
            raise TransformLimit(f"no process for transforms could be started: {error.strerror}") from error
        try:
            async with asyncio.timeout(START_SECONDS):
                await _read(child)
        except BaseException as error:
            await _end(child)
            if isinstance(error, TimeoutError | OSError | asyncio.IncompleteReadError):
                raise TransformLimit("the process for transforms did not start") from error
            raise
        return child

    def _let_rest(self, expression: str) -> None:
        # Another process takes its place, and that takes time too.
        self._turns.took(expression, self._settings.transform_timeout_seconds)
        self._resting[expression] = time.monotonic() + REST_SECONDS
        while len(self._resting) > RESTING:
            self._resting.popitem(last=False)

    def _too_slow(self) -> str:
        return f"the transform took more than {self._settings.transform_timeout_seconds:g} s"

    def _rest(self) -> None:
        """End the children when nobody has needed them for a while."""
        self._used_at = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._used_at + IDLE_SECONDS - time.monotonic()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
            return
        self._timer = None
        idle, self._idle = self._idle, []
        for child in idle:
            task = loop.create_task(_end(child))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


async def _exchange(child: Process, expression: str, given: bytes | None) -> tuple[bytes, bytes]:
    assert child.stdin is not None
    text = expression.encode()
    child.stdin.write(
        REQUEST.pack(len(text), NO_INPUT if given is None else len(given)) + text + (given or b"")
    )
    await child.stdin.drain()
    return await _read(child)


async def _read(child: Process) -> tuple[bytes, bytes]:
    assert child.stdout is not None
    kind, length = ANSWER.unpack(await child.stdout.readexactly(ANSWER.size))
    return kind, await child.stdout.readexactly(length)


async def _end(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    assert child.stdin is not None
    child.stdin.close()
    await child.wait()


def _folder_of(module: str) -> str:
    """Where a child finds `module`: by itself it looks among what is installed, and a package for Lambda is not."""
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parents[1])
