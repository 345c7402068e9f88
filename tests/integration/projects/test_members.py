"""Who is in a project, what they may do in it, and that it always has an owner."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest

from functions.projects.app import create
from shared.auth.authority import authorize
from shared.auth.remembered import REMEMBER_SECONDS
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.projects.conftest import Projects
from tests.integration.projects.people import Caller, People
from tests.support.people import create_person
from tests.support.projects import create_key, create_project


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Resources]:
    """Another process."""
    opened = Resources(settings)
    yield opened
    await opened.close()


async def answers(resources: Resources, who: Caller, permission: str) -> int:
    try:
        await authorize(resources, who.headers["authorization"], who.project.name, permission)
    except Problem as problem:
        return problem.kind.status
    return 200


async def becomes(status: int, resources: Resources, who: Caller, permission: str) -> None:
    """Wait for it, for no longer than what is remembered."""
    changed = asked = time.monotonic()
    while await answers(resources, who, permission) != status:
        assert asked < changed + REMEMBER_SECONDS + 0.2  # whatever the answer took
        await asyncio.sleep(0.02)
        asked = time.monotonic()


async def test_the_list_says_who_is_there_since_when_and_with_which_role(
    people: People, pool: asyncpg.Pool
) -> None:
    owner, viewer = await people("owner"), await people("viewer")
    await pool.execute("UPDATE users SET name = 'zoe' WHERE id = $1", viewer.person.id)
    await pool.execute("UPDATE members SET joined_at = NULL WHERE user_id = $1", viewer.person.id)
    await owner.ask("POST", "/keys", {"name": "k", "scopes": ["events:read"]})
    found = (await viewer.ask("GET", "/members")).json()["items"]
    assert [(item["id"], item["name"], item["role"], item["keys"]) for item in found] == [
        (str(owner.person.id), "Ann Example", "owner", 1),
        (str(viewer.person.id), "zoe", "viewer", 0),
    ]
    assert found[0]["email"] == owner.person.email
    assert datetime.now(UTC) - datetime.fromisoformat(found[0]["joinedAt"]) < timedelta(minutes=1)
    assert found[1]["joinedAt"] is None
    assert datetime.now(UTC) - datetime.fromisoformat(found[1]["lastSeenAt"]) < timedelta(minutes=1)
    assert (await viewer.ask("GET", viewer.path)).json() == found[1]


async def test_members_come_in_pages(people: People, pool: asyncpg.Pool) -> None:
    everybody = [await people("viewer") for _ in range(5)]
    for number, who in enumerate(everybody):
        await pool.execute("UPDATE users SET name = $2 WHERE id = $1", who.person.id, f"n{number // 2}")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await everybody[0].ask("GET", "/members", limit="2", **cursor)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == sorted(str(who.person.id) for who in everybody)
    assert (await everybody[0].ask("GET", "/members", cursor="made-up")).status_code == 422


async def test_a_role_changes_everywhere_within_a_second(
    people: People, resources: Resources, elsewhere: Resources
) -> None:
    owner, other = await people("owner"), await people("viewer")
    assert [await answers(at, other, "events:write") for at in (resources, elsewhere)] == [403, 403]
    changed = await owner.ask("PUT", other.path, {"role": "operator"})
    assert (changed.status_code, changed.json()["role"]) == (200, "operator")
    assert await answers(resources, other, "events:write") == 200
    await becomes(200, elsewhere, other, "events:write")


async def test_who_is_removed_is_out_everywhere_within_a_second(
    people: People, resources: Resources, elsewhere: Resources
) -> None:
    admin, other = await people("admin"), await people("viewer")
    assert [await answers(at, other, "events:read") for at in (resources, elsewhere)] == [200, 200]
    assert (await admin.ask("DELETE", other.path)).status_code == 204
    assert await answers(resources, other, "events:read") == 404
    await becomes(404, elsewhere, other, "events:read")
    assert (await admin.ask("DELETE", other.path)).status_code == 404


async def test_nobody_gives_or_takes_more_than_they_may(people: People) -> None:
    owner, admin, other = await people("owner"), await people("admin"), await people("viewer")
    refused = await admin.ask("PUT", other.path, {"role": "owner"})
    assert (refused.status_code, "projects:create" in refused.json()["detail"]) == (403, True)
    for method, body in (("PUT", {"role": "viewer"}), ("DELETE", None)):
        answer = await admin.ask(method, owner.path, body)
        assert (answer.status_code, "Ann Example may do what you may not" in answer.text) == (403, True)
    assert (await other.ask("PUT", other.path, {"role": "admin"})).status_code == 403
    assert (await admin.ask("PUT", other.path, {"role": "admin"})).status_code == 200
    assert (await owner.ask("PUT", other.path, {"role": "owner"})).status_code == 200


async def test_a_key_manages_members_as_far_as_its_scopes_go(
    projects: Projects, people: People, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await people("viewer")
    scopes = ["members:write", "events:read"]
    narrow = await create_key(pool, settings, projects.project.id, scopes)
    limited = await create_key(pool, settings, projects.project.id, ["*"], ["/shop"])
    for key in (narrow, limited):
        answer = await projects.ask("PUT", other.path, {"role": "viewer"}, key=key)
        assert answer.status_code == 403
    assert (await projects.ask("PUT", other.path, {"role": "operator"})).status_code == 200


async def test_the_last_owner_stays(people: People) -> None:
    owner = await people("owner")
    for method, path, body in (
        ("PUT", owner.path, {"role": "admin"}),
        ("DELETE", owner.path, None),
        ("DELETE", "/members/me", None),
    ):
        answer = await owner.ask(method, path, body)
        assert (answer.status_code, "last owner" in answer.json()["detail"]) == (409, True)
    assert (await owner.ask("PUT", owner.path, {"role": "owner"})).status_code == 200
    await people("owner")
    assert (await owner.ask("DELETE", "/members/me")).status_code == 204


async def test_of_two_owners_who_remove_each_other_one_stays(
    settings: Settings, people: People, pool: asyncpg.Pool
) -> None:
    """Each in a process of its own, so that none knows what the other does but by the database."""
    for _ in range(5):
        first, second = await people("owner"), await people("owner")
        opened = [Resources(settings), Resources(settings)]
        clients = [
            httpx.AsyncClient(transport=httpx.ASGITransport(app=create(one)), base_url="http://weir")
            for one in opened
        ]
        base = f"/v1/projects/{first.project.name}"
        for client, who in zip(clients, (first, second), strict=True):
            assert (await client.get(base, headers=who.headers)).status_code == 200
        removed = await asyncio.gather(
            clients[0].delete(base + second.path, headers=first.headers),
            clients[1].delete(base + first.path, headers=second.headers),
        )
        assert sorted(answer.status_code for answer in removed) == [204, 404], [a.text for a in removed]
        owners = "SELECT count(*) FROM members WHERE project_id = $1 AND role = 'owner'"
        assert await pool.fetchval(owners, first.project.id) == 1
        await pool.execute("DELETE FROM members WHERE project_id = $1", first.project.id)
        for client, one in zip(clients, opened, strict=True):
            await client.aclose()
            await one.close()


async def test_rights_that_were_just_taken_give_nothing_more(
    people: People, resources: Resources, pool: asyncpg.Pool
) -> None:
    """What is remembered for a second still lets them in, and does not let them give."""
    await people("owner")
    fallen, other = await people("owner"), await people("viewer")
    assert await answers(resources, fallen, "keys:write") == 200
    await pool.execute("UPDATE members SET role = 'viewer' WHERE user_id = $1", fallen.person.id)
    for method, path, body in (
        ("POST", "/keys", {"name": "k", "scopes": ["*"]}),
        ("POST", "/roles", {"name": "r", "permissions": ["events:read"]}),
        ("PUT", other.path, {"role": "owner"}),
        ("DELETE", other.path, None),
    ):
        assert (await fallen.ask(method, path, body)).status_code == 403, path
    made = "SELECT count(*) FROM api_keys WHERE project_id = $1 AND name = 'k'"
    assert await pool.fetchval(made, fallen.project.id) == 0


async def test_anybody_may_leave_and_keys_that_they_made_go_with_them_when_told(
    people: People, projects: Projects, resources: Resources
) -> None:
    owner, admin, viewer = await people("owner"), await people("admin"), await people("viewer")
    made = (await admin.ask("POST", "/keys", {"name": "k", "scopes": ["events:read"]})).json()
    kept = (await owner.ask("POST", "/keys", {"name": "k", "scopes": ["events:read"]})).json()
    assert (await viewer.ask("DELETE", "/members/me")).status_code == 204
    assert await answers(resources, viewer, "events:read") == 404
    assert (await viewer.ask("DELETE", "/members/me")).status_code == 404
    assert (await admin.ask("DELETE", "/members/me", revokeKeys="true")).status_code == 204
    assert (await projects.ask("GET", "", key=made["key"])).status_code == 401
    assert (await projects.ask("GET", "", key=kept["key"])).status_code == 403
    assert (await projects.ask("DELETE", "/members/me")).status_code == 403


@pytest.mark.parametrize("user", ["x", "nul%00", "00000000-0000-0000-0000-000000000000"])
async def test_who_is_no_member_is_not_found(projects: Projects, user: str) -> None:
    for method, body in (("GET", None), ("PUT", {"role": "viewer"}), ("DELETE", None)):
        assert (await projects.ask(method, f"/members/{user}", body)).status_code == 404


async def test_members_of_other_projects_are_not_found(
    projects: Projects, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    stranger = await create_person(pool, roles={other.id: "viewer"})
    for method, body in (("GET", None), ("PUT", {"role": "viewer"}), ("DELETE", None)):
        assert (await projects.ask(method, f"/members/{stranger.id}", body)).status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM members WHERE user_id = $1", stranger.id) == 1


@pytest.mark.parametrize("role", ["", "Owner", "nul\0", "unknown"])
async def test_what_is_no_role_is_pointed_at(projects: Projects, people: People, role: str) -> None:
    other = await people("viewer")
    assert await projects.refused_at("PUT", other.path, {"role": role}) == ["/role"]
