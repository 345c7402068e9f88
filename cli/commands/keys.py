"""`weir keys`: credentials for producers and scripts."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import USAGE, CommandError
from cli.options import Duration, Instant, api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list
from shared.core.durations import format_duration

COLUMNS: list[Column] = [
    ("id", "id"),
    ("name", "name"),
    ("scopes", lambda row: " ".join(row["scopes"])),
    ("last used", "lastUsedAt"),
    ("expires", "expiresAt"),
]
WIDE: list[Column] = [
    ("created", "createdAt"),
    ("by", lambda row: (row["createdBy"] or {}).get("name") or (row["createdBy"] or {}).get("id")),
    ("used from", "lastUsedFrom"),
    ("old secret until", "previousExpiresAt"),
    ("revoked", "revokedAt"),
    ("sources", lambda row: " ".join(row["sources"]) or "any"),
    ("types", lambda row: " ".join(row["types"]) or "any"),
    ("producer", "producer"),
]


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys.

    \b
    Example:
      weir keys create shop --scope events:write --source /shop
      weir keys rotate 4fPq0ZkWbN3x --overlap 7d
    """  # noqa: D301 \b keeps click from joining the lines


@keys.command("ls")
@click.option("--revoked", is_flag=True, help="Those that were revoked, in place of the others.")
@click.option("--search", help="Only those with this in their name or a scope, or whose id begins so.")
@page_options
@output_option
@api_options
def list_keys(
    api: Api, *, revoked: bool, search: str | None, limit: int, cursor: str | None, output: str
) -> None:
    """List the project's keys; their secrets are kept nowhere.

    \b
    Example:
      weir keys ls -o wide
      weir keys ls --revoked --search storefront
    """  # noqa: D301
    state = "revoked" if revoked else "active"
    answer = api.get("/keys", {"state": state, "q": search, "limit": limit, "cursor": cursor})
    empty = "no such key" if revoked or search else "no key yet; make one with `weir keys create`"
    show_list(output, answer, COLUMNS, wide=WIDE, empty=empty)


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


@keys.command("rotate")
@click.argument("key", metavar="ID")
@click.option(
    "--overlap",
    type=Duration(),
    default="1d",
    show_default=True,
    help="How long the secret before works beside the new one; 0 for not at all.",
)
@click.option("--end-previous", is_flag=True, help="Make no secret, but end the one before the last now.")
@output_option
@api_options
def rotate_key(api: Api, *, key: str, overlap: float, end_previous: bool, output: str) -> None:
    """Give the key with this id another secret and print it, this once.

    \b
    Example:
      weir keys rotate 4fPq0ZkWbN3x --overlap 7d -o name
      weir keys rotate 4fPq0ZkWbN3x --end-previous
    """  # noqa: D301
    path = f"/keys/{quote(_id_of(key), safe='')}"
    if end_previous:
        api.call("DELETE", f"{path}/previous")
        click.echo(f"the secret of {_id_of(key)} before the last rotation works no more", err=True)
        return
    made = api.call("POST", f"{path}/rotate", {"overlap": format_duration(overlap)})
    columns: list[Column] = [("key", "key"), *COLUMNS[:3], ("old secret until", "previousExpiresAt")]
    show(output, made, rows=[made], columns=columns, wide=WIDE, name=str(made["key"]))
    click.echo("keep it now: it is shown this once", err=True)


@keys.command("expire")
@click.argument("key", metavar="ID")
@click.option("--in", "expires_in", type=Duration(), help="How long from now it is valid, such as 90d.")
@click.option("--at", "expires_at", type=Instant(), help="When it ends, as an RFC 3339 instant.")
@click.option("--never", is_flag=True, help="Take its expiry away.")
@output_option
@api_options
def expire_key(
    api: Api, *, key: str, expires_in: float | None, expires_at: str | None, never: bool, output: str
) -> None:
    """Say when the key with this id ends. `weir keys revoke` ends it now.

    \b
    Example:
      weir keys expire 4fPq0ZkWbN3x --in 90d
      weir keys expire 4fPq0ZkWbN3x --at 2027-03-02T00:00:00Z
      weir keys expire 4fPq0ZkWbN3x --never
    """  # noqa: D301
    if (expires_in is not None) + (expires_at is not None) + never != 1:
        raise CommandError("say one of --in, --at and --never", code=USAGE)
    if expires_in is not None:
        expires_at = (datetime.now(UTC) + timedelta(seconds=expires_in)).isoformat()
    path = f"/keys/{quote(_id_of(key), safe='')}"
    changed = api.call("PUT", path, {**api.get(path), "expiresAt": expires_at})
    show(output, changed, rows=[changed], columns=COLUMNS, wide=WIDE, name=str(changed["id"]))


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
    key_id = _id_of(key)
    confirm(f"Revoke the key {key_id}? Who uses it is refused from then on.", yes=yes)
    api.call("DELETE", f"/keys/{quote(key_id, safe='')}")
    click.echo(f"revoked {key_id}", err=True)


def _id_of(key: str) -> str:
    """The id of a key that is given by it, or as a whole."""
    whole = re.fullmatch(r"weir_([^_]+)_.+", key)
    return whole[1] if whole else key
