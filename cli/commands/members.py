"""`weir members`: who is in a project, and what they may do in it."""

from typing import Any
from uuid import UUID

import click

from cli.api import Api
from cli.errors import NOT_FOUND, CommandError
from cli.options import api_options, confirm, page_options, yes_option
from cli.output import Column, output_option, show, show_list

COLUMNS: list[Column] = [
    ("e-mail", "email"),
    ("name", "name"),
    ("role", "role"),
    ("last seen", "lastSeenAt"),
]
WIDE: list[Column] = [("joined", "joinedAt"), ("keys", "keys"), ("id", "id")]


@click.group()
def members() -> None:
    """See who is in the project, give roles, and let people go.

    \b
    Example:
      weir members ls
      weir members set jonas@example.com operator
    """  # noqa: D301 \b keeps click from joining the lines


@members.command("ls")
@page_options
@output_option
@api_options
def list_members(api: Api, limit: int, cursor: str | None, output: str) -> None:
    """List the people in the project, by name.

    \b
    Example:
      weir members ls -o wide
    """  # noqa: D301
    answer = api.get("/members", {"limit": limit, "cursor": cursor})
    show_list(output, answer, COLUMNS, wide=WIDE, name="email", empty="nobody is in this project")


@members.command("set")
@click.argument("member", metavar="EMAIL")
@click.argument("role")
@output_option
@api_options
def set_role(api: Api, member: str, role: str, output: str) -> None:
    """Give a member another role; it holds everywhere within a second.

    \b
    Example:
      weir members set jonas@example.com operator
    """  # noqa: D301
    changed = api.call("PUT", f"/members/{_find(api, member)['id']}", {"role": role})
    show(output, changed, rows=[changed], columns=COLUMNS, wide=WIDE, name=str(changed["email"]))


@members.command("remove")
@click.argument("member", metavar="EMAIL")
@click.option("--revoke-keys", is_flag=True, help="Revoke the API keys that they made as well.")
@yes_option
@api_options
def remove_member(api: Api, *, member: str, revoke_keys: bool, yes: bool) -> None:
    """Let a member go. Keys that they made go on working unless told otherwise.

    \b
    Example:
      weir members remove jonas@example.com --revoke-keys --yes
    """  # noqa: D301
    found = _find(api, member)
    keys = int(found["keys"])
    made = f" and revoke {keys} of their keys" if revoke_keys and keys else ""
    confirm(f"Remove {found['email']} from the project{made}?", yes=yes)
    query = "?revokeKeys=true" if revoke_keys else ""
    api.call("DELETE", f"/members/{found['id']}{query}")
    click.echo(f"removed {found['email']}", err=True)


def _find(api: Api, wanted: str) -> dict[str, Any]:
    """The member with that e-mail address or id. Raises CommandError."""
    try:
        answer: dict[str, Any] = api.get(f"/members/{UUID(wanted)}")
    except ValueError:
        address = wanted.lower()
        found = next((one for one in api.pages("/members", {}) if one["email"] == address), None)
        if found is None:
            raise CommandError(
                f"there is no member {wanted!r}", code=NOT_FOUND, hint="`weir members ls` lists them"
            ) from None
        return found
    return answer
