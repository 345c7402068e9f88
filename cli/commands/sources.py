"""`weir sources`: third parties that send webhooks."""

from typing import Any
from urllib.parse import quote

import click

from cli.api import Api
from cli.documents import read_document
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [("name", "name"), ("kind", "kind"), ("url", "url"), ("secrets", "secretCount")]
WIDE: list[Column] = [
    ("rate", "ratePerSecond"),
    ("burst", "burst"),
    ("settings", "settings"),
    ("updated", "updatedAt"),
]
KIND_COLUMNS: list[Column] = [
    ("kind", "name"),
    ("title", "title"),
    ("secret", lambda row: "made" if row["secrets"]["generated"] else row["secrets"]["hint"]),
]
KEEP = "keep the secret now: it is shown this once"


def _path(name: str) -> str:
    return f"/sources/{quote(name, safe='')}"


def _print(output: str, made: dict[str, Any]) -> None:
    """A source with its address first and, where one was made, its secret."""
    columns = COLUMNS[:3] if made["secret"] is None else [*COLUMNS[:3], ("secret", "secret")]
    show(output, made, rows=[made], columns=columns, wide=WIDE, name=str(made["url"]))
    if made["secret"] is not None:
        click.echo(KEEP, err=True)


@click.group()
def sources() -> None:
    """Let third parties send webhooks.

    \b
    Example:
      weir sources create repos --kind github
    """  # noqa: D301 \b keeps click from joining the lines


@sources.command("ls")
@page_options
@output_option
@api_options
def list_sources(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the project's sources and the addresses to send to.

    \b
    Example:
      weir sources ls -o wide
    """  # noqa: D301
    answer = api.get("/sources", {"limit": limit, "cursor": cursor})
    show_list(output, answer, COLUMNS, wide=WIDE, empty="no source yet; make one with `weir sources create`")


@sources.command("kinds")
@output_option
@api_options
def list_kinds(api: Api, output: str) -> None:
    """List the kinds of sources there are and what secret each needs.

    \b
    Example:
      weir sources kinds
    """  # noqa: D301
    show_list(output, api.get("/source-kinds"), KIND_COLUMNS, empty="no kinds")


@sources.command("create")
@click.argument("name")
@click.option("--kind", required=True, help="Who sends; `weir sources kinds` lists them.")
@click.option("--secret", help="The third party's secret; without, one is made where any will do.")
@click.option("--settings", help="What differs from the kind, as a JSON or YAML object, or @FILE.")
@click.option("--rate", type=click.IntRange(1), help="How many requests a second.")
@click.option("--burst", type=click.IntRange(1), help="How many requests at once; needs --rate.")
@output_option
@api_options
def create_source(
    api: Api,
    *,
    name: str,
    kind: str,
    secret: str | None,
    settings: str | None,
    rate: int | None,
    burst: int | None,
    output: str,
) -> None:
    """Make a source; prints the address for the third party and, this once, a secret that was made.

    \b
    Example:
      weir sources create repos --kind github
      weir sources create pay --kind stripe --secret whsec_5Ff0aWxV1bWlx
      weir sources create ci --kind hmac --settings '{"header": "X-CI-Signature", "algorithm": "sha1"}'
    """  # noqa: D301
    body: dict[str, Any] = {"name": name, "kind": kind, "ratePerSecond": rate, "burst": burst}
    if secret is not None:
        body["secrets"] = [secret]
    if settings is not None:
        body["settings"] = read_document(settings)
    _print(output, api.call("POST", "/sources", body))


@sources.command("rotate")
@click.argument("name")
@click.option("--secret", help="The next secret; without, one is made where any will do.")
@click.option("--finish", is_flag=True, help="Take the newest secret alone from now on.")
@output_option
@api_options
def rotate_secret(api: Api, *, name: str, secret: str | None, finish: bool, output: str) -> None:
    """Take a second secret beside the one there is; once the third party uses it, say --finish.

    \b
    Example:
      weir sources rotate repos
      weir sources rotate repos --finish
    """  # noqa: D301
    if finish:
        if secret is not None:
            raise click.UsageError("--finish takes no secret")
        api.call("DELETE", f"{_path(name)}/secrets")
        click.echo(f"{name} takes its newest secret alone", err=True)
        return
    _print(output, api.call("POST", f"{_path(name)}/secrets", {} if secret is None else {"secret": secret}))


@sources.command("delete")
@click.argument("name")
@yes_option
@api_options
def delete_source(api: Api, name: str, yes: bool) -> None:
    """Delete a source; its events stay.

    \b
    Example:
      weir sources delete repos --yes
    """  # noqa: D301
    confirm(f"Delete the source {name}? What it sends is refused from then on.", yes=yes)
    api.call("DELETE", _path(name))
    click.echo(f"deleted {name}", err=True)
