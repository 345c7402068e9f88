"""`weir types`: what the project knows of its event types."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import INVALID, NOT_FOUND, CommandError
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list
from cli.sending import read_data

COLUMNS: list[Column] = [
    ("type", "type"),
    ("mode", "schemaMode"),
    ("version", "version"),
    ("facets", lambda row: " ".join(row["facets"])),
    ("description", "description"),
]
WIDE: list[Column] = [("created", "createdAt"), ("changed", "updatedAt")]

VERSION_COLUMNS: list[Column] = [
    ("version", "version"),
    ("dataschema", "dataschema"),
    ("created", "createdAt"),
]


@click.group()
def types() -> None:
    """Say what events of a type look like, and by what they are found.

    \b
    Example:
      weir types set com.acme.order --schema order.json --mode reject --facet order=/order/id
    """  # noqa: D301 \b keeps click from joining the lines


@types.command("ls")
@page_options
@output_option
@api_options
def list_types(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the registered types.

    \b
    Example:
      weir types ls -o wide
    """  # noqa: D301
    answer = api.get("/types", {"limit": limit, "cursor": cursor})
    empty = "no type yet; register one with `weir types set`"
    show_list(output, answer, COLUMNS, wide=WIDE, name="type", empty=empty)


@types.command("get")
@click.argument("type_", metavar="TYPE")
@output_option
@api_options
def get_type(api: Api, type_: str, output: str) -> None:
    """Show a type with its schemas; as a table, their versions alone.

    \b
    Example:
      weir types get com.acme.order -o yaml
    """  # noqa: D301
    found = api.get(path_of(type_))
    rows = found["schemas"]
    show(output, found, rows=rows, columns=VERSION_COLUMNS, name=type_)
    if output in {"table", "wide"} and not rows:
        click.echo("this type has no schema", err=True)


@types.command("set")
@click.argument("type_", metavar="TYPE")
@click.option("--schema", metavar="FILE", help="A JSON Schema; - is standard input. Adds a version.")
@click.option("--dataschema", metavar="URI", help="By which events name this version of the schema.")
@click.option(
    "--mode", type=click.Choice(("off", "warn", "reject")), help="What is done with data that does not fit."
)
@click.option(
    "--facet",
    "facets",
    multiple=True,
    metavar="NAME=POINTER",
    help="Where in the data a facet is, as /order/id; NAME= takes it away.",
)
@click.option("--description", help="What events of this type say.")
@output_option
@api_options
def set_type(
    api: Api,
    *,
    type_: str,
    schema: str | None,
    dataschema: str | None,
    mode: str | None,
    facets: tuple[str, ...],
    description: str | None,
    output: str,
) -> None:
    """Register a type, or change it; what is not named stays as it is.

    \b
    Example:
      weir types set com.acme.order --schema order.json --mode reject --facet order=/order/id
    """  # noqa: D301
    body = {**_kept(api, type_), **({} if description is None else {"description": description})}
    if mode is not None:
        body["schemaMode"] = mode
    for entry in facets:
        name, sign, pointer = entry.partition("=")
        if not sign:
            raise click.UsageError(f"--facet takes NAME=POINTER, not {entry!r}")
        body["facets"].pop(name, None)
        if pointer:
            body["facets"][name] = pointer
    if schema is not None:
        body["schema"] = _json(read_data(f"@{schema}"), schema)
    if dataschema is not None:
        body["dataschema"] = dataschema
    made = api.call("PUT", path_of(type_), body)
    show(output, made, rows=[made], columns=COLUMNS, wide=WIDE, name=type_)


@types.command("check")
@click.argument("type_", metavar="TYPE")
@click.option("-d", "--data", required=True, help="JSON, or @FILE, or @- for standard input.")
@click.option("--schema", metavar="FILE", help="Try this schema instead of the type's own.")
@click.option("--version", type=click.IntRange(1), help="Try this version instead of the newest.")
@output_option
@api_options
def check_data(
    api: Api, *, type_: str, data: str, schema: str | None, version: int | None, output: str
) -> None:
    """Say what a schema has against some data; the exit code is 5 when it has anything.

    \b
    Example:
      weir types check com.acme.order -d '{"order": {"id": "A-1"}}'
    """  # noqa: D301
    body: dict[str, Any] = {"data": _json(read_data(data), "the data"), "version": version}
    if schema is not None:
        body["schema"] = _json(read_data(f"@{schema}"), schema)
    answer = api.call("POST", f"{path_of(type_)}/check", body)
    columns: list[Column] = [("where", "pointer"), ("what", "detail")]
    show(output, answer, rows=answer["errors"], columns=columns, name="valid" if answer["valid"] else "")
    if not answer["valid"]:
        raise CommandError("the data does not fit", code=INVALID)
    click.echo("the data fits", err=True)


@types.command("delete")
@click.argument("type_", metavar="TYPE")
@yes_option
@api_options
def delete_type(api: Api, type_: str, yes: bool) -> None:
    """Forget a type with its schemas and facets; its events stay.

    \b
    Example:
      weir types delete com.acme.order --yes
    """  # noqa: D301
    confirm(f"Forget the type {type_}? Its events are neither checked nor indexed from then on.", yes=yes)
    api.call("DELETE", path_of(type_))
    click.echo(f"deleted {type_}", err=True)


def path_of(type_: str) -> str:
    """Where the type is, below the project."""
    return f"/types/{quote(type_, safe='')}"


def _kept(api: Api, type_: str) -> dict[str, Any]:
    """What is said of the type now, as it is sent back; nothing yet of a new one."""
    try:
        found: Mapping[str, Any] = api.get(path_of(type_))
    except CommandError as error:
        if error.exit_code != NOT_FOUND:
            raise
        return {"facets": {}}
    return {name: found[name] for name in ("description", "schemaMode", "facets")}


def _json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{what} is not JSON: {error}", code=INVALID) from error
