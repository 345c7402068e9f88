"""`weir producers`: who may send what, and how fast."""

from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import USAGE, CommandError
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [
    ("name", "name"),
    ("sources", lambda row: " ".join(row["sources"]) or "any"),
    ("types", lambda row: " ".join(row["types"]) or "any"),
    ("per second", "ratePerSecond"),
    ("issuer", "oidc.issuer"),
]
WIDE: list[Column] = [
    ("burst", "burst"),
    ("audience", "oidc.audience"),
    ("subject", "oidc.subject"),
    ("created", "createdAt"),
]


@click.group()
def producers() -> None:
    """Make, list and delete producers.

    \b
    Example:
      weir producers create shop --source '/shop*' --rate 100
    """  # noqa: D301 \b keeps click from joining the lines


@producers.command("ls")
@page_options
@output_option
@api_options
def list_producers(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the project's producers.

    \b
    Example:
      weir producers ls -o wide
    """  # noqa: D301
    answer = api.get("/producers", {"limit": limit, "cursor": cursor})
    empty = "no producer yet; make one with `weir producers create`"
    show_list(output, answer, COLUMNS, wide=WIDE, name="name", empty=empty)


@producers.command("create")
@click.argument("name")
@click.option(
    "--source", "sources", multiple=True, help="Only events of this source; * stands for any signs."
)
@click.option("--type", "types", multiple=True, help="Only events of this type; * stands for any signs.")
@click.option("--rate", type=click.IntRange(1), help="Events a second; the project's limit without.")
@click.option("--burst", type=click.IntRange(1), help="Events that may come at once; --rate without.")
@click.option("--issuer", help="An OIDC issuer whose tokens are a credential of the producer.")
@click.option("--audience", help="What those tokens must have in `aud`.")
@click.option("--subject", help="What their `sub` must fit; * stands for any signs.")
@output_option
@api_options
def create_producer(
    api: Api,
    *,
    name: str,
    sources: tuple[str, ...],
    types: tuple[str, ...],
    rate: int | None,
    burst: int | None,
    issuer: str | None,
    audience: str | None,
    subject: str | None,
    output: str,
) -> None:
    """Make a producer. Keys of it are made with `weir keys create --producer`.

    \b
    Example:
      weir producers create shop --source '/shop*' --rate 100 --burst 500
      weir producers create cart --issuer https://issuer.example.com --audience weir/cart --subject 'cart:*'
    """  # noqa: D301
    body: dict[str, object] = {
        "name": name,
        "sources": list(sources),
        "types": list(types),
        "ratePerSecond": rate,
        "burst": burst,
    }
    oidc = {"issuer": issuer, "audience": audience, "subject": subject}
    if any(oidc.values()):
        if not all(oidc.values()):
            raise CommandError("--issuer, --audience and --subject go together", code=USAGE)
        body["oidc"] = oidc
    made = api.call("POST", "/producers", body)
    show(output, made, rows=[made], columns=COLUMNS, wide=WIDE, name=str(made["name"]))


@producers.command("delete")
@click.argument("name")
@yes_option
@api_options
def delete_producer(api: Api, name: str, yes: bool) -> None:
    """Delete a producer and its API keys; its events stay.

    \b
    Example:
      weir producers delete shop --yes
    """  # noqa: D301
    confirm(f"Delete the producer {name} and its API keys? Who uses them is refused from then on.", yes=yes)
    api.call("DELETE", f"/producers/{quote(name, safe='')}")
    click.echo(f"deleted {name}", err=True)
