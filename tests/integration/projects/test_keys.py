"""API keys after they were made: their expiry, another secret, who made them, and where they were used."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from shared.auth.authority import authorize
from shared.auth.permissions import PERMISSIONS
from shared.auth.remembered import REMEMBER_SECONDS
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.projects.conftest import Projects
from tests.integration.projects.people import People
from tests.support.projects import create_key, create_producer, create_project


@pytest.fixture
async def elsewhere(settings: Settings) -> AsyncIterator[Resources]:
    """Another process."""
    opened = Resources(settings)
    yield opened
    await opened.close()


async def made(projects: Projects, **members: Any) -> dict[str, Any]:
    answer = await projects.ask("POST", "/keys", {"name": "shop", "scopes": ["events:read"], **members})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def works(at: Resources, key: str, project: str, permission: str = "events:read") -> bool:
    try:
        await authorize(at, f"Bearer {key}", project, permission)
    except Problem:
        return False
    return True


async def ends(at: Resources, key: str, project: str) -> None:
    """Wait for it, for no longer than what is remembered."""
    changed = asked = time.monotonic()
    while await works(at, key, project):
        assert asked < changed + REMEMBER_SECONDS + 0.2  # whatever the answer took
        await asyncio.sleep(0.02)
        asked = time.monotonic()


async def test_a_revoked_key_stops_everywhere_within_a_second_and_is_listed_as_such(
    projects: Projects, resources: Resources, elsewhere: Resources
) -> None:
    key = await made(projects)
    name = projects.project.name
    assert await works(resources, key["key"], name)
    assert await works(elsewhere, key["key"], name)
    assert (await projects.ask("DELETE", f"/keys/{key['id']}")).status_code == 204
    assert not await works(resources, key["key"], name)
    await ends(elsewhere, key["key"], name)
    listed = (await projects.ask("GET", "/keys", state="revoked")).json()["items"]
    assert [item["id"] for item in listed] == [key["id"]]
    assert listed[0]["revokedAt"] is not None
    assert listed[0] == (await projects.ask("GET", f"/keys/{key['id']}")).json()
    assert key["id"] not in (await projects.ask("GET", "/keys")).text
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/rotate"), ("DELETE", "/previous")):
        body = {"name": "n", "scopes": ["*"]} if method == "PUT" else {}
        answer = await projects.ask(method, f"/keys/{key['id']}{path}", body)
        assert answer.status_code == 404


async def test_after_a_rotation_both_secrets_work_and_then_one(
    projects: Projects, resources: Resources, elsewhere: Resources, pool: asyncpg.Pool
) -> None:
    key = await made(projects)
    name = projects.project.name
    assert await works(elsewhere, key["key"], name)
    answer = await projects.ask("POST", f"/keys/{key['id']}/rotate", {"overlap": "PT2H"})
    assert answer.status_code == 200, answer.text
    rotated = answer.json()
    assert rotated["id"] == key["id"]
    assert rotated["key"] != key["key"]
    left = datetime.fromisoformat(rotated["previousExpiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    for text in (key["key"], rotated["key"]):
        assert await works(resources, text, name)
    again = await projects.ask("POST", f"/keys/{key['id']}/rotate", {})
    assert (again.status_code, "still works" in again.json()["detail"]) == (409, True)

    await pool.execute("UPDATE api_keys SET previous_expires_at = now() WHERE id = $1", key["id"])
    for at in (resources, elsewhere):
        await ends(at, key["key"], name)
        assert await works(at, rotated["key"], name)
    assert (await projects.ask("GET", f"/keys/{key['id']}")).json()["previousExpiresAt"] is None
    assert (await projects.ask("POST", f"/keys/{key['id']}/rotate", {})).status_code == 200


async def test_whether_the_secret_before_is_still_used_is_told(
    projects: Projects, resources: Resources
) -> None:
    key = await made(projects)
    await works(resources, key["key"], projects.project.name)
    await projects.ask("POST", f"/keys/{key['id']}/rotate", {})
    shown = (await projects.ask("GET", f"/keys/{key['id']}")).json()
    assert (shown["lastUsedAt"] is not None, shown["previousUsedAt"]) == (True, None)
    assert await works(resources, key["key"], projects.project.name)
    shown = (await projects.ask("GET", f"/keys/{key['id']}")).json()
    assert shown["previousUsedAt"] is not None


async def test_the_secret_before_can_be_ended_early_or_at_once(
    projects: Projects, resources: Resources, elsewhere: Resources
) -> None:
    key = await made(projects)
    name = projects.project.name
    first = (await projects.ask("POST", f"/keys/{key['id']}/rotate", {})).json()
    assert await works(elsewhere, key["key"], name)
    assert (await projects.ask("DELETE", f"/keys/{key['id']}/previous")).status_code == 204
    assert not await works(resources, key["key"], name)
    await ends(elsewhere, key["key"], name)
    assert (await projects.ask("DELETE", f"/keys/{key['id']}/previous")).status_code == 404
    second = (await projects.ask("POST", f"/keys/{key['id']}/rotate", {"overlap": "PT0S"})).json()
    assert second["previousExpiresAt"] is None
    assert not await works(resources, first["key"], name)
    assert await works(resources, second["key"], name)


async def test_no_secret_is_in_the_database(projects: Projects, pool: asyncpg.Pool) -> None:
    key = await made(projects)
    rotated = (await projects.ask("POST", f"/keys/{key['id']}/rotate", {})).json()
    row = await pool.fetchval("SELECT to_jsonb(k)::text FROM api_keys k WHERE id = $1", key["id"])
    for text in (key["key"], rotated["key"]):
        secret = text.split("_")[2]
        assert secret not in row
        assert secret.encode().hex() not in row


@pytest.mark.parametrize("overlap", ["", "1 day", "P91D", "-PT1S", "P999999999D", "P1M"])
async def test_an_overlap_that_cannot_be_is_pointed_at(projects: Projects, overlap: str) -> None:
    key = await made(projects)
    assert await projects.refused_at("POST", f"/keys/{key['id']}/rotate", {"overlap": overlap}) == [
        "/overlap"
    ]


async def test_an_expiry_is_set_moved_and_taken_back(
    projects: Projects, resources: Resources, pool: asyncpg.Pool
) -> None:
    key = await made(projects, sources=["/shop/*"])
    shown = (await projects.ask("GET", f"/keys/{key['id']}")).json()
    soon = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    later = await projects.ask("PUT", f"/keys/{key['id']}", {**shown, "expiresAt": soon.isoformat()})
    assert later.status_code == 200, later.text
    assert datetime.fromisoformat(later.json()["expiresAt"]) == soon
    assert later.json()["sources"] == ["/shop/*"]
    await pool.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", key["id"])
    await ends(resources, key["key"], projects.project.name)
    over = (await projects.ask("GET", f"/keys/{key['id']}")).json()
    # It may stay expired while its name changes, and cannot be rotated.
    assert (await projects.ask("PUT", f"/keys/{key['id']}", {**over, "name": "old"})).status_code == 200
    refused = await projects.ask("POST", f"/keys/{key['id']}/rotate", {})
    assert (refused.status_code, "expired" in refused.json()["detail"]) == (409, True)
    past = {**over, "expiresAt": "2020-01-01T00:00:00Z"}
    assert await projects.refused_at("PUT", f"/keys/{key['id']}", past) == ["/expiresAt"]
    back = await projects.ask("PUT", f"/keys/{key['id']}", {**over, "expiresAt": None})
    assert back.json()["expiresAt"] is None
    assert await works(resources, key["key"], projects.project.name)


async def test_what_a_key_may_do_changes_within_a_second(
    projects: Projects, resources: Resources, pool: asyncpg.Pool
) -> None:
    key = await made(projects)
    await create_producer(pool, projects.project.id, "shop")
    name = projects.project.name
    assert not await works(resources, key["key"], name, "events:write")
    wider = {"name": "shop", "scopes": ["events:write", "events:write"], "types": ["a.*"], "producer": "shop"}
    changed = (await projects.ask("PUT", f"/keys/{key['id']}", wider)).json()
    assert (changed["scopes"], changed["producer"]) == (["events:write"], "shop")
    access = await authorize(resources, f"Bearer {key['key']}", name, "events:write")
    assert (access.types, access.producer and access.producer.name) == (("a.*",), "shop")
    assert not await works(resources, key["key"], name)
    for change, pointer in (({"producer": "none"}, "/producer"), ({"scopes": ["x"]}, "/scopes/0")):
        assert await projects.refused_at("PUT", f"/keys/{key['id']}", {**wider, **change}) == [pointer]


async def test_who_may_write_keys_takes_from_any_and_gives_what_they_may(
    projects: Projects, people: People
) -> None:
    key = await made(projects, scopes=["*"])
    admin = await people("admin")  # may not do `projects:create`
    path = f"/keys/{key['id']}"
    shown = (await admin.ask("GET", path)).json()
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert (await admin.ask("PUT", path, {**shown, "name": "other", "expiresAt": soon})).status_code == 200
    for change in ({"expiresAt": later}, {"expiresAt": None}, {"types": ["a"], "expiresAt": soon}):
        assert (await admin.ask("PUT", path, {**shown, **change})).status_code == 403, change
    assert (await admin.ask("POST", f"{path}/rotate", {})).status_code == 403
    less = {**shown, "scopes": ["events:read"], "expiresAt": soon}
    assert (await admin.ask("PUT", path, less)).status_code == 200
    assert (await admin.ask("POST", f"{path}/rotate", {})).status_code == 200
    assert (await (await people("operator")).ask("GET", "/keys")).status_code == 403


async def test_all_scopes_of_today_are_not_those_of_tomorrow_too(projects: Projects, people: People) -> None:
    """`*` takes in what is added later: to put it in the place of all there are is to give."""
    key = await made(projects, scopes=sorted(PERMISSIONS))
    admin = await people("admin")
    wider = {"name": "wider", "scopes": ["*"]}
    assert (await admin.ask("PUT", f"/keys/{key['id']}", wider)).status_code == 403


async def test_a_limited_key_changes_no_others(
    projects: Projects, pool: asyncpg.Pool, settings: Settings
) -> None:
    key = await made(projects)
    limited = await create_key(pool, settings, projects.project.id, ["*"], ["/shop"])
    for method, path, body in (
        ("PUT", "", {"name": "n", "scopes": ["events:read"]}),
        ("POST", "/rotate", {}),
    ):
        answer = await projects.ask(method, f"/keys/{key['id']}{path}", body, key=limited)
        assert answer.status_code == 403


async def test_who_made_a_key_is_told(projects: Projects, people: People, pool: asyncpg.Pool) -> None:
    owner = await people("owner")
    by_user = (await owner.ask("POST", "/keys", {"name": "k", "scopes": ["*"]})).json()
    assert by_user["createdBy"] == {"kind": "user", "id": str(owner.person.id), "name": "Ann Example"}
    by_key = await made(projects)
    first = projects.project.key.split("_")[1]
    assert by_key["createdBy"] == {"kind": "key", "id": first, "name": "test"}
    assert (await projects.ask("GET", f"/keys/{first}")).json()["createdBy"] is None
    await pool.execute("DELETE FROM users WHERE id = $1", owner.person.id)
    gone = (await projects.ask("GET", f"/keys/{by_user['id']}")).json()
    assert gone["createdBy"] == {"kind": "user", "id": str(owner.person.id), "name": None}


@pytest.mark.parametrize("spelled", ["STOREF", "front-e", "types:write"])
async def test_keys_are_found_by_name_and_scope(projects: Projects, spelled: str) -> None:
    key = await made(projects, name="storefront-eu", scopes=["types:write"])
    await made(projects, name="100%", scopes=["events:read"])
    found = (await projects.ask("GET", "/keys", q=spelled)).json()["items"]
    assert [item["id"] for item in found] == [key["id"]]


async def test_keys_are_found_by_how_they_begin(projects: Projects) -> None:
    key = await made(projects)
    await made(projects)
    for begin in (key["id"], key["id"][:5], f"weir_{key['id'][:5]}", key["key"]):
        found = (await projects.ask("GET", "/keys", q=begin)).json()["items"]
        assert [item["id"] for item in found] == [key["id"]]
    for nothing in ("%", "nul\0", "_"):
        assert (await projects.ask("GET", "/keys", q=nothing)).json()["items"] == []
    assert (await projects.ask("GET", "/keys", state="gone")).status_code == 422


async def test_another_projects_key_is_not_found(
    projects: Projects, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    key_id = other.key.split("_")[1]
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "n", "scopes": ["events:read"]}),
        ("DELETE", "", None),
        ("POST", "/rotate", {}),
        ("DELETE", "/previous", None),
    ):
        assert (await projects.ask(method, f"/keys/{key_id}{path}", body)).status_code == 404
    assert await pool.fetchval("SELECT name FROM api_keys WHERE id = $1", key_id) == "test"
