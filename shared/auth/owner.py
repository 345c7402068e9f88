"""Lets somebody in who owns a project: `python -m shared.auth.owner EMAIL [--name NAME] [--project NAME]`.

For an installation where nobody can sign in yet, and for an owner who lost their password. The last line on stdout is
JSON: `{"email": …, "project": …, "link": …, "minutes": 15}`. The link signs in once, on the console at `WEIR_PUBLIC_URL`.
It needs the database (`WEIR_DATABASE_URL`) and that address, and no other setting.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.audit.by import by_operator
from shared.audit.record import record
from shared.auth.bootstrap import ensure_owner
from shared.auth.links import LIFETIME_MINUTES, address_of, create_link
from shared.auth.permissions import PROJECT_NAME

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

if TYPE_CHECKING:
    from asyncpg import Connection


async def let_in(
    connection: "Connection", *, url: str, email: str, name: str, project: str
) -> dict[str, Any]:
    """Make sure of the user, the project and the ownership, and give a link below `url`. Safe to repeat.

    Raises ValueError for what is no address, or no name of a project.
    """
    email = email.strip().lower()  # as sign-in looks for it
    if not EMAIL.fullmatch(email):
        raise ValueError(f"{email!r} is no email address")
    if not PROJECT_NAME.fullmatch(project):
        raise ValueError(f"{project!r} is no project's name: lower-case letters and digits, with - inside")
    async with connection.transaction():
        by = by_operator("shared.auth.owner")
        user_id, project_id = await ensure_owner(connection, by, email=email, name=name, project=project)
        before = await connection.fetchval(
            "SELECT role FROM members WHERE project_id = $1 AND user_id = $2 FOR UPDATE", project_id, user_id
        )
        await connection.execute(
            "UPDATE members SET role = 'owner' WHERE project_id = $1 AND user_id = $2", project_id, user_id
        )
        token = await create_link(connection, user_id)
        if before != "owner":
            await record(
                connection,
                by,
                "member.changed",
                project_id=project_id,
                id=user_id,
                name=email,
                before={"email": email, "role": before},
                after={"email": email, "role": "owner"},
            )
        await record(connection, by, "member.let_in", project_id=project_id, id=user_id, name=email)
    link = address_of(url, token)
    return {"email": email, "project": project, "link": link, "minutes": LIFETIME_MINUTES}


async def _run(database_url: str, **who: str) -> dict[str, Any]:
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await let_in(connection, **who)
    finally:
        await connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.auth.owner", description=__doc__)
    parser.add_argument("email")
    parser.add_argument("--name", default="Owner")
    parser.add_argument("--project", default="default")
    who = parser.parse_args(arguments)
    url = os.environ.get("WEIR_PUBLIC_URL")
    if not url:
        parser.error("WEIR_PUBLIC_URL is not set: a link has to be at the console's address")
    try:
        said = asyncio.run(
            _run(
                os.environ["WEIR_DATABASE_URL"],
                url=url,
                email=who.email,
                name=who.name,
                project=who.project,
            )
        )
    except ValueError as error:
        parser.error(str(error))
    print(json.dumps(said))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
