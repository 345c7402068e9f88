"""`weir deploy`: a version goes to a Knative cluster, blue-green."""

import asyncio
from contextlib import suppress

import click

from cli.commands.deploy_inside import owner, secrets, signing_keys
from cli.commands.deploy_run import promote, run
from cli.deploy import tables
from cli.deploy.arguments import Target, namespace_option, target_options, timeout_option
from cli.deploy.attended import attended, reached, tell
from cli.errors import NOT_FOUND, CommandError
from cli.options import confirm, yes_option
from cli.output import output_option, show


class WithRun(click.Group):
    """`weir deploy staging` is `weir deploy run staging`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=WithRun)
def deploy() -> None:
    """Bring a version to a Knative cluster, blue-green: nobody is sent to it before it has shown to be well.

    `weir deploy ENVIRONMENT` migrates the database (what the version before can live with), makes the new revisions
    beside those that serve, asks them through addresses of their own, gives them all the traffic, and watches errors
    and latency. When they are not well, all of it goes back. Interrupted, the same command goes on.

    \b
    Example:
      weir deploy staging --image registry.example.com/weir:1.4.0
      weir deploy status staging
      weir deploy rollback staging
      weir deploy contract staging
    """  # noqa: D301 \b keeps click from joining the lines


for command in (run, promote, owner, signing_keys, secrets):
    deploy.add_command(command)


@deploy.command("status")
@target_options
@namespace_option
@output_option
def status(target: Target, /, *, output: str) -> None:
    """Show which revisions serve, and how far a deploy is.

    \b
    Example:
      weir deploy status production
      weir deploy status -n weir -o json
    """  # noqa: D301
    attended(_status(target, output))


async def _status(target: Target, output: str) -> None:
    from cli.deploy import edge
    from cli.deploy.cluster import look

    async with reached(target) as (_, kubernetes):
        now, edges = await asyncio.gather(look(kubernetes), edge.look(kubernetes))
        namespace = kubernetes.namespace
    if not now.services:
        raise CommandError(f"no function is deployed in {namespace}", code=NOT_FOUND)
    rows = tables.states(now)
    show(
        output,
        {"namespace": namespace, "items": rows, "edges": tables.edges(edges)},
        rows=rows,
        columns=tables.STATE,
        name=lambda r: str(r["service"]),
    )
    waiting = sorted({revision for s in now.services.values() for revision in s.waiting})
    if waiting:
        click.echo(f"migrations {', '.join(waiting)} wait for `weir deploy contract`", err=True)
    for line in edge.lag(edges, now):
        click.echo(line, err=True)


@deploy.command("rollback")
@target_options
@namespace_option
@click.option("--reason", default="rolled back by hand", show_default=True, help="What `status` says of it.")
@timeout_option
@yes_option
def rollback(target: Target, /, *, reason: str, timeout: float, yes: bool) -> None:
    """Give the traffic back to what served before the last deploy, all functions together.

    The schema stays as it is: what served before runs on it until `weir deploy contract`. The edge stays too, where
    there is one; the command says so at the end, and how to take it back.

    \b
    Example:
      weir deploy rollback production --yes
      weir deploy rollback -n weir --reason 'orders are late' --yes
    """  # noqa: D301
    attended(_rollback(target, reason, timeout, yes=yes))


async def _rollback(target: Target, reason: str, seconds: float, *, yes: bool) -> None:
    from cli.deploy import decide, edge, way_back
    from cli.deploy.cluster import look
    from cli.deploy.lease import Lease

    async with reached(target) as (_, kubernetes):
        now = await look(kubernetes)
        release = decide.release_to_leave(now)
        if release is None:
            raise CommandError(
                f"there is nothing to go back to in {kubernetes.namespace}",
                code=NOT_FOUND,
                hint="`weir deploy status` shows what serves; an older version is deployed like any other",
            )
        confirm(f"Take release {release} in {kubernetes.namespace} back?", yes=yes)
        lease = Lease(kubernetes)
        async with lease.held(tell):
            await way_back.go_back(kubernetes, lease, release, reason, tell=tell, seconds=seconds)
        tell(f"release {release}: rolled back")
        with suppress(CommandError):  # it is a reminder: the way back is done
            now = await look(kubernetes)
            for one in await edge.look(kubernetes):
                for line in edge.lag([one], now):
                    undo = f"kubectl -n {kubernetes.namespace} rollout undo deployment/{one.name}"
                    tell(f"{line}; `{undo}` takes it back")


@deploy.command("contract")
@target_options
@timeout_option
@yes_option
@output_option
def contract(target: Target, /, *, timeout: float, yes: bool, output: str) -> None:
    """Run the migrations that waited for the version before to be gone. After it there is no way back to that.

    Ends with 5 while the version before is still needed, or still at work.

    \b
    Example:
      weir deploy contract production --yes
    """  # noqa: D301
    attended(_contract(target, timeout, yes=yes, output=output))


async def _contract(target: Target, seconds: float, *, yes: bool, output: str) -> None:
    from cli.deploy import contraction
    from cli.deploy.lease import Lease

    async with reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        confirm(f"Take what the version before needs from the database of {kubernetes.namespace}?", yes=yes)
        lease = Lease(kubernetes)
        async with lease.held(tell):
            said = await contraction.contract(kubernetes, lease, documents, tell=tell, seconds=seconds)
    show(
        output,
        said,
        rows=[said],
        columns=[("schema", "at"), ("newest", "head")],
        name=str(said.get("at", "")),
    )
