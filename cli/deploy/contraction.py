"""Taking away what the version before needed, once it is gone: `weir deploy contract`."""

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

from cli.deploy import decide, jobs, names, patches, rendered
from cli.deploy.cluster import LOOK_SECONDS, PODS, bound_sinks, last_json, look, patch_all
from cli.deploy.decide import Kind, Step
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.lease import Lease
from cli.deploy.rendered import Manifest
from cli.errors import INVALID, NOT_FOUND, CommandError


async def contract(
    kubernetes: Kubernetes,
    lease: Lease,
    documents: Iterable[Manifest | None],
    *,
    tell: Callable[[str], None],
    seconds: float,
) -> dict[str, Any]:
    """Run the migrations that waited, once nothing of the version before is left. What the Job said."""
    now = await look(kubernetes)
    if not now.services:
        raise CommandError(f"no function is deployed in {kubernetes.namespace}", code=NOT_FOUND)
    if (why := decide.why_not_contract(now)) is not None:
        raise CommandError(f"not yet: {why}", code=INVALID)
    serving = {share.revision for s in now.services.values() for share in s.serving}
    (image,) = {now.revisions[name].image for name in serving}
    release = rendered.read(documents, image, await bound_sinks(kubernetes))
    await _until_gone(kubernetes, serving, tell=tell, seconds=seconds, check=lease.check)
    waiting = sorted({revision for s in now.services.values() for revision in s.waiting})
    if waiting:
        tell(f"contract: {', '.join(waiting)}; there is no way back to the version before from here on")
        none_before = {name: patches.contracted() for name in now.services}
        await patch_all(kubernetes, Step(Kind.SETTLE, none_before))
    printed = await jobs.run(
        kubernetes,
        rendered.job(release.migration, f"contract-{release.id}", ["--phase", "contract"]),
        seconds=seconds,
        again=True,
        check=lease.check,
    )
    return last_json(printed)


async def _until_gone(
    kubernetes: Kubernetes,
    serving: set[str],
    *,
    tell: Callable[[str], None],
    seconds: float,
    check: Callable[[], None],
) -> None:
    """Until no pod of another revision runs: one that is ending may still work on what it was asked."""
    deadline = monotonic() + seconds
    told = False
    while True:
        check()
        pods = await kubernetes.list(PODS, names.REVISION_OF)
        left = sorted({p["metadata"]["labels"][names.REVISION_OF] for p in pods} - serving)
        if not left:
            return
        if monotonic() > deadline:
            raise CommandError(
                f"not yet: pods of {', '.join(left)} still run",
                code=INVALID,
                hint="run it again when they have ended",
            )
        if not told:
            tell(f"waiting until the last pods have ended: {', '.join(left)}")
            told = True
        await asyncio.sleep(LOOK_SECONDS)
