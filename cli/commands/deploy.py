"""`weir deploy`: a version goes to a Knative cluster, blue-green."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from cli.deploy import arguments, tables
from cli.deploy.arguments import Target, namespace_option, target_options, timeout_option, watch_options
from cli.errors import INVALID, NOT_FOUND, CommandError
from cli.options import confirm, yes_option
from cli.output import output_option, show

if TYPE_CHECKING:
    from cli.deploy.kubernetes import Kubectl, Kubernetes


class WithRun(click.Group):
    """`weir deploy staging` is `weir deploy run staging`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def _tell(line: str) -> None:
    from time import strftime

    click.echo(f"[{strftime('%H:%M:%S')}] {line}", err=True)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """What an interrupt leaves behind is in the cluster: say so."""
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
async def _reached(target: Target) -> "AsyncIterator[tuple[Kubectl, Kubernetes]]":
    from cli.deploy.kubernetes import Kubernetes

    kubectl = target.kubectl()
    async with Kubernetes.reached(kubectl, await target.where(kubectl)) as kubernetes:
        yield kubectl, kubernetes


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


@deploy.command("run")
@target_options
@click.option("--image", help="Image with its tag or digest, instead of the overlay's.")
@click.option("--hold", is_flag=True, help="Stop before promoting; `weir deploy promote` goes on.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@timeout_option
@watch_options
@yes_option
@output_option
def run(
    target: Target, /, *, image: str | None, hold: bool, dry_run: bool, yes: bool, output: str, **given: Any
) -> None:
    """Deploy an environment: an overlay of infra/knative/overlays, or the folder that --overlay names. `run` may be left out.

    Ends with 0 when the version serves, 1 when it did not prove well and what was there before serves again, or when
    it serves and the edge does not start with it, 5 when another deploy must end first.

    \b
    Example:
      weir deploy run staging --image registry.example.com/weir:1.4.0 --dry-run
      weir deploy run production --image registry.example.com/weir:1.4.0 --watch 10m --max-latency 500ms --yes
      weir deploy run --overlay my/overlay --hold
    """  # noqa: D301
    _run(_deploy(target, image, hold=hold, dry_run=dry_run, yes=yes, output=output, **given))


@deploy.command("promote")
@target_options
@timeout_option
@watch_options
@yes_option
@output_option
def promote(target: Target, /, *, yes: bool, output: str, **given: Any) -> None:
    """Go on with what `--hold` left staged: smoke once more, then traffic, then the watch.

    \b
    Example:
      weir deploy promote production --yes
    """  # noqa: D301
    _run(_promote(target, yes=yes, output=output, **given))


async def _promote(target: Target, *, yes: bool, output: str, **given: Any) -> None:
    from cli.deploy.cluster import look

    async with _reached(target) as (_, kubernetes):
        now = await look(kubernetes)
    staged = [s for s in now.services.values() if s.phase in {"staged", "promoted"}]
    images = sorted({now.revisions[s.green].image for s in staged if s.green in now.revisions})
    if len(images) != 1:
        raise CommandError(
            "nothing is staged here" if not staged else "what is staged is not ready yet",
            code=NOT_FOUND,
            hint="`weir deploy ENVIRONMENT --image …` stages it",
        )
    await _deploy(
        target, images[0], hold=False, dry_run=False, yes=yes, output=output, only=staged[0].release, **given
    )


async def _deploy(
    target: Target,
    image: str | None,
    *,
    hold: bool,
    dry_run: bool,
    yes: bool,
    output: str,
    only: str | None = None,
    **given: Any,
) -> None:
    from cli.deploy.cluster import bound_sinks, look
    from cli.deploy.deployment import Deployment
    from cli.deploy.kubernetes import Kubernetes
    from cli.deploy.lease import Lease

    kubectl = target.kubectl()
    documents = await target.documents(kubectl)
    namespace = arguments.read(documents, image, {}).namespace
    options = arguments.options(namespace, hold=hold, **given)
    async with Kubernetes.reached(kubectl, namespace) as kubernetes:
        release = arguments.read(documents, image, await bound_sinks(kubernetes))
        now = await look(kubernetes)
        if only is not None and release.id != only:
            raise CommandError(
                f"the manifests are not those that were staged ({only}), but {release.id}",
                code=INVALID,
                hint="`weir deploy` stages what they are now",
            )
        rows = tables.plan(release, now)
        if dry_run:
            show(
                output,
                {"release": release.id, "namespace": namespace, "images": release.images, "items": rows},
                rows=rows,
                columns=tables.PLAN,
                name=lambda row: str(row["service"]),
            )
            changed = sum(row["change"] != "none" for row in rows)
            click.echo(
                f"release {release.id} in {namespace}: {changed} of {len(rows)} functions would change",
                err=True,
            )
            return
        if sys.stdin.isatty():
            confirm(f"Deploy {', '.join(release.images)} to {namespace}?", yes=yes)
        _tell(f"{', '.join(release.images)} to {namespace}")
        lease = Lease(kubernetes)
        async with lease.held(_tell):
            deployment = Deployment(kubernetes, lease, documents, image=image, options=options, tell=_tell)
            outcome = await deployment.run()
        if outcome.state == "rolled back":
            raise CommandError(
                f"release {outcome.release} was not well: {outcome.reason}",
                hint="what served before serves; `weir deploy status` shows it. Put it right and deploy again",
            )
        rows = tables.states(await look(kubernetes))
        value = {"release": outcome.release, "state": outcome.state, "namespace": namespace, "items": rows}
        show(output, value, rows=rows, columns=tables.STATE, name=outcome.release)
        hint = "; `weir deploy promote` goes on" if outcome.state == "held" else ""
        _tell(f"release {outcome.release}: {outcome.state}{hint}")


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
    _run(_status(target, output))


async def _status(target: Target, output: str) -> None:
    from cli.deploy import edge
    from cli.deploy.cluster import look

    async with _reached(target) as (_, kubernetes):
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
    _run(_rollback(target, reason, timeout, yes=yes))


async def _rollback(target: Target, reason: str, seconds: float, *, yes: bool) -> None:
    from cli.deploy import decide, edge, way_back
    from cli.deploy.cluster import look
    from cli.deploy.lease import Lease

    async with _reached(target) as (_, kubernetes):
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
        async with lease.held(_tell):
            await way_back.go_back(kubernetes, lease, release, reason, tell=_tell, seconds=seconds)
        _tell(f"release {release}: rolled back")
        with suppress(CommandError):  # it is a reminder: the way back is done
            now = await look(kubernetes)
            for one in await edge.look(kubernetes):
                for line in edge.lag([one], now):
                    undo = f"kubectl -n {kubernetes.namespace} rollout undo deployment/{one.name}"
                    _tell(f"{line}; `{undo}` takes it back")


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
    _run(_contract(target, timeout, yes=yes, output=output))


async def _contract(target: Target, seconds: float, *, yes: bool, output: str) -> None:
    from cli.deploy import contraction
    from cli.deploy.lease import Lease

    async with _reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        confirm(f"Take what the version before needs from the database of {kubernetes.namespace}?", yes=yes)
        lease = Lease(kubernetes)
        async with lease.held(_tell):
            said = await contraction.contract(kubernetes, lease, documents, tell=_tell, seconds=seconds)
    show(
        output,
        said,
        rows=[said],
        columns=[("schema", "at"), ("newest", "head")],
        name=str(said.get("at", "")),
    )


@deploy.command("owner")
@target_options
@click.option("--email", required=True, help="Of whom to let in.")
@click.option("--name", default="Owner", show_default=True, help="Their name, where they are new.")
@click.option(
    "--project", default="default", show_default=True, help="What they are to own; made if need be."
)
@click.option("--only-link", is_flag=True, help="For anybody who has an account: nobody becomes an owner.")
@click.option(
    "--without-second-factor",
    is_flag=True,
    help="Remove the authenticator, passkeys and recovery codes of somebody who lost them. Implies --only-link.",
)
@timeout_option
@output_option
def owner(
    target: Target,
    /,
    *,
    email: str,
    name: str,
    project: str,
    only_link: bool,
    without_second_factor: bool,
    timeout: float,
    output: str,
) -> None:
    """Print a link with which somebody signs in as the owner of a project, once, within a quarter of an hour.

    Where nobody can sign in yet, and where somebody has lost their password or their second factor. The rest they do
    in the console.

    \b
    Example:
      weir deploy owner production --email ann@example.com
      weir deploy owner production --email ann@example.com --project orders
      weir deploy owner production --email mara@example.com --only-link
      weir deploy owner production --email mara@example.com --without-second-factor
    """  # noqa: D301
    flags = ["--only-link"] * only_link + ["--without-second-factor"] * without_second_factor
    _run(_owner(target, [email, "--name", name, "--project", project, *flags], timeout, output))


async def _owner(target: Target, arguments: list[str], seconds: float, output: str) -> None:
    from cli.deploy import owner

    async with _reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await owner.let_in(kubernetes, documents, arguments, seconds=seconds)
    show(output, said, rows=[said], columns=[("link", "link")], name=str(said["link"]))


@deploy.command("signing-keys")
@target_options
@click.option("--algorithm", type=click.Choice(["EdDSA", "ES256"]), help="What the new key signs with.")
@click.option("--revoke", is_flag=True, help="End all others at once: everybody's token is refreshed.")
@timeout_option
@yes_option
@output_option
def signing_keys(
    target: Target, /, *, algorithm: str | None, revoke: bool, timeout: float, yes: bool, output: str
) -> None:
    """Exchange the key that signs access tokens, as `weir signing-keys rotate` does, where the database is.

    \b
    Example:
      weir deploy signing-keys production
      weir deploy signing-keys production --revoke --yes
    """  # noqa: D301
    from cli.commands.at_rest import confirm_revoking

    confirm_revoking(revoke=revoke, yes=yes)
    asked = [*(["--algorithm", algorithm] if algorithm else []), *(["--revoke"] if revoke else [])]
    _run(_signing_keys(target, asked, timeout, output))


async def _signing_keys(target: Target, asked: list[str], seconds: float, output: str) -> None:
    from cli.commands.at_rest import show_rotated
    from cli.deploy import programs

    async with _reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await programs.run(
            kubernetes, documents, "signing-keys", "shared.auth.rotate", asked, says="kid", seconds=seconds
        )
        if not said:
            raise programs.unread(kubernetes, "key", "the key was exchanged; run it again to see it")
    show_rotated(said, output)


@deploy.command("secrets")
@target_options
@timeout_option
@output_option
def secrets(target: Target, /, *, timeout: float, output: str) -> None:
    """Seal what is secret at rest with the newest key, as `weir secrets rotate` does, where the database is.

    Requests go on. Ended in between it may be run again; it fails while something is left that another key has sealed.

    \b
    Example:
      weir deploy secrets production --timeout 30m
    """  # noqa: D301
    _run(_secrets(target, timeout, output))


async def _secrets(target: Target, seconds: float, output: str) -> None:
    from cli.commands.at_rest import show_resealed
    from cli.deploy import programs

    async with _reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await programs.run(
            kubernetes, documents, "secrets", "shared.auth.reseal", [], says="sealed", seconds=seconds
        )
        if not said:
            raise programs.unread(kubernetes, "count", "nothing is left to be sealed")
    show_resealed(said, output)
