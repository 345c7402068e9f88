"""`weir serve` and `weir migrate`: what a deployment runs."""

import os
import sys

import click

from cli.errors import CommandError


@click.command()
@click.argument("name")
def serve(name: str) -> None:
    """Run one function in this process, on 0.0.0.0:$PORT (8080 without).

    \b
    Example:
      PORT=8081 weir serve ingest
    """  # noqa: D301 \b keeps click from joining the lines
    os.execv(sys.executable, [sys.executable, "-P", "-m", "shared.runtime.serve", name])  # noqa: S606 no shell


@click.command()
@click.option("--roles", is_flag=True, help="Make nothing but the roles that a dump needs to be restored.")
def migrate(*, roles: bool) -> None:
    """Bring the database that WEIR_DATABASE_URL names to the schema of this version.

    \b
    Example:
      WEIR_DATABASE_URL=postgresql://weir:secret@db/weir weir migrate
    """  # noqa: D301
    import asyncio
    from pathlib import Path

    from cli.local.faults import explain
    from shared.db.migrate import migrate as run
    from shared.db.migrate import prepare

    url = os.environ.get("WEIR_DATABASE_URL")
    if not url:
        raise click.UsageError("WEIR_DATABASE_URL names no database")
    try:
        asyncio.run(prepare(url) if roles else run(url))
    except Exception as error:
        text = explain(error, Path.cwd())
        if text is None:
            raise
        raise CommandError(text) from error
    click.echo("the roles are there" if roles else "the database is up to date", err=True)
