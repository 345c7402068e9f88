"""`weir projects`: tenants of one Weir."""

import json
from urllib.parse import urlencode

import click

from cli import contexts
from cli.api import Api
from cli.errors import AUTH, CommandError
from cli.options import api_options, page_options
from cli.output import output_option, show, show_list


@click.group()
def projects() -> None:
    """Make and list projects.

    \b
    Example:
      weir projects create shop -o json
    """  # noqa: D301 \b keeps click from joining the lines


@projects.command("create")
@click.argument("name")
@click.option("--save", is_flag=True, help="Keep it as a context of the same name.")
@output_option
@api_options
def create_project(api: Api, name: str, save: bool, output: str) -> None:
    """Make a project and a key that may do everything in it; the key is shown this once.

    Whoever signed in becomes its owner and needs no key.

    \b
    Example:
      weir projects create shop -o json
    """  # noqa: D301
    made = api.raw(
        "POST", "/v1/projects", {"content-type": "application/json"}, json.dumps({"name": name}).encode()
    )
    session = api.context.session
    if not made.get("apiKey") and not session:
        raise CommandError(f"{name} was made, but this credential gets no key for it", code=AUTH)
    found = contexts.Context(
        made["name"], api.context.url, made["name"], made.get("apiKey") or "", session=session
    )
    show(
        output,
        found.as_json(),
        rows=[found.as_json()],
        columns=[("url", "url"), ("project", "project"), *([] if session else [("api key", "apiKey")])],
        name=found.name,
    )
    if save:
        contexts.save(found)


@projects.command("ls")
@page_options
@output_option
@api_options
def list_projects(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the projects that the key belongs to.

    \b
    Example:
      weir projects ls
    """  # noqa: D301
    query = urlencode({"limit": limit} | ({"cursor": cursor} if cursor else {}))
    answer = api.raw("GET", f"/v1/projects?{query}", {}, None)
    show_list(
        output,
        answer,
        [("name", "name"), ("id", "id"), ("created", "createdAt")],
        name="name",
        empty="no project belongs to this key",
    )
