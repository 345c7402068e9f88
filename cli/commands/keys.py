"""`weir keys`: credentials for producers and scripts."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import click

from cli.api import Api
from cli.options import Duration, api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [
    ("id", "id"),
    ("name", "name"),
    ("scopes", lambda row: " ".join(row["scopes"])),
    ("last used", "lastUsedAt"),
    ("expires", "expiresAt"),
]
WIDE: list[Column] = [
    ("created", "createdAt"),
    ("sources", lambda row: " ".join(row["sources"]) or "any"),
    ("types", lambda row: " ".join(row["types"]) or "any"),
    ("producer", "producer"),
]


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    \b
    Example:
      weir keys create shop --scope events:write --source /shop
    """  # noqa: D301 \b keeps click from joining the lines


@keys.command("ls")
@page_options
@output_option
@api_options
def list_keys(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the project's keys; their secrets are kept nowhere.

    \b
    Example:
      weir keys ls -o wide
    """  # noqa: D301
    answer = api.get("/keys", {"limit": limit, "cursor": cursor})
    show_list(output, answer, COLUMNS, wide=WIDE, empty="no key yet; make one with `weir keys create`")


@keys.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="A permission, or * for all; events:write without.")
@click.option(
    "--source", "sources", multiple=True, help="Only events of this source; * stands for any signs."
)
@click.option("--type", "types", multiple=True, help="Only events of this type; * stands for any signs.")
@click.option("--producer", help="The producer that it belongs to: it may send what both allow.")
@click.option("--expires-in", type=Duration(), help="How long it is valid, such as 90d.")
@output_option
@api_options
def create_key(
    api: Api,
    *,
    name: str,
    scopes: tuple[str, ...],
    sources: tuple[str, ...],
    types: tuple[str, ...],
    producer: str | None,
    expires_in: float | None,
    output: str,
) -> None:
    """Make a key and print it, this once.

    \b
    Example:
      weir keys create shop --scope events:write --source '/shop*' --expires-in 90d -o name
      weir keys create checkout --producer shop
    """  # noqa: D301
    body: dict[str, object] = {
        "name": name,
        "scopes": list(scopes) or ["events:write"],
        "sources": list(sources),
        "types": list(types),
        "producer": producer,
    }
    if expires_in is not None:
        body["expiresAt"] = (datetime.now(UTC) + timedelta(seconds=expires_in)).isoformat()
    made = api.call("POST", "/keys", body)
    show(output, made, rows=[made], columns=[("key", "key"), *COLUMNS[:3]], wide=WIDE, name=str(made["key"]))
    click.echo("keep it now: it is shown this once", err=True)


@keys.command("revoke")
@click.argument("key", metavar="ID")
@yes_option
@api_options
def revoke_key(api: Api, key: str, yes: bool) -> None:
    """Revoke the key with this id (or the whole key's text).

    \b
    Example:
      weir keys revoke 4fPq0ZkWbN3x --yes
    """  # noqa: D301
    whole = re.fullmatch(r"weir_([^_]+)_.+", key)
    key_id = whole[1] if whole else key
    confirm(f"Revoke the key {key_id}? Who uses it is refused from then on.", yes=yes)
    api.call("DELETE", f"/keys/{quote(key_id, safe='')}")
    click.echo(f"revoked {key_id}", err=True)
