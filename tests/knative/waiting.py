"""Waiting for conditions, and saying what goes on meanwhile."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def say(text: str) -> None:
    """A line of progress: these tests take minutes."""
    sys.stderr.write(f"[knative {time.strftime('%H:%M:%S')}] {text}\n")
    sys.stderr.flush()


def eventually(what: str, ask: Callable[[], T | None], seconds: float, every: float = 0.5) -> T:
    """The first answer of `ask` that is not None or False. AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)
