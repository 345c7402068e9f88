"""The built-in sink shows what arrives and answers as it is told."""

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from functions.receive.app import create
from functions.receive.service import Receiver
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    async with browse(create(resources)) as opened:
        yield opened


def browse(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://weir")


async def shown(client: httpx.AsyncClient, project: Project) -> dict:
    answer = await client.get(f"/v1/projects/{project.name}/sink", headers=project.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tell(client: httpx.AsyncClient, project: Project, answer: str) -> httpx.Response:
    return await client.put(
        f"/v1/projects/{project.name}/sink", json={"answer": answer}, headers=project.headers
    )


async def test_what_arrives_is_shown_newest_first(client: httpx.AsyncClient, project: Project) -> None:
    assert await shown(client, project) == {
        "url": f"http://127.0.0.1:8480/sink/{project.name}",
        "answer": "200",
        "requests": [],
    }
    first = await client.post(
        f"/sink/{project.name}?a=1",
        content='{"n": "é"}',
        headers=[("ce-type", "t"), ("authorization", "Bearer s"), ("x-twice", "1"), ("x-twice", "2")],
    )
    assert first.status_code == 200
    await client.put(f"/sink/{project.name}/deeper", content=b"\xff\x00")
    later, earlier = (await shown(client, project))["requests"]
    assert (later["method"], later["path"]) == ("PUT", f"/sink/{project.name}/deeper")
    assert later["body"] is None
    assert base64.b64decode(later["bodyBase64"]) == b"\xff\x00"
    assert (earlier["method"], earlier["path"]) == ("POST", f"/sink/{project.name}?a=1")
    assert (earlier["body"], earlier["bodyBase64"]) == ('{"n": "é"}', None)
    assert earlier["headers"]["ce-type"] == "t"
    assert earlier["headers"]["authorization"] == "***"
    assert earlier["headers"]["x-twice"] == "1, 2"


async def test_it_keeps_the_last_twenty_for_an_hour_and_64_kib_of_each(
    client: httpx.AsyncClient, project: Project, resources: Resources
) -> None:
    for number in range(22):
        await client.post(f"/sink/{project.name}", content=str(number))
    large = ("a" * (64 * 1024 - 1) + "é").encode()
    await client.post(f"/sink/{project.name}", content=large)
    kept = (await shown(client, project))["requests"]
    assert len(kept) == 20
    assert kept[0]["truncated"] is True
    assert kept[0]["body"] == "a" * (64 * 1024 - 1)
    assert kept[1]["body"] == "21"
    redis = await resources.redis()
    assert 3590 < await redis.ttl(f"weir:sink:{project.id}:requests") <= 3600


async def test_it_answers_as_it_is_told(client: httpx.AsyncClient, project: Project) -> None:
    for told, status in (("503", 503), ("429", 429), ("200", 200)):
        assert (await tell(client, project, told)).json()["answer"] == told
        answer = await client.post(f"/sink/{project.name}")
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == ("2" if told == "429" else None)
    refused = await tell(client, project, "500")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/answer"


@pytest.mark.parametrize("name", ["no-such-project", "UPPER", "nul%00"])
async def test_a_sink_of_no_project_is_404(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.post(f"/sink/{name}")).status_code == 404


async def test_a_body_past_4_mib_is_413(client: httpx.AsyncClient, project: Project) -> None:
    answer = await client.post(f"/sink/{project.name}", content=b"x" * (4 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_without_redis_it_answers_and_remembers_nothing(
    settings: Settings, client: httpx.AsyncClient, project: Project
) -> None:
    url = type(settings.redis_url)("redis://127.0.0.1:1/0")
    resources = Resources(settings.model_copy(update={"redis_url": url}))
    async with browse(create(resources)) as other:
        assert (await other.post(f"/sink/{project.name}")).status_code == 200
        assert (await other.post(f"/sink/{project.name}")).status_code == 200
        answer = await other.get(f"/v1/projects/{project.name}/sink", headers=project.headers)
    await resources.close()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert (await shown(client, project))["requests"] == []


def arriving(project: Project, disconnected: asyncio.Event) -> Request:
    """A request whose client goes when `disconnected` is set."""
    parts = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict:
        if parts:
            return parts.pop()
        await disconnected.wait()
        return {"type": "http.disconnect"}

    return Request(
        {
            "type": "http",
            "method": "POST",
            "path": f"/sink/{project.name}",
            "query_string": b"",
            "headers": [],
            "server": ("weir", 80),
            "scheme": "http",
        },
        receive,
    )


async def has_received(client: httpx.AsyncClient, project: Project, count: int) -> None:
    async with asyncio.timeout(60):
        while len((await shown(client, project))["requests"]) < count:
            pass


async def test_it_hangs_until_the_time_is_up_the_client_goes_or_the_process_ends(
    client: httpx.AsyncClient, project: Project, resources: Resources
) -> None:
    await tell(client, project, "hang")
    stays = asyncio.Event()
    assert (
        await Receiver(resources, hang_seconds=0.05).take(project.name, arriving(project, stays))
    ).status_code == 503
    receiver = Receiver(resources)
    goes = asyncio.Event()
    hanging = asyncio.create_task(receiver.take(project.name, arriving(project, goes)))
    await has_received(client, project, 2)
    assert not hanging.done()
    goes.set()
    await asyncio.wait_for(hanging, 60)
    draining = asyncio.create_task(receiver.take(project.name, arriving(project, stays)))
    await has_received(client, project, 3)
    resources.draining = True
    await asyncio.wait_for(draining, 60)


async def test_it_takes_so_many_a_second(project: Project, resources: Resources) -> None:
    receiver = Receiver(resources, per_second=3)
    stays = asyncio.Event()
    with pytest.raises(Problem) as refused:
        await asyncio.gather(*(receiver.take(project.name, arriving(project, stays)) for _ in range(9)))
    assert refused.value.kind.status == 429
    assert refused.value.headers["Retry-After"] == "1"
