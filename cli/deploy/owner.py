"""Letting an owner in, by a Job where the database is: `weir deploy owner`."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from cli.deploy import jobs, rendered
from cli.deploy.cluster import SERVICES, last_json, look
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.rendered import Manifest
from cli.errors import NOT_FOUND, CommandError

MODULE = "shared.auth.owner"


async def let_in(
    kubernetes: Kubernetes,
    documents: Iterable[Manifest | None],
    arguments: Sequence[str],
    *,
    seconds: float,
) -> dict[str, Any]:
    """What the Job said. It runs the image and has the settings that serve, and is removed with what it printed."""
    now = await look(kubernetes)
    serving = {share.revision for s in now.services.values() for share in s.serving}
    images = sorted({now.revisions[name].image for name in serving if name in now.revisions})
    if not images:
        raise CommandError(f"no function is deployed in {kubernetes.namespace}", code=NOT_FOUND)
    service = await kubernetes.get(SERVICES, next(iter(now.services)))
    release = rendered.read(documents, images[-1], {})
    job = rendered.job(release.migration, f"owner-{uuid4().hex[:8]}", arguments, MODULE)
    job["spec"]["backoffLimit"] = 0  # what it refuses once it refuses again
    rendered.take_settings(job, rendered.dict_of(service))
    try:
        printed = await jobs.run(kubernetes, job, seconds=seconds, again=False, check=lambda: None)
    finally:
        await kubernetes.delete(jobs.KIND, job["metadata"]["name"])
    return last_json(printed, "link")
