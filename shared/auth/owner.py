"""Lets somebody in who owns a project: `python -m shared.auth.owner EMAIL [--name NAME] [--project NAME]`.

For an installation where nobody can sign in yet, and for an owner who lost their password. The last line on stdout is
JSON: `{"email": …, "project": …, "link": …, "minutes": 15}`. The link signs in once, on the console at `WEIR_PUBLIC_URL`.
It needs the database (`WEIR_DATABASE_URL`) and that address, and no other setting.

`--only-link` helps anybody who has an account: it gives a link and makes nobody an owner. A link stands for a password,
so who has lost their second factor needs `--without-second-factor` too, which removes it; they are told of it.
"""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.audit.by import by_operator
from shared.audit.record import record
from shared.auth.bootstrap import ensure_owner
from shared.auth.links import LIFETIME_MINUTES, address_of, create_link
from shared.auth.permissions import PROJECT_NAME
from shared.core.ids import uuid7

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


async def help_in(
    connection: "Connection", *, url: str, email: str, without_second_factor: bool
) -> dict[str, Any]:
    """A link below `url` for somebody who has an account, whose roles stay. Raises ValueError for who has none."""
    email = email.strip().lower()
    async with connection.transaction():
        user_id = await connection.fetchval("SELECT id FROM users WHERE email = $1", email)
        if user_id is None:
            raise ValueError(f"nobody here has the address {email!r}")
        by = by_operator("shared.auth.owner")
        token = await create_link(connection, user_id)
        removed = without_second_factor and await remove_second_factors(connection, user_id)
        if removed:
            await record(
                connection, by, "second_factor.removed", project_id=None, id=user_id, name=email, before={}
            )
        await record(connection, by, "link.made", project_id=None, id=user_id, name=email, after={})
    link = address_of(url, token)
    return {"email": email, "secondFactorRemoved": removed, "link": link, "minutes": LIFETIME_MINUTES}


async def remove_second_factors(connection: "Connection", user_id: UUID) -> bool:
    """Forget the authenticator, the passkeys and the recovery codes of somebody, and leave them a notice. Whether there were some."""
    removed = [
        await connection.execute(f"DELETE FROM {table} WHERE user_id = $1", user_id)  # noqa: S608 names of ours
        for table in ("totp_secrets", "passkeys", "recovery_codes")
    ]
    if all(status == "DELETE 0" for status in removed):
        return False
    await connection.execute(
        """
        INSERT INTO notices (id, user_id, kind, address, browser)
        VALUES ($1, $2, 'secondFactorRemoved', '', 'A command beside the database')
        """,
        uuid7(),
        user_id,
    )
    return True


async def _run(database_url: str, who: argparse.Namespace, url: str) -> dict[str, Any]:
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        if who.only_link or who.without_second_factor:
            return await help_in(
                connection, url=url, email=who.email, without_second_factor=who.without_second_factor
            )
        return await let_in(connection, url=url, email=who.email, name=who.name, project=who.project)
    finally:
        await connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.auth.owner", description=__doc__)
    parser.add_argument("email")
    parser.add_argument("--name", default="Owner")
    parser.add_argument("--project", default="default")
    parser.add_argument("--only-link", action="store_true")
    parser.add_argument("--without-second-factor", action="store_true")
    who = parser.parse_args(arguments)
    url = os.environ.get("WEIR_PUBLIC_URL")
    if not url:
        parser.error("WEIR_PUBLIC_URL is not set: a link has to be at the console's address")
    try:
        said = asyncio.run(_run(os.environ["WEIR_DATABASE_URL"], who, url))
    except ValueError as error:
        parser.error(str(error))
    print(json.dumps(said))  # noqa: T201 a command's own output
    return 0


if __name__ == "__main__":
    sys.exit(main())
