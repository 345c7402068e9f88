"""`weir up`, `down`, `status`: the Weir of this machine."""

import os
from pathlib import Path

import click

from cli.errors import NOT_FOUND, CommandError
from cli.local.home import Home
from cli.output import output_option, show


def home_of_environment() -> Home:
    """The home that `WEIR_HOME` names."""
    return Home(Path(os.environ.get("WEIR_HOME") or ".weir"))


def default_workers() -> int:
    """Half the processors, since the stores need the other half."""
    return max(1, (os.cpu_count() or 1) // 2)


@click.command()
@click.option("--detach", "-d", is_flag=True, help="Start in the background and return when it answers.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="WEIR_PORT",
    default=8480,
    show_default=True,
    show_envvar=True,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    envvar="WEIR_WORKERS",
    default=default_workers,
    show_default="half the processors",
    show_envvar=True,
    help="How many processes serve.",
)
@click.option("--end-with-parent", is_flag=True, hidden=True, help="End when the calling process does.")
@click.option("--report-to", type=int, hidden=True, help="Descriptor that the detaching command reads.")
def up(*, detach: bool, port: int, workers: int, end_with_parent: bool, report_to: int | None) -> None:
    """Start Weir on this machine: Postgres and Redis in WEIR_HOME, the workers, the console.

    WEIR_DATABASE_URL and WEIR_REDIS_URL name other servers to use instead.

    \b
    Example:
      weir up
      WEIR_HOME=/tmp/try weir up --detach --port 0
    """  # noqa: D301 \b keeps click from joining the lines
    from cli.local.up import Up

    if end_with_parent:
        import signal

        from cli.local.launch import die_with_parent

        die_with_parent(signal.SIGTERM, os.getppid())
    command = Up(home_of_environment(), port, workers)
    if detach:
        command.detach()
    else:
        command.run(report_to)


@click.command()
def down() -> None:
    """Stop the Weir of this home, and what an earlier one left behind.

    \b
    Example:
      weir down
    """  # noqa: D301
    from cli.local.up import end

    home = home_of_environment()
    ended = end(home)
    click.echo(f"Weir in {home.path} has ended" if ended else f"no Weir runs in {home.path}", err=True)


@click.command()
@output_option
def status(output: str) -> None:
    """Tell what runs in this home: address, version, and the state of each part.

    Ends with 3 when nothing runs.

    \b
    Example:
      weir status -o json
    """  # noqa: D301
    from cli.local.state import look

    found = look(home_of_environment())
    columns = [("part", "name"), ("state", "state"), ("pid", "pid")]
    if output in {"table", "wide"} and found["running"]:
        click.echo(
            f"{found['url']}  {'ready' if found['ready'] else 'not ready'}  version {found['version']}",
            err=True,
        )
    show(output, found, rows=found["parts"], columns=columns, name=str(found["url"] or ""))
    if not found["running"]:
        raise CommandError(
            f"no Weir runs in {found['home']}", code=NOT_FOUND, hint="start it with `weir up --detach`"
        )
