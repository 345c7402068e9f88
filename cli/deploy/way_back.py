"""Back to what served before: `weir deploy rollback`."""

import asyncio
from collections.abc import Callable
from time import monotonic

from cli.deploy import decide
from cli.deploy.cluster import LOOK_SECONDS, look, patch_all
from cli.deploy.decide import Kind
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.lease import Lease
from cli.errors import NOT_FOUND, CommandError


async def go_back(
    kubernetes: Kubernetes,
    lease: Lease,
    release: str,
    reason: str,
    *,
    tell: Callable[[str], None],
    seconds: float,
) -> None:
    """Give the traffic back to what served before `release`, and wait until the gateways do so."""
    deadline = monotonic() + seconds
    told = ""
    while True:
        lease.check()
        step = decide.decide_rollback(await look(kubernetes), release, reason)
        if step.kind is Kind.ROLLED_BACK:
            return
        if step.kind is Kind.REFUSE:
            raise CommandError(
                step.text, code=NOT_FOUND, hint="deploy the image of that version: weir deploy … --image"
            )
        line = f"{step.kind}: {', '.join(step.names or step.patches)}"
        if line != told:
            tell(line)
            told = line
        if step.kind is Kind.RESTORE:
            await patch_all(kubernetes, step)
        elif monotonic() > deadline:
            raise CommandError(f"the gateways did not take the traffic back: {', '.join(step.names)}")
        else:
            await asyncio.sleep(LOOK_SECONDS)
