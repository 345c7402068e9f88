"""An owner is let in where nobody could sign in, by a program that knows the database alone."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import asyncpg
import pytest

from shared.auth.links import hash_link
from shared.runtime.settings import Settings
from tests.support.people import create_person
from tests.support.served import ROOT


def run(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    environment["WEIR_PUBLIC_URL"] = "https://weir.example.com/"
    environment["WEIR_DATABASE_URL"] = settings.database_url.get_secret_value()
    return subprocess.run(
        [sys.executable, "-m", "shared.auth.owner", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


async def role(pool: asyncpg.Pool, email: str, project: str) -> str | None:
    found: str | None = await pool.fetchval(
        "SELECT role FROM members m JOIN users u ON u.id = m.user_id JOIN projects p ON p.id = m.project_id"
        " WHERE u.email = $1 AND p.name = $2",
        email,
        project,
    )
    return found


async def test_the_first_owner_gets_a_link_and_a_project(pool: asyncpg.Pool, settings: Settings) -> None:
    email, project = f"{uuid4().hex[:8]}@example.org", f"p-{uuid4().hex[:8]}"
    tokens = []
    for _ in range(2):  # safe to repeat
        ended = run(settings, email.upper(), "--project", project, "--name", "Ann")
        assert ended.returncode == 0, ended.stderr
        said = json.loads(ended.stdout.splitlines()[-1])
        assert (said["email"], said["project"], said["minutes"]) == (email, project, 15)
        page, _, token = said["link"].partition("#token=")
        assert page == "https://weir.example.com/sign-in/link"
        tokens.append(token)
    assert await role(pool, email, project) == "owner"
    known = await pool.fetchval(
        "SELECT count(*) FROM sign_in_links l JOIN users u ON u.id = l.user_id"
        " WHERE u.email = $1 AND u.name = 'Ann' AND l.token_hash = ANY($2)",
        email,
        [hash_link(token) for token in tokens],
    )
    assert known == 2


async def test_somebody_who_had_another_role_is_owner_after_it(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    project = f"p-{uuid4().hex[:8]}"
    project_id = await pool.fetchval(
        "INSERT INTO projects (id, name) VALUES ($1, $2) RETURNING id", uuid4(), project
    )
    person = await create_person(pool, roles={project_id: "viewer"})
    assert run(settings, person.email, "--project", project).returncode == 0
    assert await role(pool, person.email, project) == "owner"


@pytest.mark.parametrize("arguments", [("nobody",), ("a@b", "--project", "Not A Name")])
def test_what_cannot_be_is_refused(settings: Settings, arguments: tuple[str, ...]) -> None:
    ended = run(settings, *arguments)
    assert ended.returncode == 2
    assert "is no" in ended.stderr


async def test_who_has_lost_their_second_factor_is_helped(pool: asyncpg.Pool, settings: Settings) -> None:
    """By a link that changes no role; they are told, and it is recorded."""
    person = await create_person(pool)
    await pool.execute(
        "INSERT INTO totp_secrets (user_id, secret_sealed, confirmed_at) VALUES ($1, '', now())", person.id
    )
    ended = run(settings, person.email, "--only-link")
    assert json.loads(ended.stdout.splitlines()[-1])["secondFactorRemoved"] is False
    ended = run(settings, person.email, "--without-second-factor")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    assert (said["email"], said["secondFactorRemoved"]) == (person.email, True)
    assert await pool.fetchval("SELECT count(*) FROM totp_secrets WHERE user_id = $1", person.id) == 0
    assert await pool.fetchval("SELECT count(*) FROM members WHERE user_id = $1", person.id) == 0
    assert (
        await pool.fetchval("SELECT kind FROM notices WHERE user_id = $1", person.id) == "secondFactorRemoved"
    )
    log = await pool.fetch("SELECT action FROM audit WHERE thing_id = $1 ORDER BY sequence", str(person.id))
    assert [row["action"] for row in log] == ["link.made", "second_factor.removed", "link.made"]
    again = run(settings, person.email, "--without-second-factor")
    assert json.loads(again.stdout.splitlines()[-1])["secondFactorRemoved"] is False
    nobody = run(settings, "nobody@example.org", "--only-link")
    assert nobody.returncode == 2
    assert "nobody here has the address" in nobody.stderr
