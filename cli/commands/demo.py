"""`weir demo`: Weir with real traffic in it."""

import os
import signal
import subprocess
import sys

import click

from cli.commands.local import default_workers, home_of_environment


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    envvar="WEIR_PORT",
    default=8480,
    show_default=True,
    show_envvar=True,
    help="Port on 127.0.0.1; 0 picks a free one.",
)
@click.option("--end-with-parent", is_flag=True, hidden=True, help="End when the calling process does.")
def demo(*, port: int, end_with_parent: bool) -> None:
    """Start Weir and send published events of GitHub and Google through it, to sinks of which some fail.

    What it sends stays in WEIR_HOME. Run it as `make demo`, which gets the events.

    \b
    Example:
      WEIR_HOME=/tmp/demo make demo
    """  # noqa: D301 \b keeps click from joining the lines
    from cli.local import launch
    from cli.local.up import Up

    if end_with_parent:
        launch.die_with_parent(signal.SIGTERM, os.getppid())
    home = home_of_environment()
    traffic: list[subprocess.Popen[bytes]] = []

    def send() -> None:
        click.echo("Sending published events of GitHub and Google", err=True)
        unset = ("WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY")
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        program = [sys.executable, "-P", "-m", "cli.demo.traffic"]
        traffic.append(
            subprocess.Popen(
                launch.command(program, signal=signal.SIGTERM),
                env=environment | {"WEIR_HOME": str(home.path)},
                start_new_session=True,
            )
        )

    def stop() -> None:
        for process in traffic:
            process.terminate()
            process.wait()

    Up(home, port, default_workers()).run(when_ready=send, before_end=stop)
