"""How late this machine is by itself: what a test that looks at the clock may not blame on Weir."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

GAP_SECONDS = 0.02
STATEMENTS = 5
"""About as many statements lie between the moment that a delivery is due and its request."""


@asynccontextmanager
async def own_lag(pool: asyncpg.Pool) -> AsyncIterator[list[float]]:
    """How many seconds late a timer was, and what some statements after it took, again and again meanwhile."""
    late: list[float] = []

    async def measure() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(GAP_SECONDS)
            for _ in range(STATEMENTS):
                await pool.fetchval("SELECT 1")
            late.append(time.monotonic() - began - GAP_SECONDS)

    task = asyncio.get_running_loop().create_task(measure())
    try:
        yield late
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def turns(seconds: float = 0.005) -> AsyncIterator[Callable[[], float]]:
    """A clock that goes only while the loop has turns to give: it stands still with the process, and in what does not wait."""
    passed = 0.0

    async def tick() -> None:
        nonlocal passed
        while True:
            await asyncio.sleep(seconds)
            passed += seconds

    task = asyncio.get_running_loop().create_task(tick())
    try:
        yield lambda: passed
    finally:
        task.cancel()
        await asyncio.wait([task])
