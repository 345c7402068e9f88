"""The edge's roll-out is waited for, and one that does not come ends the deploy as failed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cli.deploy import edge
from cli.errors import CommandError
from tests.integration.deploy.api_server import ApiServer

PATH = "/apis/apps/v1/namespaces/weir/deployments/edge"
PODS = "/api/v1/namespaces/weir/pods"
LABELS = {"app.kubernetes.io/part-of": "weir", "app.kubernetes.io/component": "edge"}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield server


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look every hundredth of a second."""
    monkeypatch.setattr(edge, "LOOK_SECONDS", 0.01)


def deployment(name: str = "edge", labels: dict[str, str] = LABELS, **status: int) -> dict[str, Any]:
    container = {"name": "weir", "image": "weir:2"}
    return {
        "metadata": {"name": name, "labels": labels, "generation": 2},
        "spec": {"replicas": 2, "template": {"spec": {"initContainers": [container], "containers": []}}},
        "status": status,
    }


async def test_it_is_followed_until_all_replicas_are_new(server: ApiServer) -> None:
    states = [
        {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2},
        {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3},
        {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
    ]
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        server.put(PATH, deployment(**states[len(told)]))

    server.put(PATH, deployment(**states[0]))
    other = {"app.kubernetes.io/component": "pooler"}
    server.put(PATH.replace("edge", "pgbouncer"), deployment("pgbouncer", other))
    await edge.until_rolled_out(server.kubernetes(), ["edge"], seconds=30, tell=tell, check=lambda: None)
    assert told == [
        "edge: the cluster has not begun",
        "edge: 1 of 2 replicas are new",
        "edge: 1 of before run beside 2 new replicas",
    ]
    assert [e.name for e in await edge.look(server.kubernetes())] == ["edge"]


async def test_one_that_does_not_start_says_what_to_look_at(server: ApiServer) -> None:
    server.put(PATH, deployment(observedGeneration=2, replicas=3, updatedReplicas=1, availableReplicas=2))
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    statuses = [{"name": "weir", "state": {"waiting": waiting}}]
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}
    for name, status in (
        ("edge-1", {"initContainerStatuses": statuses}),
        ("edge-2", {"conditions": [unscheduled]}),
    ):
        server.put(f"{PODS}/{name}", {"metadata": {"name": name, "labels": LABELS}, "status": status})
    with pytest.raises(CommandError, match="functions serve the new version") as late:
        await edge.until_rolled_out(
            server.kubernetes(), ["edge"], seconds=0.05, tell=print, check=lambda: None
        )
    assert "1 of 2 replicas are new" in late.value.message
    assert late.value.details == (
        "edge-1: weir: ImagePullBackOff: no such image",
        "edge-2: Unschedulable: no room",
    )
    assert "app.kubernetes.io/component=edge" in late.value.hint
    assert late.value.exit_code == 1


async def test_one_that_is_not_there_is_late_too(server: ApiServer) -> None:
    with pytest.raises(CommandError, match="it is not there"):
        await edge.until_rolled_out(server.kubernetes(), ["edge"], seconds=0, tell=print, check=lambda: None)


async def test_without_a_deployment_there_is_nothing_to_wait_for(server: ApiServer) -> None:
    await edge.until_rolled_out(server.kubernetes(), [], seconds=0, tell=pytest.fail, check=lambda: None)
