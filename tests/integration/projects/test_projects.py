"""Projects and API keys over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.projects.app import create
from shared.auth.authority import authority_of, authorize
from shared.auth.permissions import PERMISSIONS
from shared.core.problems import Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import create_person
from tests.support.projects import Project, create_key, create_project


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as opened:
        yield opened


async def user_headers(resources: Resources, user_id: UUID) -> dict[str, str]:
    return {"authorization": f"Bearer {(await authority_of(resources).issue(user_id, 's')).text}"}


def new_name() -> str:
    return f"n-{uuid4().hex[:12]}"


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def test_a_user_who_makes_a_project_owns_it(
    client: httpx.AsyncClient, resources: Resources, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    headers = await user_headers(resources, person.id)
    name = new_name()
    made = await client.post("/v1/projects", json={"name": name}, headers=headers)
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/projects/{name}"
    assert set(made.json()) == {"id", "name", "createdAt"}
    assert (await client.get(f"/v1/projects/{name}", headers=headers)).json() == made.json()
    listed = await client.get("/v1/projects", headers=headers)
    assert listed.json() == {"items": [made.json()], "next": None}
    access = await authorize(resources, headers["authorization"], name, "projects:write")
    assert access.permissions == PERMISSIONS


async def test_a_key_that_makes_a_project_gets_a_key_for_it_and_owners_stay_owners(
    client: httpx.AsyncClient, resources: Resources, project: Project, pool: asyncpg.Pool
) -> None:
    owner = await create_person(pool, roles={project.id: "owner"})
    await create_person(pool, roles={project.id: "admin"})
    name = new_name()
    made = await client.post("/v1/projects", json={"name": name}, headers=project.headers)
    assert made.status_code == 201
    key = made.json()["apiKey"]
    access = await authorize(resources, f"Bearer {key}", name, "events:write")
    assert access.permissions == PERMISSIONS
    assert access.project_id != project.id
    members = await pool.fetch("SELECT user_id, role FROM members WHERE project_id = $1", access.project_id)
    assert [tuple(row) for row in members] == [(owner.id, "owner")]
    assert (await client.get(f"/v1/projects/{name}", headers=project.headers)).status_code == 404


async def test_a_key_needs_the_scope_and_gives_no_more_than_it_has(
    client: httpx.AsyncClient, resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    async def make(scopes: list[str], sources: list[str] | None = None) -> httpx.Response:
        key = await create_key(pool, settings, project.id, scopes, sources or [])
        headers = {"authorization": f"Bearer {key}"}
        return await client.post("/v1/projects", json={"name": new_name()}, headers=headers)

    assert (await make(["events:write"])).status_code == 403
    assert (await make(["projects:create"], ["/shop"])).status_code == 403
    made = await make(["projects:create", "events:read"])
    access = await authorize(resources, f"Bearer {made.json()['apiKey']}", made.json()["name"], "events:read")
    assert access.permissions == {"projects:create", "events:read"}


async def test_a_key_of_a_project_ends_no_later_than_the_one_that_made_it(
    client: httpx.AsyncClient, resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    """Otherwise a key for a day would make itself one for ever."""
    key = await create_key(pool, settings, project.id, ["projects:create", "keys:read"])
    ends = datetime.now(UTC) + timedelta(hours=1)
    await pool.execute("UPDATE api_keys SET expires_at = $2 WHERE id = $1", key.split("_")[1], ends)
    headers = {"authorization": f"Bearer {key}"}
    made = (await client.post("/v1/projects", json={"name": new_name()}, headers=headers)).json()
    headers = {"authorization": f"Bearer {made['apiKey']}"}
    listed = await client.get(f"/v1/projects/{made['name']}/keys", headers=headers)
    assert [datetime.fromisoformat(one["expiresAt"]) for one in listed.json()["items"]] == [ends]


async def test_a_key_that_was_just_revoked_makes_no_project_that_it_could_go_on_in(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool
) -> None:
    """It is remembered for a second. In that second it could give itself another that lives on."""
    assert (await client.get("/v1/projects", headers=project.headers)).status_code == 200
    await pool.execute("UPDATE api_keys SET revoked_at = now() WHERE project_id = $1", project.id)
    answer = await client.post("/v1/projects", json={"name": new_name()}, headers=project.headers)
    assert answer.status_code in {401, 404}, answer.text


async def test_the_log_of_a_project_says_which_key_and_which_owners_it_began_with(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool
) -> None:
    owner = await create_person(pool, roles={project.id: "owner"})
    made = (await client.post("/v1/projects", json={"name": new_name()}, headers=project.headers)).json()
    rows = await pool.fetch(
        "SELECT action, thing_id, after::text AS after FROM audit WHERE project_id = $1 ORDER BY sequence",
        UUID(made["id"]),
    )
    assert [(row["action"], row["thing_id"]) for row in rows] == [
        ("project.created", made["id"]),
        ("member.added", str(owner.id)),
        ("key.created", made["apiKey"].split("_")[1]),
    ]
    assert made["apiKey"] not in repr(rows)


async def test_a_name_that_is_taken_is_a_conflict(client: httpx.AsyncClient, project: Project) -> None:
    answer = await client.post("/v1/projects", json={"name": project.name}, headers=project.headers)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "ä", "a\n", "a/b", "a\u0000"])
async def test_a_name_that_is_none_is_refused(client: httpx.AsyncClient, project: Project, name: str) -> None:
    answer = await client.post("/v1/projects", json={"name": name}, headers=project.headers)
    assert pointers(answer) == ["/name"]


@pytest.mark.parametrize("length", [1, 2, 63])
async def test_names_from_1_to_63_signs(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool, length: int
) -> None:
    name = (uuid4().hex * 2)[:length]
    await pool.execute("DELETE FROM projects WHERE name = $1", name)
    answer = await client.post("/v1/projects", json={"name": name}, headers=project.headers)
    assert answer.status_code == 201


async def test_projects_come_in_pages_by_name(
    client: httpx.AsyncClient, resources: Resources, pool: asyncpg.Pool, settings: Settings
) -> None:
    projects = [await create_project(pool, settings) for _ in range(5)]
    person = await create_person(pool, roles={project.id: "viewer" for project in projects})
    headers = await user_headers(resources, person.id)
    names: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/projects", params=query, headers=headers)).json()
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == sorted(project.name for project in projects)
    wrong = await client.get("/v1/projects", params={"cursor": "made-up"}, headers=headers)
    assert pointers(wrong) == ["/query/cursor"]


async def test_a_key_sees_its_own_project_alone(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    answer = await client.get("/v1/projects", headers=project.headers)
    assert [item["name"] for item in answer.json()["items"]] == [project.name]
    blind = await create_key(pool, settings, project.id, ["events:write"])
    refused = await client.get("/v1/projects", headers={"authorization": f"Bearer {blind}"})
    assert refused.status_code == 403


async def test_a_keys_text_is_shown_once(
    client: httpx.AsyncClient, resources: Resources, project: Project
) -> None:
    url = f"/v1/projects/{project.name}/keys"
    expires_at = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    wanted = {
        "name": "shop",
        "scopes": ["events:write", "events:write"],
        "sources": ["/shop/*"],
        "types": ["com.acme.*"],
        "expiresAt": expires_at.isoformat(),
    }
    made = await client.post(url, json=wanted, headers=project.headers)
    assert made.status_code == 201
    text = made.json().pop("key")
    assert text.startswith(f"weir_{made.json()['id']}_")
    access = await authorize(resources, f"Bearer {text}", project.name, "events:write")
    assert (access.sources, access.types) == (("/shop/*",), ("com.acme.*",))
    listed = await client.get(url, headers=project.headers)
    assert text not in listed.text
    item = listed.json()["items"][0]
    assert item["scopes"] == ["events:write"]
    assert datetime.fromisoformat(item["expiresAt"]) == expires_at
    assert item["lastUsedAt"] is not None


async def test_a_revoked_key_is_gone_at_once(
    client: httpx.AsyncClient, resources: Resources, project: Project
) -> None:
    url = f"/v1/projects/{project.name}/keys"
    made = (await client.post(url, json={"name": "k", "scopes": ["*"]}, headers=project.headers)).json()
    header = f"Bearer {made['key']}"
    await authorize(resources, header, project.name, "events:write")
    assert (await client.delete(f"{url}/{made['id']}", headers=project.headers)).status_code == 204
    with pytest.raises(Problem) as refused:
        await authorize(resources, header, project.name, "events:write")
    assert refused.value.kind.status == 401
    assert (await client.delete(f"{url}/{made['id']}", headers=project.headers)).status_code == 404
    assert made["id"] not in (await client.get(url, headers=project.headers)).text


async def test_another_projects_key_cannot_be_revoked(
    client: httpx.AsyncClient, resources: Resources, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    other = await create_project(pool, settings)
    key_id = other.key.split("_")[1]
    for odd in (key_id, "nul%00", "x"):
        answer = await client.delete(f"/v1/projects/{project.name}/keys/{odd}", headers=project.headers)
        assert answer.status_code == 404
    await authorize(resources, f"Bearer {other.key}", other.name, "events:write")


async def test_nobody_gives_more_than_they_may(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    url = f"/v1/projects/{project.name}/keys"

    async def make(by: str, scopes: list[str]) -> int:
        headers = {"authorization": f"Bearer {by}"}
        return (await client.post(url, json={"name": "k", "scopes": scopes}, headers=headers)).status_code

    keys_only = await create_key(pool, settings, project.id, ["keys:write", "events:read"])
    assert await make(keys_only, ["events:read"]) == 201
    assert await make(keys_only, ["events:write"]) == 403
    assert await make(keys_only, ["*"]) == 403
    limited = await create_key(pool, settings, project.id, ["*"], ["/shop"])
    assert await make(limited, ["events:read"]) == 403
    without = await create_key(pool, settings, project.id, ["keys:read"])
    assert await make(without, ["keys:read"]) == 403


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "nul\u0000"}, "/name"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["events:read", "everything"]}, "/scopes/1"),
        ({"sources": [""]}, "/sources/0"),
        ({"types": ["a", "\u0000"]}, "/types/1"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "/expiresAt"),
        ({"expiresAt": "9999-12-31T23:59:59-14:00"}, "/expiresAt"),
        ({"expiresAt": "2030-01-01T00:00:00"}, "/expiresAt"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_key_that_cannot_be_is_pointed_at(
    client: httpx.AsyncClient, project: Project, changed: dict[str, object], pointer: str
) -> None:
    url = f"/v1/projects/{project.name}/keys"
    answer = await client.post(url, json={"name": "k", "scopes": ["*"], **changed}, headers=project.headers)
    assert pointers(answer) == [pointer]
    assert len((await client.get(url, headers=project.headers)).json()["items"]) == 1


async def test_keys_come_in_pages_newest_first(client: httpx.AsyncClient, project: Project) -> None:
    url = f"/v1/projects/{project.name}/keys"
    made = [
        (await client.post(url, json={"name": f"k{i}", "scopes": ["*"]}, headers=project.headers)).json()[
            "id"
        ]
        for i in range(3)
    ]
    first = (await client.get(url, params={"limit": 2}, headers=project.headers)).json()
    second = (
        await client.get(url, params={"limit": 2, "cursor": first["next"]}, headers=project.headers)
    ).json()
    found = [item["id"] for item in first["items"] + second["items"]]
    assert found == [*reversed(made), project.key.split("_")[1]]
    assert second["next"] is None
    wrong = await client.get(url, params={"cursor": "nul\0"}, headers=project.headers)
    assert pointers(wrong) == ["/query/cursor"]
