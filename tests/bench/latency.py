"""From a producer's POST to the receiver's door, at a steady rate: sender and receiver in one process."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from tests.bench.load import DATA
from tests.support.projects import Project


async def measure(url: str, project: Project, *, seconds: float, rate: int) -> dict[str, Any]:
    """Milliseconds, p50 and p99, from before the POST to the arrival at a sink; `lost` should be 0."""
    sent: dict[str, float] = {}
    took: list[float] = []
    arrived = asyncio.Event()
    count = int(seconds * rate)

    async def receive(request: web.Request) -> web.Response:
        now = time.perf_counter()
        began = sent.pop(request.headers["ce-id"], None)
        if began is not None:
            took.append(now - began)
            if len(took) == count:
                arrived.set()
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(headers=project.headers) as session:
        async with session.post(
            f"{url}/v1/projects/{project.name}/subscriptions",
            json={"name": "latency", "filters": [], "sink": f"http://127.0.0.1:{port}/"},
        ) as answer:
            answer.raise_for_status()
            subscription = answer.headers["location"]

        async def emit(number: int) -> None:
            name = f"latency-{began_at}-{number}"
            sent[name] = time.perf_counter()
            headers = {
                "content-type": "application/json",
                "ce-specversion": "1.0",
                "ce-type": "com.acme.order.created",
                "ce-source": "/bench",
                "ce-id": name,
            }
            async with session.post(f"{url}/in/{project.name}", data=DATA, headers=headers) as taken:
                taken.raise_for_status()

        began_at = time.time_ns()
        start = time.perf_counter()
        tasks = []
        for number in range(count):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            tasks.append(asyncio.create_task(emit(number)))
        await asyncio.gather(*tasks)
        with suppress(TimeoutError):  # told as `lost`
            await asyncio.wait_for(arrived.wait(), 30)
        async with session.delete(url + subscription) as answer:
            answer.raise_for_status()
    await runner.cleanup()
    ordered = sorted(took) or [float("nan")]
    return {
        "rate": rate,
        "p50": ordered[len(ordered) // 2] * 1000,
        "p99": ordered[int(len(ordered) * 0.99)] * 1000,
        "lost": count - len(took),
    }
