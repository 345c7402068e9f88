"""What every command of `weir deploy` does around its work: reach the cluster, say where it is, take an interrupt."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from cli.deploy.arguments import Target

if TYPE_CHECKING:
    from cli.deploy.kubernetes import Kubectl, Kubernetes


def tell(line: str) -> None:
    """Say where the work is, with the time, beside the output."""
    from time import strftime

    click.echo(f"[{strftime('%H:%M:%S')}] {line}", err=True)


def attended(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`. What an interrupt leaves behind is in the cluster: say so."""
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        click.echo(
            "interrupted; nothing is half done that the same command would not finish. `weir deploy status` shows"
            " where it is, `weir deploy rollback` goes back",
            err=True,
        )
        raise


@asynccontextmanager
async def reached(target: Target) -> "AsyncIterator[tuple[Kubectl, Kubernetes]]":
    """The cluster that `target` names, for as long as the work lasts."""
    from cli.deploy.kubernetes import Kubernetes

    kubectl = target.kubectl()
    async with Kubernetes.reached(kubectl, await target.where(kubectl)) as kubernetes:
        yield kubectl, kubernetes
