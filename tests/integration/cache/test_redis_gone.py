"""Redis is killed while people work: every read is answered, who signs in is told to come again, and it heals by itself."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from cli.local.servers import RedisServer
from shared.runtime.settings import Settings
from tests.support.people import create_person, new_link
from tests.support.projects import Project
from tests.support.served import Served
from tests.support.waiting import until

URL = "http://127.0.0.1:8480"
PASSWORD = "a password of the test alone"
BROWSER = {"origin": URL, "sec-fetch-site": "same-origin", "user-agent": "a test"}
METRICS = secrets.token_hex(16)


@dataclass
class Readers:
    """Reads of every kind in two processes, over and over."""

    processes: list[Served]
    reads: list[tuple[str, dict[str, str]]]
    answers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def run(self, client: httpx.AsyncClient) -> None:
        """Until cancelled."""
        while True:
            for served in self.processes:
                for path, headers in self.reads:
                    answer = await client.get(served.url + path, headers=headers)
                    self.answers[answer.status_code] += 1
                    if answer.status_code != 200:
                        self.faults.append(f"{path} {answer.status_code} {answer.text}")


@dataclass
class Stand:
    """The processes, who reads, and somebody with a session."""

    redis: RedisServer
    readers: Readers
    client: httpx.AsyncClient
    email: str
    link: str

    @property
    def served(self) -> Served:
        return self.readers.processes[0]

    async def more(self, reads: int = 40) -> None:
        """Wait until so many more reads were answered."""
        enough = self.readers.answers.total() + reads

        async def are_enough() -> bool:
            return self.readers.answers.total() >= enough

        await until(are_enough, 60)

    async def refresh(self) -> httpx.Response:
        return await self.client.post(f"{self.served.url}/v1/auth/refresh")

    async def sign_in(self) -> httpx.Response:
        body = {"email": self.email, "password": PASSWORD}
        async with httpx.AsyncClient(headers=BROWSER, timeout=30) as another:
            return await another.post(f"{self.served.url}/v1/auth/sign-in", json=body)

    async def figure(self, name: str) -> float:
        """The sum of a metric over the processes."""
        total = 0.0
        for served in self.readers.processes:
            shown = await self.client.get(
                f"{served.url}/metrics", headers={"authorization": f"Bearer {METRICS}"}
            )
            total += sum(float(line.split()[-1]) for line in shown.text.splitlines() if line.startswith(name))
        return total


@pytest.fixture
async def stand(
    settings: Settings, project: Project, pool: asyncpg.Pool, redis: RedisServer
) -> AsyncIterator[Stand]:
    here = settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with AsyncExitStack() as stack:
        processes = [
            stack.enter_context(
                Served(["-m", "shared.runtime.serve", "--all"], here, WEIR_METRICS_TOKEN=METRICS)
            )
            for _ in range(2)
        ]
        person = await create_person(pool, password=PASSWORD, roles={project.id: "owner"})
        client = await stack.enter_async_context(httpx.AsyncClient(headers=BROWSER, timeout=30))
        started = await client.post(
            f"{processes[0].url}/v1/auth/link", json={"token": await new_link(pool, person)}
        )
        assert started.status_code == 200, started.text
        user = {"authorization": f"Bearer {started.json()['accessToken']}"}
        of = f"/v1/projects/{project.name}"
        reads = [
            *((f"{of}/{what}", who) for what in ("events", "subscriptions", "keys", "types", "deliveries")
              for who in (user, project.headers)),
            (of, user),
            ("/v1/projects", user),
            ("/v1/me", user),
            ("/.well-known/jwks.json", {}),
        ]  # fmt: skip
        readers = Readers(processes, [])
        for path, headers in reads:  # those that there are
            if (await client.get(processes[0].url + path, headers=headers)).status_code != 404:
                readers.reads.append((path, headers))
        assert len(readers.reads) >= 10
        link = await new_link(pool, person)
        stand = Stand(redis, readers, client, person.email, link)
        anybody = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        tasks = [asyncio.create_task(readers.run(anybody)) for _ in range(4)]
        yield stand
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(error, asyncio.CancelledError) for error in ended), ended
        for served in processes:  # whatever still listens to Redis holds nobody up
            assert await asyncio.to_thread(served.end) == 0


async def test_reads_go_on_without_redis_and_the_rest_heals(stand: Stand) -> None:
    async def is_shared() -> bool:
        return await stand.figure('weir_cache_hits_total{cache="keys",level="redis"}') > 0

    await until(is_shared, 60)
    assert (await stand.refresh()).status_code == 200
    redis = stand.redis.process
    assert redis is not None
    for _ in range(2):
        redis.kill()
        redis.wait()
        await stand.more()
        link = await stand.client.post(f"{stand.served.url}/v1/auth/link", json={"token": stand.link})
        for refused in (await stand.refresh(), await stand.sign_in(), link):
            assert refused.status_code == 503, refused.text
            assert refused.headers["content-type"] == "application/problem+json"
            assert int(refused.headers["retry-after"]) > 0
        await stand.more()
        hits = await stand.figure('weir_cache_hits_total{cache="keys",level="redis"}')
        stand.redis.start()
        redis = stand.redis.process
        assert redis is not None

        async def is_refreshed() -> bool:
            return (await stand.refresh()).status_code == 200

        await until(is_refreshed)  # the session is the one from before: Redis keeps what it was given
        assert (await stand.sign_in()).status_code == 200

        async def is_used_again(before: float = hits) -> bool:
            return await stand.figure('weir_cache_hits_total{cache="keys",level="redis"}') > before

        await until(is_used_again, 60)
    assert stand.readers.faults == []
    assert list(stand.readers.answers) == [200]
    assert await stand.figure("weir_cache_redis_faults_total") >= 2
    signed_in = await stand.client.post(f"{stand.served.url}/v1/auth/link", json={"token": stand.link})
    assert signed_in.status_code == 200  # the link was not used up
