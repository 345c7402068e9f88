import httpx
import pytest

from functions.ingest.app import create
from shared.runtime.resources import Resources
from tests.support.projects import Project

HEADERS = {"ce-specversion": "1.0", "ce-type": "com.example.made", "ce-source": "/tests"}


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
