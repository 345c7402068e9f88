from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from functions.projects.app import create
from shared.runtime.resources import Resources
from tests.integration.projects.people import People
from tests.support.projects import Project


class Projects:
    """Asks below `/v1/projects/{project}`, as the project's key unless told otherwise."""

    def __init__(self, client: httpx.AsyncClient, project: Project) -> None:
        self.client = client
        self.project = project

    async def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **query: str
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.project.key}"}
        url = f"/v1/projects/{self.project.name}{path}"
        return await self.client.request(method, url, json=body, headers=headers, params=query)

    async def refused_at(self, method: str, path: str, body: object) -> list[str]:
        """The pointers of a 422."""
        answer = await self.ask(method, path, body)
        assert answer.status_code == 422, answer.text
        return [error["pointer"] for error in answer.json()["errors"]]


@pytest.fixture
async def projects(resources: Resources, project: Project) -> AsyncIterator[Projects]:
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as opened:
        yield Projects(opened, project)


@pytest.fixture
def people(projects: Projects, resources: Resources, pool: asyncpg.Pool) -> People:
    return People(projects.client, projects.project, resources, pool)
