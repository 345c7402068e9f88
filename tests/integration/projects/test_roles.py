"""Roles of a project's own: what they allow, who may make them, and when they can go."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.auth.authority import authorize
from shared.auth.permissions import PERMISSIONS, ROLES
from shared.auth.remembered import REMEMBER_SECONDS
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.projects.conftest import Projects
from tests.integration.projects.people import People
from tests.support.projects import create_key, create_project

AUDITOR = {"name": "auditor", "description": "Looks back.", "permissions": ["events:read", "audit:read"]}


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Resources]:
    """Another process."""
    opened = Resources(settings)
    yield opened
    await opened.close()


async def test_built_in_roles_are_listed_and_stay(projects: Projects) -> None:
    listed = (await projects.ask("GET", "/roles")).json()
    assert [item["name"] for item in listed["items"]] == ["owner", "admin", "operator", "viewer"]
    for item in listed["items"]:
        assert set(item["permissions"]) == ROLES[item["name"]]
        assert item["isBuiltIn"]
        assert item["description"]
        assert (await projects.ask("GET", f"/roles/{item['name']}")).json() == item
        for method in ("PUT", "DELETE"):
            answer = await projects.ask(method, f"/roles/{item['name']}", AUDITOR)
            assert (answer.status_code, "built in" in answer.json()["detail"]) == (409, True)
    assert (await projects.ask("POST", "/roles", {**AUDITOR, "name": "admin"})).status_code == 409


async def test_a_role_is_made_read_and_sent_back(projects: Projects) -> None:
    made = await projects.ask("POST", "/roles", AUDITOR)
    assert made.status_code == 201, made.text
    assert made.headers["location"].endswith("/roles/auditor")
    body = made.json()
    assert body["permissions"] == ["audit:read", "events:read"]
    assert (body["members"], body["isBuiltIn"]) == (0, False)
    assert (await projects.ask("GET", "/roles")).json()["items"][4:] == [body]
    again = await projects.ask("PUT", "/roles/auditor", body)
    assert again.status_code == 200
    assert {**again.json(), "updatedAt": body["updatedAt"]} == body
    assert (await projects.ask("POST", "/roles", AUDITOR)).status_code == 409


async def test_whoever_has_the_role_may_do_what_it_says_everywhere_within_a_second(
    projects: Projects, people: People, resources: Resources, elsewhere: Resources
) -> None:
    await projects.ask("POST", "/roles", AUDITOR)
    who = await people("auditor")

    async def may(at: Resources) -> frozenset[str]:
        try:
            header, name = who.headers["authorization"], projects.project.name
            return (await authorize(at, header, name, "events:read")).permissions
        except Problem:
            return frozenset()

    assert await may(resources) == await may(elsewhere) == {"events:read", "audit:read"}
    wider = {**AUDITOR, "permissions": ["events:read", "types:read"]}
    await projects.ask("PUT", "/roles/auditor", wider)
    assert await may(resources) == {"events:read", "types:read"}
    changed = asked = time.monotonic()
    while await may(elsewhere) != {"events:read", "types:read"}:
        assert asked < changed + REMEMBER_SECONDS + 0.2  # whatever the answer took
        await asyncio.sleep(0.02)
        asked = time.monotonic()


async def test_who_has_a_role_goes_with_its_name(
    projects: Projects, people: People, resources: Resources, pool: asyncpg.Pool
) -> None:
    await projects.ask("POST", "/roles", AUDITOR)
    who = await people("auditor")
    renamed = await projects.ask("PUT", "/roles/auditor", {**AUDITOR, "name": "inspector"})
    assert (renamed.status_code, renamed.json()["members"]) == (200, 1)
    assert (await projects.ask("GET", who.path)).json()["role"] == "inspector"
    assert (await projects.ask("GET", "/roles/auditor")).status_code == 404
    await projects.ask("POST", "/roles", AUDITOR)
    assert (await projects.ask("PUT", "/roles/auditor", {**AUDITOR, "name": "inspector"})).status_code == 409


async def test_a_role_that_somebody_has_says_who_and_stays(
    projects: Projects, people: People, pool: asyncpg.Pool
) -> None:
    await projects.ask("POST", "/roles", AUDITOR)
    holders = [await people("auditor") for _ in range(5)]
    refused = await projects.ask("DELETE", "/roles/auditor")
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "Ann Example, Ann Example, Ann Example and 2 more have this role. Give them another first."
    )
    for holder in holders:
        assert (await projects.ask("PUT", holder.path, {"role": "viewer"})).status_code == 200
    assert (await projects.ask("DELETE", "/roles/auditor")).status_code == 204
    assert (await projects.ask("DELETE", "/roles/auditor")).status_code == 404


async def test_a_role_that_is_promised_says_to_whom_and_goes_with_its_name(
    projects: Projects, pool: asyncpg.Pool
) -> None:
    await projects.ask("POST", "/roles", AUDITOR)
    await pool.execute(
        """
        INSERT INTO invitations (id, project_id, email, role, token_hash, invited_by, expires_at)
        VALUES (gen_random_uuid(), $1, 'bo@example.com', 'auditor', $2, 'key:x', now() + interval '1 day')
        """,
        projects.project.id,
        projects.project.id.bytes,
    )
    refused = await projects.ask("DELETE", "/roles/auditor")
    assert (refused.status_code, "promised to bo@example.com" in refused.json()["detail"]) == (409, True)
    await projects.ask("PUT", "/roles/auditor", {**AUDITOR, "name": "inspector"})
    invited = "UPDATE invitations SET expires_at = now() WHERE project_id = $1 RETURNING role"
    assert await pool.fetchval(invited, projects.project.id) == "inspector"
    assert (await projects.ask("DELETE", "/roles/inspector")).status_code == 204


async def test_a_role_that_is_given_while_it_goes_is_given_or_gone(
    projects: Projects, people: People, pool: asyncpg.Pool
) -> None:
    for _ in range(5):
        await projects.ask("POST", "/roles", AUDITOR)
        who = await people("viewer")
        given, gone = await asyncio.gather(
            projects.ask("PUT", who.path, {"role": "auditor"}), projects.ask("DELETE", "/roles/auditor")
        )
        assert (given.status_code, gone.status_code) in {(200, 409), (422, 204)}
        await pool.execute("DELETE FROM members WHERE user_id = $1", who.person.id)


async def test_nobody_gives_or_takes_more_than_they_may(
    projects: Projects, people: People, pool: asyncpg.Pool, settings: Settings
) -> None:
    admin, viewer = await people("admin"), await people("viewer")
    maker = {"name": "maker", "permissions": ["projects:create"]}
    refused = await admin.ask("POST", "/roles", maker)
    assert (refused.status_code, "projects:create" in refused.json()["detail"]) == (403, True)
    assert (await viewer.ask("POST", "/roles", AUDITOR)).status_code == 403
    assert (await projects.ask("POST", "/roles", maker)).status_code == 201
    less = {"name": "maker", "permissions": ["events:read"]}
    assert (await admin.ask("PUT", "/roles/maker", less)).status_code == 403
    assert (await admin.ask("DELETE", "/roles/maker")).status_code == 403
    assert (await admin.ask("POST", "/roles", AUDITOR)).status_code == 201
    assert (await admin.ask("PUT", "/roles/auditor", maker | {"name": "auditor"})).status_code == 403
    limited = await create_key(pool, settings, projects.project.id, ["*"], ["/shop"])
    assert (await projects.ask("POST", "/roles", {**AUDITOR, "name": "x"}, key=limited)).status_code == 403


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": "Auditor"}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "a" * 64}, "/name"),
        ({"permissions": []}, "/permissions"),
        ({"permissions": ["events:read", "*"]}, "/permissions/1"),
        ({"description": "nul\0"}, "/description"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_role_that_cannot_be_is_pointed_at(
    projects: Projects, changed: dict[str, object], pointer: str
) -> None:
    assert await projects.refused_at("POST", "/roles", {**AUDITOR, **changed}) == [pointer]


async def test_roles_of_other_projects_are_not_found(
    projects: Projects, people: People, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    insert = "INSERT INTO roles (project_id, name, permissions) VALUES ($1, 'theirs', $2)"
    await pool.execute(insert, other.id, sorted(PERMISSIONS))
    who = await people("viewer")
    for method in ("GET", "PUT", "DELETE"):
        answer = await projects.ask(method, "/roles/theirs", {**AUDITOR, "name": "theirs"})
        assert answer.status_code == 404
    assert await projects.refused_at("PUT", who.path, {"role": "theirs"}) == ["/role"]
    assert (await projects.ask("GET", "/roles/nul%00")).status_code == 404


async def test_a_project_has_at_most_fifty_of_its_own(projects: Projects, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO roles (project_id, name, permissions) SELECT $1, 'r' || n, '{events:read}' FROM generate_series(1, 50) n",
        projects.project.id,
    )
    assert (await projects.ask("POST", "/roles", AUDITOR)).status_code == 409
