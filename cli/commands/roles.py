"""`weir roles`: what roles of a project's own may do."""

from urllib.parse import quote

import click

from cli.api import Api
from cli.errors import USAGE, CommandError
from cli.options import api_options, confirm, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [
    ("name", "name"),
    ("members", "members"),
    ("kind", lambda row: "built in" if row["isBuiltIn"] else "own"),
    ("permissions", lambda row: " ".join(row["permissions"])),
]
WIDE: list[Column] = [("description", "description"), ("changed", "updatedAt")]


@click.group()
def roles() -> None:
    """Say what roles of the project's own may do, beside the four that are built in.

    \b
    Example:
      weir roles create auditor --permission events:read --permission audit:read
      weir roles ls
    """  # noqa: D301 \b keeps click from joining the lines


@roles.command("ls")
@output_option
@api_options
def list_roles(api: Api, output: str) -> None:
    """List the roles that members may have.

    \b
    Example:
      weir roles ls -o wide
    """  # noqa: D301
    show_list(output, api.get("/roles"), COLUMNS, wide=WIDE, name="name", empty="no role")


@roles.command("create")
@click.argument("name")
@click.option(
    "--permission", "permissions", multiple=True, required=True, help="What it allows; give it repeatedly."
)
@click.option("--description", default="", help="What it is for.")
@output_option
@api_options
def create_role(api: Api, *, name: str, permissions: tuple[str, ...], description: str, output: str) -> None:
    """Make a role. Nobody gives more than they may do themselves.

    \b
    Example:
      weir roles create auditor --permission events:read --permission audit:read --description 'Looks back'
    """  # noqa: D301
    body = {"name": name, "permissions": list(permissions), "description": description}
    made = api.call("POST", "/roles", body)
    show(output, made, rows=[made], columns=COLUMNS, wide=WIDE, name=str(made["name"]))


@roles.command("set")
@click.argument("name")
@click.option("--permission", "permissions", multiple=True, help="What it allows from now on, all of it.")
@click.option("--add", "added", multiple=True, help="A permission more.")
@click.option("--take", "taken", multiple=True, help="A permission less.")
@click.option("--description", help="What it is for.")
@click.option("--rename", help="Another name; those who have the role keep it.")
@output_option
@api_options
def set_role(
    api: Api,
    *,
    name: str,
    permissions: tuple[str, ...],
    added: tuple[str, ...],
    taken: tuple[str, ...],
    description: str | None,
    rename: str | None,
    output: str,
) -> None:
    """Change a role, everywhere within a second, for everybody who has it.

    \b
    Example:
      weir roles set auditor --add types:read --take audit:read
      weir roles set auditor --rename inspector --description 'Looks back'
    """  # noqa: D301
    if permissions and (added or taken):
        raise CommandError("--permission says all of it: it does not go with --add and --take", code=USAGE)
    path = f"/roles/{quote(name, safe='')}"
    body = api.get(path)
    kept = [one for one in body["permissions"] if one not in taken]
    body["permissions"] = list(permissions or dict.fromkeys([*kept, *added]))
    if description is not None:
        body["description"] = description
    if rename is not None:
        body["name"] = rename
    changed = api.call("PUT", path, body)
    show(output, changed, rows=[changed], columns=COLUMNS, wide=WIDE, name=str(changed["name"]))


@roles.command("delete")
@click.argument("name")
@yes_option
@api_options
def delete_role(api: Api, *, name: str, yes: bool) -> None:
    """Delete a role that nobody has.

    \b
    Example:
      weir roles delete auditor --yes
    """  # noqa: D301
    confirm(f"Delete the role {name}?", yes=yes)
    api.call("DELETE", f"/roles/{quote(name, safe='')}")
    click.echo(f"deleted {name}", err=True)
