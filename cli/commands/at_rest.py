"""`weir secrets` and `weir signing-keys`: the keys of a deployment, where its database is at hand."""

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from cli.errors import INVALID, CommandError
from cli.options import Duration, confirm, yes_option
from cli.output import Column, output_option, show

if TYPE_CHECKING:
    from shared.auth.beside import Beside

SIGNING_KEYS: list[Column] = [
    ("kid", "kid"),
    ("algorithm", "algorithm"),
    ("state", "state"),
    ("signs from", "signsFrom"),
    ("verifies until", "endsAt"),
]

ALGORITHMS = ("EdDSA", "ES256")


def beside_of_environment() -> "Beside":
    """As the settings say, or else as the Weir that runs in this home. CommandError when there is neither."""
    from cli.commands.local import home_of_environment
    from shared.auth.beside import Beside

    settings = dict(os.environ)
    home = home_of_environment()
    if not settings.get("WEIR_DATABASE_URL") and home.is_busy() and (running := home.running()) is not None:
        settings["WEIR_DATABASE_URL"] = running.database_url
        if not settings.get("WEIR_SECRET"):
            settings["WEIR_SECRET"] = home.secret()
    try:
        return Beside.of(settings)
    except ValueError as error:
        raise CommandError(
            str(error),
            code=INVALID,
            hint="this works on the database itself: on a cluster it is `weir deploy secrets` and"
            " `weir deploy signing-keys`, on this machine Weir has to run (`weir up`)",
        ) from None


def _run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    from pathlib import Path

    from cli.local.faults import explain

    try:
        return asyncio.run(work)
    except Exception as error:
        text = explain(error, Path.cwd())
        if text is None:
            raise
        raise CommandError(text) from error


@click.group()
def secrets() -> None:
    """Seal what is secret at rest with another key: sinks' credentials, signing secrets, private keys.

    \b
    Example:
      weir secrets key 2027-01
      WEIR_SEALING_KEYS_FILE=sealing-keys weir secrets rotate
    """  # noqa: D301 \b keeps click from joining the lines


@secrets.command("key")
@click.argument("key_id", metavar="ID")
def make_key(key_id: str) -> None:
    """Print a new key with this id, as WEIR_SEALING_KEYS takes it. It is kept nowhere.

    \b
    Example:
      weir secrets key 2027-01
    """  # noqa: D301
    from shared.auth.sealing_keys import make_sealing_key, parsed

    made = make_sealing_key(key_id)
    try:
        parsed(made)
    except ValueError:
        raise click.UsageError(
            f"{key_id!r} is no id: letters, digits and . _ - inside, 32 at most, and not `secret`"
        ) from None
    click.echo(made)


@secrets.command("status")
@output_option
def show_status(output: str) -> None:
    """Show how many secrets each key has sealed.

    \b
    Example:
      weir secrets status -o json
    """  # noqa: D301
    from shared.auth import reseal

    said = _run(reseal.status(beside_of_environment()))
    rows = [
        {"place": place, "key": key, "secrets": count}
        for place, counts in said["places"].items()
        for key, count in sorted(counts.items())
    ]
    columns: list[Column] = [("place", "place"), ("key", "key"), ("secrets", "secrets")]
    show(output, said, rows=rows, columns=columns, name=said["key"])
    tell_left(said)


@secrets.command("rotate")
@click.option(
    "--batch", type=click.IntRange(1), default=200, show_default=True, help="Rows of a transaction."
)
@output_option
def rotate_secrets(batch: int, output: str) -> None:
    """Seal everything with the first of the sealing keys. Requests go on, and ended in between it may be run again.

    Ends with 1 while something is left that another key has sealed: that key must be kept as long.

    \b
    Example:
      WEIR_SEALING_KEYS_FILE=/run/secrets/sealing-keys weir secrets rotate
    """  # noqa: D301
    from shared.auth import reseal

    beside = beside_of_environment()
    said = _run(reseal.rotate(beside, batch=batch, tell=lambda line: click.echo(line, err=True)))
    show_resealed(said, output)


def show_resealed(said: dict[str, Any], output: str) -> None:
    """What the program said. CommandError while something is left."""
    rows = [{**said, "left": sum(said["left"].values())}]
    show(
        output,
        said,
        rows=rows,
        columns=[("key", "key"), ("sealed", "sealed"), ("left", "left")],
        name=said["key"],
    )
    if said["left"]:
        raise CommandError(
            f"{left_of(said)} left",
            details=tuple(f"cannot be opened: {one}" for one in said["unreadable"]),
            hint="keep those keys; what no key opens is entered again by whoever owns it",
        )


def tell_left(said: dict[str, Any]) -> None:
    """Whether anything else than the first key is still needed."""
    click.echo(
        f"{left_of(said)} left" if said["left"] else "everything is sealed with the first key", err=True
    )


def left_of(said: dict[str, Any]) -> str:
    """`3 of the key '2026', 1 of a key that is not here`."""
    return ", ".join(
        f"{count} of {'a key that is not here' if key == '?' else f'the key {key!r}'}"
        for key, count in said["left"].items()
    )


@click.group("signing-keys")
def signing_keys() -> None:
    """Exchange the key that signs access tokens.

    \b
    Example:
      weir signing-keys rotate
    """  # noqa: D301


@signing_keys.command("ls")
@output_option
def list_signing_keys(output: str) -> None:
    """List the keys that sign access tokens, will, or did and still verify.

    \b
    Example:
      weir signing-keys ls
    """  # noqa: D301
    from shared.auth import rotate

    beside = beside_of_environment()

    async def listed() -> dict[str, Any]:
        async with beside.pool() as pool:
            return await rotate.listed(pool)

    said = _run(listed())
    show(output, said, rows=said["keys"], columns=SIGNING_KEYS, name=lambda row: str(row["kid"]))


@signing_keys.command("rotate")
@click.option("--algorithm", type=click.Choice(ALGORITHMS), help="What the new key signs with.")
@click.option(
    "--ahead", type=Duration(), default="90s", show_default=True, help="When the new key begins to sign."
)
@click.option("--revoke", is_flag=True, help="End all others at once: everybody's token is refreshed.")
@yes_option
@output_option
def rotate_signing_keys(algorithm: str | None, ahead: float, revoke: bool, yes: bool, output: str) -> None:
    """Make the next key. Everybody has it before it signs, and the one before verifies until its tokens have ended.

    \b
    Example:
      weir signing-keys rotate --algorithm ES256
      weir signing-keys rotate --revoke --yes
    """  # noqa: D301
    from shared.auth import rotate

    beside = beside_of_environment()
    confirm_revoking(revoke=revoke, yes=yes)
    chosen = algorithm or os.environ.get("WEIR_TOKEN_ALGORITHM", ALGORITHMS[0])

    async def exchange() -> dict[str, Any]:
        async with beside.pool() as pool:
            return await rotate.rotate(
                pool, beside.sealing, algorithm=chosen, ahead_seconds=ahead, revoke=revoke
            )

    show_rotated(_run(exchange()), output)


def confirm_revoking(*, revoke: bool, yes: bool) -> None:
    """Ask before every token there is is refused."""
    if revoke:
        confirm("End every signing key but a new one? All access tokens are refused from then on.", yes=yes)


def show_rotated(said: dict[str, Any], output: str) -> None:
    """What the program said."""
    show(output, said, rows=said["keys"], columns=SIGNING_KEYS, name=lambda row: str(row["kid"]))
    if said["waitingAlready"]:
        click.echo(f"{said['kid']} is waiting already, and signs from {said['signsFrom']}", err=True)
