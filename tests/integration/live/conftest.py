from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from shared.runtime.settings import Settings
from tests.support.background import Background
from tests.support.projects import Project


@pytest.fixture(scope="module")
def served(database_url: str) -> Iterator[Background]:
    """All functions over HTTP. No Redis answers: the tail does not need it."""
    settings = Settings(
        database_url=database_url,
        redis_url="redis://127.0.0.1:9/0",
        secret="a secret of the tests alone, 32 signs or more",
        sink_allow=("127.0.0.0/8",),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIR_LIVE_BEAT_SECONDS", "0.3")
        with Background(settings) as running:
            yield running


class Watched:
    """The project as its key sees it."""

    def __init__(self, client: httpx.AsyncClient, project: Project) -> None:
        self.client = client
        self.project = project
        self.base = f"/v1/projects/{project.name}"
        self.tail = f"{self.base}/live/events"

    async def emit(self, identity: str, data: object = None, **attributes: str) -> str:
        """Send an event; its uid."""
        body = {
            "specversion": "1.0",
            "id": identity,
            "source": "/shop",
            "type": "order.created",
            **attributes,
            "data": {"n": identity} if data is None else data,
        }
        answer = await self.client.post(
            f"/in/{self.project.name}", json=body, headers={"content-type": "application/cloudevents+json"}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["uid"])

    async def emit_many(self, *identities: str) -> list[str]:
        """Send them as one batch; their uids."""
        body = [
            {"specversion": "1.0", "id": one, "source": "/shop", "type": "order.created"}
            for one in identities
        ]
        answer = await self.client.post(
            f"/in/{self.project.name}",
            json=body,
            headers={"content-type": "application/cloudevents-batch+json"},
        )
        assert answer.status_code == 202, answer.text
        return [result["uid"] for result in answer.json()["results"]]


@pytest.fixture
async def watched(served: Background, project: Project) -> AsyncIterator[Watched]:
    async with httpx.AsyncClient(base_url=served.url, headers=project.headers, timeout=30) as client:
        yield Watched(client, project)
