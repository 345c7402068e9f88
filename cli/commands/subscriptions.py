"""`weir subscriptions`: which events go where."""

from pathlib import Path
from typing import Any

import click

from cli.api import Api
from cli.commands.apply import apply_files, diff_files, test_subscription
from cli.commands.trials import check_filters, probe_subscription, try_transform
from cli.documents import expressions, read_document, text_of
from cli.errors import INVALID, CommandError
from cli.lookup import resolve
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [
    ("id", "id"),
    ("name", "name"),
    ("state", "state"),
    ("circuit", "sinkHealth.state"),
    ("sink", "sink"),
    ("filters", "filters"),
]
WIDE: list[Column] = [
    ("reason", "stateReason"),
    ("sink is", "sinkHealth.reason"),
    ("until", "sinkHealth.until"),
    ("retry", "delivery.retry"),
    ("timeout", "delivery.timeout"),
]
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
WRITABLE = ("name", "filters", "sink", "delivery", "state")


def _tls(cert: Path | None, key: Path | None, ca: Path | None) -> dict[str, str] | None:
    files = {"certificate": cert, "privateKey": key, "ca": ca}
    return {member: path.read_text() for member, path in files.items() if path is not None} or None


def _print(output: str, subscription: dict[str, Any]) -> None:
    show(output, subscription, rows=[subscription], columns=COLUMNS, wide=WIDE, name=str(subscription["id"]))


def _set_state(api: Api, wanted: str, state: str, output: str) -> None:
    found = resolve(api, wanted)
    body = {name: found[name] for name in WRITABLE if name in found} | {"state": state}
    _print(output, api.call("PUT", f"/subscriptions/{found['id']}", body))


@click.group()
def subscriptions() -> None:
    """Say which events go where.

    \b
    Example:
      weir subscriptions create billing --sink http://127.0.0.1:9000/hook --type order.created
    """  # noqa: D301 \b keeps click from joining the lines


@subscriptions.command("ls")
@page_options
@output_option
@api_options
def list_subscriptions(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List subscriptions.

    \b
    Example:
      weir subscriptions ls -o wide
    """  # noqa: D301
    answer = api.get("/subscriptions", {"limit": limit, "cursor": cursor})
    show_list(
        output,
        answer,
        COLUMNS,
        wide=WIDE,
        empty="no subscription yet; make one with `weir subscriptions create`",
    )


@subscriptions.command("get")
@click.argument("subscription")
@output_option
@api_options
def get_subscription(api: Api, subscription: str, output: str) -> None:
    """Show the subscription with that id or name.

    \b
    Example:
      weir subscriptions get billing -o yaml
    """  # noqa: D301
    _print(output, resolve(api, subscription))


@subscriptions.command("create")
@click.argument("name", required=False)
@click.option("--sink", help="Address that gets the events.")
@click.option("--type", "types", multiple=True, help="Only events of exactly this type; any of several.")
@click.option("--filters", help="Filters as a JSON or YAML array, or @FILE.")
@click.option("--sql", multiple=True, help="Only what this CloudEvents SQL expression lets through.")
@click.option("--cel", multiple=True, help="Only what this CEL expression lets through; it sees `data` too.")
@click.option("--delivery", help="Delivery settings as a JSON or YAML object, or @FILE.")
@click.option("--secret", "secrets", multiple=True, help="Signing secret (whsec_… or whsk_…).")
@click.option("--auth", help="Credential for the sink as a JSON or YAML object, or @FILE.")
@click.option("--cert", type=READABLE, help="File with the certificate to show the sink, in PEM.")
@click.option("--key", type=READABLE, help="File with its private key.")
@click.option("--ca", type=READABLE, help="File with those who may have signed the sink's certificate.")
@click.option("--transform", help="JSONata that makes what is sent, or @FILE.")
@click.option("-f", "--file", "document", help="The whole subscription as a file, - for standard input.")
@output_option
@api_options
def create_subscription(
    api: Api,
    *,
    name: str | None,
    sink: str | None,
    types: tuple[str, ...],
    filters: str | None,
    sql: tuple[str, ...],
    cel: tuple[str, ...],
    delivery: str | None,
    secrets: tuple[str, ...],
    auth: str | None,
    cert: Path | None,
    key: Path | None,
    ca: Path | None,
    transform: str | None,
    document: str | None,
    output: str,
) -> None:
    """Make a subscription. What the options say wins over what the file says.

    A credential is better in a file: what stands on a command line is kept by shells.

    \b
    Example:
      weir subscriptions create billing --sink http://127.0.0.1:9000/hook --type order.created
      weir subscriptions create audit --sink https://audit.example.com --filters '[{"prefix": {"type": "order."}}]'
      weir subscriptions create big --sink https://example.com/big --cel 'data.total > 100'
      weir subscriptions create -f billing.yaml
      weir subscriptions create crm --sink https://crm.example.com/in --auth @crm-auth.json
      weir subscriptions create short --sink http://127.0.0.1:9000/hook --transform '{"data": data.order}'
    """  # noqa: D301
    body = read_document(f"@{document}") if document else {}
    if not isinstance(body, dict):
        raise CommandError("a subscription is an object", code=INVALID)
    given = {
        "name": name,
        "sink": sink,
        "filters": read_document(filters) if filters else None,
        "delivery": read_document(delivery) if delivery else None,
        "signingSecrets": list(secrets) or None,
        "auth": read_document(auth) if auth else None,
        "tls": _tls(cert, key, ca),
        "transform": {"jsonata": text_of(transform)} if transform else None,
    }
    body |= {member: value for member, value in given.items() if value is not None}
    if types:
        exact: list[Any] = [{"exact": {"type": t}} for t in types]
        body["filters"] = [*body.get("filters", []), exact[0] if len(exact) == 1 else {"any": exact}]
    if sql or cel:
        body["filters"] = [*body.get("filters", []), *expressions(sql, cel)]
    if "sink" not in body:
        raise click.UsageError("say where the events go: --sink ADDRESS, or a file with `sink`")
    _print(output, api.call("POST", "/subscriptions", body))


@subscriptions.command("delete")
@click.argument("subscription")
@yes_option
@api_options
def delete_subscription(api: Api, subscription: str, yes: bool) -> None:
    """Delete a subscription; its waiting deliveries are cancelled.

    \b
    Example:
      weir subscriptions delete billing --yes
    """  # noqa: D301
    found = resolve(api, subscription)
    confirm(f"Delete the subscription {found['name']} and cancel what waits for it?", yes=yes)
    api.call("DELETE", f"/subscriptions/{found['id']}")
    click.echo(f"deleted {found['name']}", err=True)


@subscriptions.command("pause")
@click.argument("subscription")
@output_option
@api_options
def pause_subscription(api: Api, subscription: str, output: str) -> None:
    """Let what matches wait until the subscription is resumed.

    \b
    Example:
      weir subscriptions pause billing
    """  # noqa: D301
    _set_state(api, subscription, "paused", output)


@subscriptions.command("resume")
@click.argument("subscription")
@output_option
@api_options
def resume_subscription(api: Api, subscription: str, output: str) -> None:
    """Make a paused or disabled subscription active again.

    \b
    Example:
      weir subscriptions resume billing
    """  # noqa: D301
    _set_state(api, subscription, "active", output)


for command in (
    check_filters,
    try_transform,
    probe_subscription,
    apply_files,
    diff_files,
    test_subscription,
):
    subscriptions.add_command(command)
