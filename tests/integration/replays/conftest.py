from collections.abc import AsyncIterator

import httpx
import pytest

from functions.replays.app import create
from shared.runtime.resources import Resources
from tests.support.projects import Project


@pytest.fixture
async def client(resources: Resources, project: Project) -> AsyncIterator[httpx.AsyncClient]:
    """The function, asked with the project's key below its address."""
    transport = httpx.ASGITransport(create(resources))
    base = f"http://weir.test/v1/projects/{project.name}"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=project.headers) as opened:
        yield opened
