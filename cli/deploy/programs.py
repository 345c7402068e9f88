"""Programs that work on the database, by a Job where that is: with the image and the settings of what serves."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from cli.deploy import jobs, rendered
from cli.deploy.cluster import REVISIONS, last_json, look
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.rendered import Manifest
from cli.errors import NOT_FOUND, CommandError


async def run(
    kubernetes: Kubernetes,
    documents: Iterable[Manifest | None],
    name: str,
    module: str,
    arguments: Sequence[str],
    *,
    says: str,
    seconds: float,
) -> dict[str, Any]:
    """What `module` said: its last line of JSON with the member `says`; nothing where its log cannot be read.

    It has the image and the settings of the newest revision that serves, and is removed with what it printed. A
    Service's own template may be that of a release that was held, or taken back. CommandError when nothing serves, or
    it fails.
    """
    serving = (await look(kubernetes)).serving()
    revision = await kubernetes.get(REVISIONS, serving[-1].name) if serving else None
    if revision is None:
        raise CommandError(f"no function is deployed in {kubernetes.namespace}", code=NOT_FOUND)
    release = rendered.read(documents, rendered.NO_IMAGE, {})
    job = rendered.job(release.migration, f"{name}-{uuid4().hex[:8]}", arguments, module)
    job["spec"]["backoffLimit"] = 0  # what it refuses once it refuses again
    rendered.run_as(job, rendered.dict_of(revision["spec"]))
    try:
        printed = await jobs.run(kubernetes, job, seconds=seconds, again=False, check=lambda: None)
    finally:
        await kubernetes.delete(jobs.KIND, job["metadata"]["name"])
    return last_json(printed, says)


def unread(kubernetes: Kubernetes, what: str, hint: str) -> CommandError:
    """For a Job that ended well, and `what` it said cannot be read."""
    return CommandError(
        f"the Job ended well, but there is no {what} in what can be read of its log",
        hint="this user has to be able to get pods/log"
        f" (kubectl -n {kubernetes.namespace} auth can-i get pods/log); {hint}",
    )
