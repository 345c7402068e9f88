"""`weir subscriptions`: which events go where."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import click

from cli.api import Api
from cli.errors import INVALID, NOT_FOUND, CommandError
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


def resolve(api: Api, wanted: str) -> dict[str, Any]:
    """The subscription with that id or name. Raises CommandError."""
    try:
        UUID(wanted)
    except ValueError:
        found = next((s for s in api.pages("/subscriptions", {}) if s["name"] == wanted), None)
        if found is None:
            raise CommandError(
                f"there is no subscription {wanted!r}",
                code=NOT_FOUND,
                hint="`weir subscriptions ls` lists them",
            ) from None
        return found
    answer: dict[str, Any] = api.get(f"/subscriptions/{quote(wanted)}")
    return answer


def identity_of(api: Api, wanted: str) -> str:
    """The id of the subscription of that name; an id stands for itself, whether it is there or not."""
    try:
        return str(UUID(wanted))
    except ValueError:
        return str(resolve(api, wanted)["id"])


def _expressions(sql: tuple[str, ...], cel: tuple[str, ...]) -> list[Any]:
    return [*({"sql": text} for text in sql), *({"cel": text} for text in cel)]


def read_document(text: str) -> Any:
    """JSON or YAML given on the command line, from `@FILE`, or from standard input as `@-`."""
    if text.startswith("@"):
        try:
            text = sys.stdin.read() if text == "@-" else Path(text[1:]).read_text()
        except OSError as error:
            raise CommandError(f"{text[1:]}: {error.strerror}") from error
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommandError(f"neither JSON nor YAML: {error}", code=INVALID) from error


def _text(given: str) -> str:
    """An expression given on the command line, or from `@FILE`."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text()
    except OSError as error:
        raise CommandError(f"{given[1:]}: {error.strerror}") from error


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
        "transform": {"jsonata": _text(transform)} if transform else None,
    }
    body |= {member: value for member, value in given.items() if value is not None}
    if types:
        exact: list[Any] = [{"exact": {"type": t}} for t in types]
        body["filters"] = [*body.get("filters", []), exact[0] if len(exact) == 1 else {"any": exact}]
    if sql or cel:
        body["filters"] = [*body.get("filters", []), *_expressions(sql, cel)]
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


@subscriptions.command("check")
@click.argument("filters", required=False)
@click.option("--sql", multiple=True, help="A CloudEvents SQL expression to try.")
@click.option("--cel", multiple=True, help="A CEL expression to try; it sees `data` too.")
@click.option("--subscription", help="Compare with the saved filters of this subscription.")
@click.option(
    "--last", type=click.IntRange(1, 500), default=100, show_default=True, help="Stored events to try."
)
@output_option
@api_options
def check_filters(
    api: Api,
    *,
    filters: str | None,
    sql: tuple[str, ...],
    cel: tuple[str, ...],
    subscription: str | None,
    last: int,
    output: str,
) -> None:
    """Try filters (JSON, YAML or @FILE) on the last stored events without saving them.

    \b
    Example:
      weir subscriptions check '[{"prefix": {"type": "order."}}]' --last 500
      weir subscriptions check --cel 'data.total > 100' --subscription billing
    """  # noqa: D301
    given = read_document(filters) if filters else []
    if not filters and not sql and not cel:
        raise click.UsageError("say what to try: filters, --sql or --cel")
    if not isinstance(given, list):
        raise CommandError("filters are an array", code=INVALID)
    body: dict[str, Any] = {"filters": [*given, *_expressions(sql, cel)], "last": last}
    if subscription:
        body["subscription"] = resolve(api, subscription)["id"]
    answer = api.call("POST", "/subscriptions/check", body)
    columns: list[Column] = [
        ("uid", "uid"),
        ("type", "type"),
        ("source", "source"),
        ("matched", "matched"),
        ("because", "detail"),
    ]
    show(output, answer, rows=answer["items"], columns=columns, name=lambda row: str(row["uid"]))
    for warning in answer["warnings"]:
        click.echo(f"warning: {warning['pointer']}: {warning['detail']}", err=True)
    counts = f"{answer['matched']} of {answer['checked']} match"
    if answer["errors"]:
        counts += f"; {answer['errors']} errors"
    if subscription:
        counts += f"; {answer['added']} more and {answer['removed']} fewer than saved"
    if not answer["complete"]:
        counts += "; older events were left out"
    click.echo(counts, err=True)


@subscriptions.command("transform")
@click.argument("expression")
@click.option("--event", "uid", help="The stored event with this uid.")
@click.option("--data", "given", help="An event in the JSON format, or @FILE.")
@output_option
@api_options
def try_transform(api: Api, expression: str, uid: str | None, given: str | None, output: str) -> None:
    """Show what JSONata (or @FILE) makes of an event, without saving or sending it.

    \b
    Example:
      weir subscriptions transform '{"data": data.order}' --event 0199c3f2-8a51-7c3e-b0d4-5f2a9e6b1c70
    """  # noqa: D301
    if (uid is None) == (given is None):
        raise click.UsageError("say which event: --event UID of a stored one, or --data with one")
    body: dict[str, Any] = {"transform": {"jsonata": _text(expression)}}
    body |= {"uid": uid} if given is None else {"event": read_document(given)}
    answer = api.call("POST", "/subscriptions/transform", body)
    if (error := answer["error"]) is not None:
        at = "" if error["position"] is None else f" (character {error['position']})"
        raise CommandError(f"{error['detail']}{at}", code=INVALID)
    if answer["event"] is None:
        click.echo("nothing: the event would not be sent", err=True)
        return
    columns: list[Column] = [("type", "type"), ("source", "source"), ("id", "id"), ("data", "data")]
    show(output, answer["event"], rows=[answer["event"]], columns=columns, name=str(answer["event"]["id"]))
