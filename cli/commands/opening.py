"""`weir open`: the console, at what an id names."""

from urllib.parse import quote

import click

from cli.api import Api
from cli.commands.local import home_of_environment
from cli.contexts import Context, current
from cli.errors import NOT_FOUND, CommandError
from cli.lookup import resolve


@click.command("open")
@click.argument("thing", required=False, metavar="[ID]")
@click.option("--print", "only_print", is_flag=True, help="Print the link instead of opening it.")
@click.option(
    "--without-second-factor",
    is_flag=True,
    help="Remove the owner's authenticator, passkeys and recovery codes, when they are lost.",
)
@click.option("--context", "context_name", help="Context to use instead of the chosen one.")
@click.option("--project", "project_name", help="Project to use instead of the context's.")
def open_console(
    *,
    thing: str | None,
    only_print: bool,
    without_second_factor: bool,
    context_name: str | None,
    project_name: str | None,
) -> None:
    """Open the console in the browser, at the event, delivery, replay or subscription with that ID.

    Of the Weir of this home the link signs in, once. Anywhere else the browser's own session counts.

    \b
    Example:
      weir open
      weir open 019377d0-2c00-7a1c-8a60-7c1f9f6f3a10
      weir open --print
      weir open --without-second-factor
    """  # noqa: D301 \b keeps click from joining the lines
    context = current(context_name, project_name) if thing is not None or context_name else None
    path = ""
    if context is not None:
        project = quote(context.project, safe="")
        path = f"/p/{project}/{_place(context, thing)}" if thing else f"/p/{project}"
    link = _link(context, path, without_second_factor=without_second_factor)
    if only_print:
        click.echo(link)
        return
    import webbrowser

    if not webbrowser.open(link):
        click.echo("no browser could be opened; this is the link (one that signs in works once):", err=True)
        click.echo(link)


def _link(context: Context | None, path: str, *, without_second_factor: bool) -> str:
    """The address of `path`, with a sign-in where this home's Weir is the one that is meant."""
    from cli.local.first_data import new_link
    from shared.auth.links import address_of

    home = home_of_environment()
    running = home.running() if home.is_busy() else None
    if context is not None and (running is None or context.url != running.url):
        return f"{context.url}{path}"
    if running is None:
        raise CommandError(
            f"no Weir runs in {home.path}", code=NOT_FOUND, hint="start it with `weir up --detach`"
        )
    token = new_link(running.database_url, without_second_factor=without_second_factor)
    if not token:
        return f"{running.url}{path or '/'}"
    return address_of(running.url, token) + (f"&to={quote(path, safe='')}" if path else "")


def _place(context: Context, thing: str) -> str:
    """Where the console shows what has that id, or the subscription of that name. Raises CommandError."""
    identity = quote(thing, safe="")
    with Api(context) as api:
        for collection in ("events", "deliveries", "replays"):
            try:
                found = api.get(f"/{collection}/{identity}")
            except CommandError as error:
                if error.exit_code != NOT_FOUND:
                    raise
                continue
            if collection == "deliveries":
                return f"events/{found['event']}?delivery={identity}"
            return f"{collection}/{identity}"
        try:
            return f"subscriptions/{resolve(api, thing)['id']}"
        except CommandError as error:
            if error.exit_code != NOT_FOUND:
                raise
    raise CommandError(
        f"nothing in the project {context.project} has the id {thing}",
        code=NOT_FOUND,
        hint="`weir context show` prints the project in use",
    )
