"""Programs that run in the cluster, once."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from cli.deploy.cluster import LOOK_SECONDS, PODS
from cli.deploy.kubernetes import ConflictError, Kubernetes, UnreachableError
from cli.deploy.live import condition
from cli.deploy.rendered import CONTAINER, Manifest
from cli.errors import CommandError

KIND = "/apis/batch/v1/jobs"
LINES = 20
STUCK = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
    }
)


async def run(
    kubernetes: Kubernetes, job: Manifest, *, seconds: float, again: bool, check: Callable[[], None]
) -> str:
    """What `job` printed. One of the same name that runs is waited for, one that ended well is not repeated.

    With `again` it is. CommandError with the last lines when it fails, or does not end within so many seconds.
    """
    name = job["metadata"]["name"]
    found = await kubernetes.get(KIND, name)
    if found is not None and (
        again or _ended(found) is False or (_ended(found) and not await _log(kubernetes, name))
    ):
        await _remove(kubernetes, name)
        found = None
    deadline = monotonic() + seconds
    while True:
        check()
        found = await kubernetes.get(KIND, name)
        if found is None:
            with suppress(ConflictError, UnreachableError):  # the next look tells
                await kubernetes.create(KIND, job)
        ended = None if found is None else _ended(found)
        if ended:
            return await _log(kubernetes, name)
        stuck = await _stuck(kubernetes, name)
        if ended is False or stuck or monotonic() > deadline:
            lines = (await _log(kubernetes, name)).splitlines()[-LINES:]
            why = stuck or ("it failed" if ended is False else f"it did not end within {seconds:.0f} s")
            raise CommandError(
                f"the Job {name}: {why}",
                details=tuple(lines),
                hint=f"kubectl -n {kubernetes.namespace} describe job {name}",
            )
        await asyncio.sleep(LOOK_SECONDS)


def _ended(job: Manifest) -> bool | None:
    if condition(job, "Complete")[0]:
        return True
    return False if condition(job, "Failed")[0] else None


async def _remove(kubernetes: Kubernetes, name: str) -> None:
    await kubernetes.delete(KIND, name)
    while await kubernetes.get(KIND, name) is not None or await _pods(kubernetes, name):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)


async def _pods(kubernetes: Kubernetes, name: str) -> list[dict[str, Any]]:
    pods = await kubernetes.list(PODS, f"batch.kubernetes.io/job-name={name}")
    return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


async def _stuck(kubernetes: Kubernetes, name: str) -> str:
    for pod in await _pods(kubernetes, name):
        for status in pod["status"].get("containerStatuses") or ():
            waiting = (status.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in STUCK:
                return f"{waiting['reason']}: {waiting.get('message', '')}"
    return ""


async def _log(kubernetes: Kubernetes, name: str) -> str:
    """Of the pod that ended well, or else the newest one."""
    pods = await _pods(kubernetes, name)
    if not pods:
        return ""
    pod = next((p for p in pods if p["status"].get("phase") == "Succeeded"), pods[-1])
    path = kubernetes.path(PODS, pod["metadata"]["name"])
    try:
        return await kubernetes.text(f"{path}/log", params={"container": CONTAINER})
    except CommandError:
        return ""  # its container never began
