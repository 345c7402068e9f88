from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from events.replay.handler import Replay
from events.replay.handler import create as create_handler
from functions.explore.app import create as create_explore
from functions.replays.app import create
from shared.runtime.local_broker import LocalBroker
from shared.runtime.resources import Resources
from tests.integration.dispatch.conftest import World, world
from tests.support.projects import Project
from tests.support.sink import Sink
from tests.support.waiting import PATIENCE_SECONDS

__all__ = ["world"]


@pytest.fixture
async def client(resources: Resources, project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """The function, asked with the project's key below its address."""
    transport = httpx.ASGITransport(create(resources))
    base = f"http://weir.test/v1/projects/{project.name}"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=project.headers) as opened:
        yield opened


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    async with Sink() as opened:
        yield opened


class Again:
    """The function, who works on replays, and a dispatcher."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client = client
        self.world = world
        self.workers: list[Replay] = []

    def start(self) -> Replay:
        """Who works on replays, woken by what is sent."""
        resources = self.world.resources
        if resources.wake.local is None:
            resources.wake.local = LocalBroker()
        worker = create_handler(resources)
        resources.wake.local.subscribe(worker, ("dev.weir.replay", "dev.weir.tick"))
        self.workers.append(worker)
        return worker

    async def replay(self, **body: Any) -> dict[str, Any]:
        """Start one; what is answered."""
        answer = await self.client.post("/replays", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def get(self, replay: dict[str, Any]) -> dict[str, Any]:
        """What it is now."""
        answer = await self.client.get(f"/replays/{replay['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        """The first page of such deliveries, as `explore` lists them."""
        transport = httpx.ASGITransport(create_explore(self.world.resources))
        base = str(self.client.base_url)
        async with httpx.AsyncClient(
            transport=transport, base_url=base, headers=self.world.project.headers
        ) as explore:
            answer = await explore.get("/deliveries", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def until(
        self, replay: dict[str, Any], timeout: float = PATIENCE_SECONDS, **members: Any
    ) -> dict[str, Any]:
        """What it is as soon as it is so."""

        async def check() -> dict[str, Any] | None:
            found = await self.get(replay)
            return found if all(found[name] == value for name, value in members.items()) else None

        return await self.world.until(check, timeout)


@pytest.fixture
async def again(client: httpx.AsyncClient, world: World) -> AsyncIterator[Again]:
    made = Again(client, world)
    world.start()
    made.start()
    yield made
    for worker in made.workers:
        await worker.drain()
