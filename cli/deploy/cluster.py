"""What a deploy reads of a namespace and writes to it, whichever way it goes."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from cli.deploy import live, names
from cli.deploy.decide import Step
from cli.deploy.kubernetes import SERVING, ConflictError, Kubernetes
from cli.deploy.live import Live

SERVICES = f"{SERVING}/services"
REVISIONS = f"{SERVING}/revisions"
BINDINGS = "/apis/sources.knative.dev/v1/sinkbindings"
BROKERS = "/apis/eventing.knative.dev/v1/brokers"
PODS = "/api/v1/pods"
LOOK_SECONDS = 0.5

KEPT_REVISIONS = 3
"""How many revisions without traffic each function keeps, besides the one that it can go back to."""


async def look(kubernetes: Kubernetes) -> Live:
    """Services and revisions as they are now."""
    services, revisions = await asyncio.gather(
        kubernetes.list(SERVICES, names.PART_OF), kubernetes.list(REVISIONS)
    )
    return live.read(services, revisions)


async def bound_sinks(kubernetes: Kubernetes) -> dict[str, str]:
    """What SinkBindings write into Services, by the binding's name."""
    found = await kubernetes.list(BINDINGS, names.PART_OF)
    return {b["metadata"]["name"]: str((b.get("status") or {}).get("sinkUri", "")) for b in found}


async def patch_all(kubernetes: Kubernetes, step: Step) -> None:
    """Every patch of a step at once. What one could not do, the next look finds undone."""
    answers = await asyncio.gather(
        *(kubernetes.patch(SERVICES, name, patch) for name, patch in step.patches.items()),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, ConflictError):
            raise answer


async def sweep(kubernetes: Kubernetes, now: Live) -> None:
    """Delete old revisions that nothing goes back to: they cost no pods, but each has a handful of objects."""
    for name in garbage(now):
        await kubernetes.delete(REVISIONS, name)


def garbage(now: Live) -> list[str]:
    """Revisions without traffic that are older than the `KEPT_REVISIONS` newest of their function."""
    found = []
    for service in now.services.values():
        needed = {s.revision for s in (*service.traffic, *service.blue)} | {service.green, service.template}
        idle = [r for r in now.revisions.values() if r.service == service.name and r.name not in needed]
        idle.sort(key=lambda r: r.created, reverse=True)
        found += [r.name for r in idle[KEPT_REVISIONS:]]
    return sorted(found)


def last_json(printed: str, member: str = "head") -> dict[str, Any]:
    """The last line of a log that is an object with such a member; empty when none is."""
    for line in reversed(printed.strip().splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, Mapping) and member in value:
            return dict(value)
    return {}
