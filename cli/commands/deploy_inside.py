"""`weir deploy owner`, `signing-keys` and `secrets`: what is done where the database of a deployment is."""

import click

from cli.deploy.arguments import Target, target_options, timeout_option
from cli.deploy.attended import attended, reached
from cli.options import yes_option
from cli.output import output_option, show


@click.command("owner")
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
    attended(_owner(target, [email, "--name", name, "--project", project, *flags], timeout, output))


async def _owner(target: Target, arguments: list[str], seconds: float, output: str) -> None:
    from cli.deploy import owner

    async with reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await owner.let_in(kubernetes, documents, arguments, seconds=seconds)
    show(output, said, rows=[said], columns=[("link", "link")], name=str(said["link"]))


@click.command("signing-keys")
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
    attended(_signing_keys(target, asked, timeout, output))


async def _signing_keys(target: Target, asked: list[str], seconds: float, output: str) -> None:
    from cli.commands.at_rest import show_rotated
    from cli.deploy import programs

    async with reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await programs.run(
            kubernetes, documents, "signing-keys", "shared.auth.rotate", asked, says="kid", seconds=seconds
        )
        if not said:
            raise programs.unread(kubernetes, "key", "the key was exchanged; run it again to see it")
    show_rotated(said, output)


@click.command("secrets")
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
    attended(_secrets(target, timeout, output))


async def _secrets(target: Target, seconds: float, output: str) -> None:
    from cli.commands.at_rest import show_resealed
    from cli.deploy import programs

    async with reached(target) as (kubectl, kubernetes):
        documents = await target.documents(kubectl)
        said = await programs.run(
            kubernetes, documents, "secrets", "shared.auth.reseal", [], says="sealed", seconds=seconds
        )
        if not said:
            raise programs.unread(kubernetes, "count", "nothing is left to be sealed")
    show_resealed(said, output)
