"""What the words of `weir deploy` say: which manifests, on which cluster, and how it is to go."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click

from cli.errors import INVALID, NOT_FOUND, CommandError
from cli.options import Duration

if TYPE_CHECKING:
    from cli.deploy.deployment import Options
    from cli.deploy.kubernetes import Kubectl
    from cli.deploy.rendered import Manifest, Release

OVERLAYS = Path("infra/knative/overlays")

P = ParamSpec("P")


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
        from cli.deploy.rendered import NO_IMAGE

        return (await self.release(kubectl, NO_IMAGE, {})).namespace

    async def release(self, kubectl: "Kubectl", image: str | None, sinks: dict[str, str]) -> "Release":
        """What the overlay describes. CommandError when it cannot be deployed."""
        return read(await self.documents(kubectl), image, sinks)


def read(documents: "list[Manifest | None]", image: str | None, sinks: dict[str, str]) -> "Release":
    """The release that rendered manifests describe. CommandError when it cannot be deployed."""
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


def options(namespace: str, *, hold: bool, **given: Any) -> "Options":
    """What the words of `watch_options` and `timeout_option` come to."""
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
