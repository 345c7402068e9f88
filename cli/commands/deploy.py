"""`weir deploy`: a version goes to a Knative cluster, blue-green."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from cli.errors import INVALID, NOT_FOUND, CommandError
from cli.options import Duration, confirm, yes_option
from cli.output import Column, output_option, show

if TYPE_CHECKING:
    from cli.deploy.kubernetes import Kubectl, Kubernetes
    from cli.deploy.live import Live
    from cli.deploy.rendered import Manifest, Release

OVERLAYS = Path("infra/knative/overlays")

P = ParamSpec("P")


class WithRun(click.Group):
    """`weir deploy staging` is `weir deploy run staging`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@dataclass(frozen=True)
class Target:
    """Which overlay of manifests, on which cluster."""

    overlay: Path | None
    namespace: str | None
    kube_context: str | None

    def kubectl(self) -> "Kubectl":
        from cli.deploy.kubernetes import Kubectl

        return Kubectl(self.kube_context)

    async def documents(self, kubectl: "Kubectl") -> "list[Manifest | None]":
        """What the overlay is when it is rendered."""
        import yaml

        if self.overlay is None:
            raise click.UsageError("say what to deploy: an environment, or --overlay PATH")
        return list(yaml.safe_load_all(await kubectl.render(self.overlay)))

    async def where(self, kubectl: "Kubectl") -> str:
        """The namespace: as it was said, or as the overlay says."""
        if self.namespace is not None:
            return self.namespace
        return (await self.release(kubectl, "unknown:0", {})).namespace

    async def release(self, kubectl: "Kubectl", image: str | None, sinks: dict[str, str]) -> "Release":
        """What the overlay describes. CommandError when it cannot be deployed."""
        return _read(await self.documents(kubectl), image, sinks)


def _read(documents: "list[Manifest | None]", image: str | None, sinks: dict[str, str]) -> "Release":
    from cli.deploy import rendered

    try:
        return rendered.read(documents, image, sinks)
    except rendered.ManifestError as error:
        raise CommandError(str(error), code=INVALID) from error


def _overlay(environment: str | None, given: Path | None) -> Path | None:
    if environment is None:
        if given is not None and not given.is_dir():
            raise CommandError(f"there is no folder {given}", code=NOT_FOUND)
        return given
    if given is not None:
        raise click.UsageError("say either an environment or --overlay")
    found = OVERLAYS / environment
    if not found.is_dir():
        there = ", ".join(sorted(p.name for p in OVERLAYS.iterdir())) if OVERLAYS.is_dir() else ""
        raise CommandError(
            f"there is no overlay {found}",
            code=NOT_FOUND,
            hint=f"there are {there}"
            if there
            else "run it in the repository's folder, or say --overlay PATH",
        )
    return found


def target_options(command: Callable[Concatenate[Target, P], None]) -> Callable[P, None]:
    """Add the environment and what may stand for it; the command gets the `Target`."""

    @click.argument("environment", required=False)
    @click.option(
        "--overlay",
        type=click.Path(path_type=Path),
        help=f"Folder of the manifests, instead of {OVERLAYS}/ENVIRONMENT.",
    )
    @click.option("--kube-context", help="Context of kubectl to use instead of its current one.")
    @wraps(command)
    def with_target(
        *args: Any, environment: str | None, overlay: Path | None, kube_context: str | None, **kwargs: Any
    ) -> None:
        target = Target(_overlay(environment, overlay), kwargs.pop("namespace", None), kube_context)
        command(target, *args, **kwargs)

    return with_target  # type: ignore[return-value]  # click passes the options, not the caller


namespace_option = click.option("-n", "--namespace", help="Namespace, instead of an environment's.")
timeout_option = click.option(
    "--timeout", type=Duration(), default="5m", show_default=True, help="How long each step may take."
)


def watch_options(command: Callable[P, None]) -> Callable[P, None]:
    """How smoke and watch go."""
    for option in reversed(
        (
            click.option(
                "--gateway",
                envvar="WEIR_GATEWAY",
                show_envvar=True,
                help="Address of the gateway, where functions' names are not in the DNS.",
            ),
            click.option(
                "--inside", is_flag=True, help="Send nothing from here: smoke in the cluster alone."
            ),
            click.option(
                "--smoke-project",
                envvar="WEIR_SMOKE_PROJECT",
                show_envvar=True,
                help="Project to send an event through; its key is in WEIR_SMOKE_API_KEY.",
            ),
            click.option(
                "--watch",
                "watch_seconds",
                type=Duration(),
                default="2m",
                show_default=True,
                help="How long what was promoted must be well.",
            ),
            click.option(
                "--max-error-rate",
                type=click.FloatRange(0, 100),
                default=1.0,
                show_default=True,
                help="Per cent of a function's requests that may be answered 5xx.",
            ),
            click.option(
                "--max-latency",
                type=Duration(),
                default="1s",
                show_default=True,
                help="Within which 95 % of an endpoint function's requests must be answered.",
            ),
            click.option(
                "--max-restarts",
                type=click.IntRange(0),
                default=0,
                show_default=True,
                help="Of new containers.",
            ),
            click.option("--prometheus", help="Address of a Prometheus that has Weir's metrics."),
            click.option("--prometheus-selector", help="Labels of them there; without, the namespace's."),
        )
    ):
        command = option(command)
    return command


def _options(namespace: str, *, hold: bool, **given: Any) -> Any:
    from cli.deploy.deployment import Options
    from cli.deploy.evidence import Limits
    from cli.deploy.smoke import Credentials
    from cli.deploy.watch import Prometheus

    project, key = given["smoke_project"], os.environ.get("WEIR_SMOKE_API_KEY")
    if project and not key:
        raise click.UsageError("--smoke-project needs the project's key in WEIR_SMOKE_API_KEY")
    selector = given["prometheus_selector"] or f'namespace="{namespace}"'
    return Options(
        gateway=given["gateway"],
        timeout=given["timeout"],
        watch=given["watch_seconds"],
        limits=Limits(given["max_error_rate"] / 100, given["max_latency"], given["max_restarts"]),
        hold=hold,
        inside_only=given["inside"],
        credentials=Credentials(project, key) if project and key else None,
        metrics_token=os.environ.get("WEIR_METRICS_TOKEN"),
        prometheus=Prometheus(given["prometheus"], selector) if given["prometheus"] else None,
    )


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

    Ends with 0 when the version serves, 1 when it did not prove well and what was there before serves again,
    5 when another deploy must end first.

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
    namespace = _read(documents, image, {}).namespace
    options = _options(namespace, hold=hold, **given)
    async with Kubernetes.reached(kubectl, namespace) as kubernetes:
        release = _read(documents, image, await bound_sinks(kubernetes))
        now = await look(kubernetes)
        if only is not None and release.id != only:
            raise CommandError(
                f"the manifests are not those that were staged ({only}), but {release.id}",
                code=INVALID,
                hint="`weir deploy` stages what they are now",
            )
        rows = _plan(release, now)
        if dry_run:
            show(
                output,
                {"release": release.id, "namespace": namespace, "images": release.images, "items": rows},
                rows=rows,
                columns=PLAN,
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
        rows = _states(await look(kubernetes))
        value = {"release": outcome.release, "state": outcome.state, "namespace": namespace, "items": rows}
        show(output, value, rows=rows, columns=STATE, name=outcome.release)
        hint = "; `weir deploy promote` goes on" if outcome.state == "held" else ""
        _tell(f"release {outcome.release}: {outcome.state}{hint}")


PLAN: list[Column] = [
    ("function", "service"),
    ("serves", "serves"),
    ("would serve", "wanted"),
    ("change", "change"),
]
STATE: list[Column] = [
    ("function", "service"),
    ("traffic", "traffic"),
    ("release", "release"),
    ("phase", "phase"),
    ("before", "before"),
    ("reason", "reason"),
]


def _shares(shares: Any) -> str:
    return ", ".join(f"{s.revision} {s.percent} %" + (f" ({s.tag})" if s.tag else "") for s in shares)


def _plan(release: "Release", now: "Live") -> list[dict[str, Any]]:
    rows = []
    for name, wanted in release.wanted.items():
        service = now.services.get(name)
        if service is None:
            change = "new"
        elif service.serves(wanted):
            change = "none"
        else:
            change = "revision is there" if wanted in now.revisions else "new revision"
        serves = _shares(service.serving) if service else None
        rows.append({"service": name, "serves": serves, "wanted": wanted, "change": change})
    return rows


def _states(now: "Live") -> list[dict[str, Any]]:
    return [
        {
            "service": s.name,
            "traffic": _shares(s.traffic),
            "release": s.release or None,
            "phase": s.phase or None,
            "before": _shares(s.blue) or None,
            "reason": s.reason or None,
            "contractsWaiting": list(s.waiting),
        }
        for s in now.services.values()
    ]


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
    from cli.deploy.cluster import look

    async with _reached(target) as (_, kubernetes):
        now = await look(kubernetes)
        namespace = kubernetes.namespace
    if not now.services:
        raise CommandError(f"no function is deployed in {namespace}", code=NOT_FOUND)
    rows = _states(now)
    show(
        output,
        {"namespace": namespace, "items": rows},
        rows=rows,
        columns=STATE,
        name=lambda r: str(r["service"]),
    )
    waiting = sorted({revision for s in now.services.values() for revision in s.waiting})
    if waiting:
        click.echo(f"migrations {', '.join(waiting)} wait for `weir deploy contract`", err=True)


@deploy.command("rollback")
@target_options
@namespace_option
@click.option("--reason", default="rolled back by hand", show_default=True, help="What `status` says of it.")
@timeout_option
@yes_option
def rollback(target: Target, /, *, reason: str, timeout: float, yes: bool) -> None:
    """Give the traffic back to what served before the last deploy, all functions together.

    The schema stays as it is: what served before runs on it until `weir deploy contract`.

    \b
    Example:
      weir deploy rollback production --yes
      weir deploy rollback -n weir --reason 'orders are late' --yes
    """  # noqa: D301
    _run(_rollback(target, reason, timeout, yes=yes))


async def _rollback(target: Target, reason: str, seconds: float, *, yes: bool) -> None:
    from cli.deploy import decide, way_back
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
@timeout_option
@output_option
def owner(target: Target, /, *, email: str, name: str, project: str, timeout: float, output: str) -> None:
    """Print a link with which somebody signs in as the owner of a project, once, within a quarter of an hour.

    Where nobody can sign in yet, and where an owner has lost their password. The rest they do in the console.

    \b
    Example:
      weir deploy owner production --email ann@example.com
      weir deploy owner production --email ann@example.com --project orders
    """  # noqa: D301
    _run(_owner(target, [email, "--name", name, "--project", project], timeout, output))


async def _owner(target: Target, arguments: list[str], seconds: float, output: str) -> None:
    from cli.deploy import owner

    async with _reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await owner.let_in(kubernetes, documents, arguments, seconds=seconds)
    show(output, said, rows=[said], columns=[("link", "link")], name=str(said["link"]))
