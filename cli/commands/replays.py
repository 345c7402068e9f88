"""`weir replays`: the jobs that deliver again or cancel, and how far they are."""

import click

from cli.api import Api
from cli.commands.again import COLUMNS, WIDE
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

STATES = ("running", "paused", "done", "cancelled")
SINKS: list[Column] = [
    ("subscription", "subscriptionName"),
    ("sink", "sink"),
    ("total", "total"),
    ("opened", "opened"),
    ("skipped", "skipped"),
]


@click.group()
def replays() -> None:
    """See what is delivered again, and steer it.

    \b
    Example:
      weir replays ls --state running
    """  # noqa: D301 \b keeps click from joining the lines


@replays.command("ls")
@click.option("--state", type=click.Choice(STATES), help="In this state.")
@page_options
@output_option
@api_options
def list_replays(api: Api, state: str | None, limit: int, cursor: str | None, output: str) -> None:
    """List replays and cancellations, newest first.

    \b
    Example:
      weir replays ls -o wide
    """  # noqa: D301
    answer = api.get("/replays", {"state": state, "limit": limit, "cursor": cursor})
    empty = f"no replay is {state}" if state else "no replay yet; start one with `weir replay`"
    show_list(output, answer, COLUMNS, wide=WIDE, empty=empty)


@replays.command("get")
@click.argument("replay_id", metavar="ID")
@click.option("--sinks", is_flag=True, help="Show how far it is at each sink.")
@output_option
@api_options
def get_replay(api: Api, replay_id: str, sinks: bool, output: str) -> None:
    """Show one replay, and how far it is.

    \b
    Example:
      weir replays get 019377d0-2c00-7d11-9f3b-1d2c3b4a5968 -o json
    """  # noqa: D301
    found = api.get(f"/replays/{replay_id}")
    if sinks:
        show(output, found, rows=found["sinks"], columns=SINKS, name=str(found["id"]))
        return
    show(output, found, rows=[found], columns=COLUMNS, wide=WIDE, name=str(found["id"]))


@replays.command("pause")
@click.argument("replay_id", metavar="ID")
@output_option
@api_options
def pause_replay(api: Api, replay_id: str, output: str) -> None:
    """Open nothing more until it is resumed.

    \b
    Example:
      weir replays pause 019377d0-2c00-7d11-9f3b-1d2c3b4a5968
    """  # noqa: D301
    _turn(api, replay_id, "pause", output)


@replays.command("resume")
@click.argument("replay_id", metavar="ID")
@output_option
@api_options
def resume_replay(api: Api, replay_id: str, output: str) -> None:
    """Go on with one that was paused, or stopped by itself.

    \b
    Example:
      weir replays resume 019377d0-2c00-7d11-9f3b-1d2c3b4a5968
    """  # noqa: D301
    _turn(api, replay_id, "resume", output)


@replays.command("rate")
@click.argument("replay_id", metavar="ID")
@click.argument("rate", metavar="RATE|max")
@output_option
@api_options
def change_rate(api: Api, replay_id: str, rate: str, output: str) -> None:
    """Change how many a second each sink gets; `max` is as many as it takes.

    \b
    Example:
      weir replays rate 019377d0-2c00-7d11-9f3b-1d2c3b4a5968 5
    """  # noqa: D301
    try:
        wanted = None if rate == "max" else float(rate)
    except ValueError:
        raise click.UsageError(f"{rate!r} is neither a number nor max") from None
    found = api.call("PATCH", f"/replays/{replay_id}", {"ratePerSecond": wanted})
    show(output, found, rows=[found], columns=COLUMNS, wide=WIDE, name=str(found["id"]))


@replays.command("cancel")
@click.argument("replay_id", metavar="ID")
@yes_option
@output_option
@api_options
def cancel_replay(api: Api, replay_id: str, yes: bool, output: str) -> None:
    """End one for good, with what of it was not delivered yet.

    \b
    Example:
      weir replays cancel 019377d0-2c00-7d11-9f3b-1d2c3b4a5968 --yes
    """  # noqa: D301
    if not yes:
        found = api.get(f"/replays/{replay_id}")
        left = "all" if found["total"] is None else found["total"] - found["delivered"]
        confirm(f"End it? {left} of its deliveries are not made then.", yes=yes)
    _turn(api, replay_id, "cancel", output)


def _turn(api: Api, replay_id: str, verb: str, output: str) -> None:
    found = api.call("POST", f"/replays/{replay_id}/{verb}")
    show(output, found, rows=[found], columns=COLUMNS, wide=WIDE, name=str(found["id"]))
