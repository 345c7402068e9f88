"""Letting an owner in, by a Job where the database is: `weir deploy owner`."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from cli.deploy import jobs, rendered
from cli.deploy.cluster import REVISIONS, last_json, look
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
    """What the Job said, the `link` among it. CommandError when nothing serves, the Job fails or its log cannot be read.

    It has the image and the settings of the newest revision that serves, and is removed with what it printed. A
    Service's own template may be that of a release that was held, or taken back.
    """
    serving = (await look(kubernetes)).serving()
    revision = await kubernetes.get(REVISIONS, serving[-1].name) if serving else None
    if revision is None:
        raise CommandError(f"no function is deployed in {kubernetes.namespace}", code=NOT_FOUND)
    release = rendered.read(documents, rendered.NO_IMAGE, {})
    job = rendered.job(release.migration, f"owner-{uuid4().hex[:8]}", arguments, MODULE)
    job["spec"]["backoffLimit"] = 0  # what it refuses once it refuses again
    rendered.run_as(job, rendered.dict_of(revision["spec"]))
    try:
        printed = await jobs.run(kubernetes, job, seconds=seconds, again=False, check=lambda: None)
    finally:
        await kubernetes.delete(jobs.KIND, job["metadata"]["name"])
    said = last_json(printed, "link")
    if not said:
        raise CommandError(
            "the Job ended well, but there is no link in what can be read of its log",
            hint="this user has to be able to get pods/log"
            f" (kubectl -n {kubernetes.namespace} auth can-i get pods/log); run it again: it makes another link",
        )
    return said
