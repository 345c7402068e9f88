"""`weir context`: which Weir the commands talk to."""

import click

from cli import contexts, sessions
from cli.errors import USAGE, CommandError
from cli.output import output_option, show


@click.group()
def context() -> None:
    """Show and choose which Weir the commands talk to.

    \b
    Example:
      weir context ls
    """  # noqa: D301 \b keeps click from joining the lines


@context.command("show")
@click.argument("name", required=False)
@output_option
def show_context(name: str | None, output: str) -> None:
    """Print the context in use (or NAME), its key included.

    \b
    Example:
      weir context show -o json
    """  # noqa: D301
    found = contexts.current(name)
    show(
        output,
        found.as_json(),
        rows=[found.as_json()],
        columns=[("url", "url"), ("project", "project"), ("session", "session")]
        if found.session
        else [("url", "url"), ("project", "project"), ("api key", "apiKey")],
        name=found.name,
    )


@context.command("use")
@click.argument("name")
def use_context(name: str) -> None:
    """Choose the context for the commands to come.

    \b
    Example:
      weir context use local
    """  # noqa: D301
    chosen = contexts.use(name)
    click.echo(f"commands now go to {chosen.url}, project {chosen.project}", err=True)


@context.command("ls")
@output_option
def list_contexts(output: str) -> None:
    """List the contexts.

    \b
    Example:
      weir context ls
    """  # noqa: D301
    chosen = contexts.current_name()
    rows = [
        {"name": c.name, "url": c.url, "project": c.project, "current": c.name == chosen}
        for c in contexts.all_contexts()
    ]
    show(
        output,
        {"items": rows, "next": None},
        rows=rows,
        columns=[("name", "name"), ("current", "current"), ("project", "project"), ("url", "url")],
        name=lambda row: str(row["name"]),
    )
    if not rows:
        click.echo("there is none yet; `weir up` makes one named local", err=True)


@context.command("save")
@click.argument("name")
@click.option("--url", required=True, help="Address of the Weir.")
@click.option("--project", required=True, help="Project there.")
@click.option(
    "--api-key",
    envvar="WEIR_API_KEY",
    show_envvar=True,
    help="Key for the project; without one, the session of `weir login`.",
)
def save_context(name: str, url: str, project: str, api_key: str | None) -> None:
    """Keep a context under NAME in your own settings.

    \b
    Example:
      WEIR_API_KEY=weir_id_secret weir context save prod --url https://weir.example.com --project shop
    """  # noqa: D301
    url = url.rstrip("/")
    if not api_key and not sessions.exists(url):
        raise CommandError("there is neither a key nor a session", code=USAGE, hint=f"weir login {url}")
    contexts.save(contexts.Context(name, url, project, api_key or "", session=not api_key))
    click.echo(f"saved {name}; choose it with `weir context use {name}`", err=True)
