"""`weir deploy run` and `promote`: from what serves to a version that proved well."""

import sys
from typing import Any

import click

from cli.deploy import arguments, tables
from cli.deploy.arguments import Target, target_options, timeout_option, watch_options
from cli.deploy.attended import attended, reached, tell
from cli.errors import INVALID, NOT_FOUND, CommandError
from cli.options import confirm, yes_option
from cli.output import output_option, show


@click.command("run")
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
    attended(_deploy(target, image, hold=hold, dry_run=dry_run, yes=yes, output=output, **given))


@click.command("promote")
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
    attended(_promote(target, yes=yes, output=output, **given))


async def _promote(target: Target, *, yes: bool, output: str, **given: Any) -> None:
    from cli.deploy.cluster import look

    async with reached(target) as (_, kubernetes):
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
        tell(f"{', '.join(release.images)} to {namespace}")
        lease = Lease(kubernetes)
        async with lease.held(tell):
            deployment = Deployment(kubernetes, lease, documents, image=image, options=options, tell=tell)
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
        tell(f"release {outcome.release}: {outcome.state}{hint}")
