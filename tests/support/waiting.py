"""Waiting for what nobody tells."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long a test waits for what has to come: far longer than it takes on the slowest machine, for nobody waits for it."""


async def until(condition: Callable[[], Awaitable[T]], seconds: float = PATIENCE_SECONDS) -> T:
    """The first true answer of `condition`, which is asked again and again. Raises TimeoutError after so many seconds."""
    async with asyncio.timeout(seconds):
        while not (answer := await condition()):  # noqa: ASYNC110 Postgres tells nobody
            await asyncio.sleep(0.02)
        return answer
