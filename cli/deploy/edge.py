"""The edge's Deployments: what they run, and whether the last change of them has been rolled out."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from cli.deploy import names
from cli.deploy.cluster import LOOK_SECONDS, PODS
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.live import Live, condition
from cli.deploy.rendered import CONTAINER
from cli.errors import CommandError

DEPLOYMENTS = "/apis/apps/v1/deployments"


@dataclass(frozen=True, slots=True)
class Edge:
    """One Deployment. `image` is Weir's in it; `late` says what is not rolled out yet; empty when all is."""

    name: str
    image: str
    late: str = ""


def read(document: Mapping[str, Any]) -> Edge:
    """From a Deployment of the API server. Pure."""
    pod = document["spec"]["template"]["spec"]
    containers = (*pod.get("initContainers", ()), *pod.get("containers", ()))
    image = next((str(c["image"]) for c in containers if c.get("name") == CONTAINER), "")
    name, status = document["metadata"]["name"], document.get("status") or {}
    if status.get("observedGeneration", 0) < document["metadata"].get("generation", 0):
        return Edge(name, image, "the cluster has not begun")
    return Edge(name, image, _late(document["spec"].get("replicas", 1), status))


def _late(asked: int, status: Mapping[str, Any]) -> str:
    """Those of before have to be gone: until then `availableReplicas` may be counting them."""
    total, new, available = (
        status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")
    )
    if new < asked:
        return f"{new} of {asked} replicas are new"
    if total > new:
        return f"{total - new} of before run beside {new} new replicas"
    return f"{available} of {asked} replicas are available" if available < asked else ""


def lag(edges: Iterable[Edge], now: Live) -> list[str]:
    """In which way they are not where the functions are; a line each, none where all is well. Pure."""
    images = sorted({revision.image for revision in now.serving()})
    lines = []
    for one in edges:
        if one.late:
            lines.append(f"deployment/{one.name}: {one.late}")
        if one.image not in images:
            lines.append(f"deployment/{one.name} has {one.image}, the functions have {', '.join(images)}")
    return lines


async def look(kubernetes: Kubernetes) -> list[Edge]:
    """Those of a namespace; none where there is no edge."""
    return [read(d) for d in await kubernetes.list(DEPLOYMENTS, names.EDGE)]


async def until_rolled_out(
    kubernetes: Kubernetes,
    wanted: Collection[str],
    *,
    seconds: float,
    tell: Callable[[str], None],
    check: Callable[[], None],
) -> None:
    """Until all replicas of these are new and available. CommandError when that does not come.

    Users notice nothing of one that does not start: those of before go on.
    """
    deadline = monotonic() + seconds
    told: dict[str, str] = {}
    while True:
        check()
        found = {e.name: e for e in await look(kubernetes) if e.name in wanted}
        late = {name: found[name].late if name in found else "it is not there" for name in wanted}
        late = {name: why for name, why in late.items() if why}
        if not late:
            return
        for name, why in late.items():
            if told.get(name) != why:
                tell(f"{name}: {why}")
        told = late
        if monotonic() > deadline:
            name = next(iter(late))
            raise CommandError(
                f"the functions serve the new version, but deployment/{name} does not: {late[name]}",
                details=tuple(await _waiting(kubernetes)),
                hint=f"kubectl -n {kubernetes.namespace} describe pods -l {names.EDGE}; then deploy the same again",
            )
        await asyncio.sleep(LOOK_SECONDS)


async def _waiting(kubernetes: Kubernetes) -> list[str]:
    """What the pods say of why they are not ready."""
    lines = []
    for pod in await kubernetes.list(PODS, names.EDGE):
        status, name = pod["status"], pod["metadata"]["name"]
        scheduled, said = condition(pod, "PodScheduled")
        if scheduled is False:
            lines.append(f"{name}: {said}")
        for container in (
            *(status.get("initContainerStatuses") or ()),
            *(status.get("containerStatuses") or ()),
        ):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") not in {None, "PodInitializing"}:
                said = ": ".join(filter(None, (waiting["reason"], waiting.get("message", ""))))
                lines.append(f"{name}: {container['name']}: {said}")
    return lines
