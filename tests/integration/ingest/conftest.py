import asyncpg
import httpx
import pytest

from functions.ingest.app import create
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project
from tests.support.served import UNCOUNTED, Served
from tests.support.wire import request

HEADERS = {"ce-specversion": "1.0", "ce-type": "com.example.made", "ce-source": "/tests"}
DATA = b'{"n":1}'
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class Door:
    """Posts to `/in/{project}` through ASGI, as the project's key unless told otherwise."""

    def __init__(self, client: httpx.AsyncClient, project: Project) -> None:
        self.client = client
        self.project = project
        self.path = f"/in/{project.name}"

    async def binary(self, identity: str = "1", body: bytes = b'{"n":1}', **headers: str) -> httpx.Response:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.client.post(
            self.path,
            headers={
                **self.project.headers,
                **HEADERS,
                "content-type": "application/json",
                "ce-id": identity,
                **named,
            },
            content=body,
        )

    async def post(self, body: bytes, content_type: str, **headers: str) -> httpx.Response:
        return await self.client.post(
            self.path,
            headers={**self.project.headers, "content-type": content_type, **headers},
            content=body,
        )


@pytest.fixture
async def door(resources: Resources, project: Project):
    transport = httpx.ASGITransport(create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield Door(client, project)


def serve(database_url: str, redis_url: str, **environment: str) -> Served:
    """The door, served by a process of its own.

    Its lines are not counted: those of the door are where `door` asks it, those of serving by the tests of
    `shared.runtime.serve`. To count costs a process that reads bombs and fuzz a good part of its time.
    """
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests alone, 32 signs or more",
    )
    return Served(["-m", "shared.runtime.serve", "ingest"], settings, **UNCOUNTED, **environment)


class Post:
    """Puts requests of one project together."""

    def __init__(self, project: Project) -> None:
        self._target = f"/in/{project.name}"
        self._key = project.headers

    def __call__(
        self, *lines: bytes, body: bytes = DATA, identity: str = "1", framed: bool = True, **headers: str
    ) -> bytes:
        named = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return request(
            self._target, {**self._key, **HEADERS, "ce-id": identity, **named}, body, *lines, framed=framed
        )

    def structured(self, body: bytes, content_type: str = STRUCTURED, **headers: str) -> bytes:
        return request(self._target, {**self._key, "content-type": content_type, **headers}, body)


@pytest.fixture
def post(project: Project) -> Post:
    return Post(project)


async def stored(pool: asyncpg.Pool, project: Project) -> list[asyncpg.Record]:
    return await pool.fetch("SELECT * FROM events WHERE project_id = $1 ORDER BY uid", project.id)
