"""What a project takes in."""

import asyncpg
import pytest

from shared.auth.authority import Authority, authority_of, authorize
from shared.core.token_bucket import Limit
from shared.runtime.resources import Resources
from tests.integration.projects.conftest import Projects
from tests.support.people import create_person

NOTHING = {"ratePerSecond": None, "burst": None, "allowedOrigins": []}


async def test_settings_are_replaced_as_a_whole(projects: Projects, pool: asyncpg.Pool) -> None:
    assert (await projects.ask("GET", "/settings")).json() == NOTHING
    wanted = {
        "ratePerSecond": 10,
        "burst": 20,
        "allowedOrigins": ["A.example.com", "*.b.example", "a.example.com"],
    }
    answer = await projects.ask("PUT", "/settings", wanted)
    assert answer.json() == {**wanted, "allowedOrigins": ["a.example.com", "*.b.example"]}
    assert (await projects.ask("GET", "/settings")).json() == answer.json()
    assert (await projects.ask("PUT", "/settings", {})).json() == NOTHING
    assert await pool.fetchval("SELECT intake_version FROM projects WHERE id = $1", projects.project.id) == 2


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"ratePerSecond": 0}, "/ratePerSecond"),
        ({"ratePerSecond": 1_000_001}, "/ratePerSecond"),
        ({"burst": 1}, "/burst"),
        ({"allowedOrigins": ["https://a.example.com"]}, "/allowedOrigins/0"),
        ({"allowedOrigins": ["a.example.com", "a.*.example.com"]}, "/allowedOrigins/1"),
        ({"allowedOrigins": ["-a.example.com"]}, "/allowedOrigins/0"),
        ({"allowedOrigins": ["a\n"]}, "/allowedOrigins/0"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_settings_that_cannot_be_are_pointed_at(
    projects: Projects, wanted: dict[str, object], pointer: str
) -> None:
    assert pointer in await projects.refused_at("PUT", "/settings", wanted)
    assert (await projects.ask("GET", "/settings")).json() == NOTHING


async def test_the_projects_limit_is_that_of_who_has_none(
    projects: Projects, resources: Resources, pool: asyncpg.Pool
) -> None:
    await projects.ask("PUT", "/settings", {"ratePerSecond": 7, "burst": 9})
    await projects.ask("POST", "/producers", {"name": "own", "ratePerSecond": 3})
    await projects.ask("POST", "/producers", {"name": "none"})
    person = await create_person(pool, roles={projects.project.id: "owner"})
    headers = {
        "own": Limit(3, 3),
        "none": Limit(7, 9),
        None: Limit(7, 9),
    }
    for producer, limit in headers.items():
        wanted = {"name": "k", "scopes": ["events:write"], "producer": producer}
        key = (await projects.ask("POST", "/keys", wanted)).json()["key"]
        access = await authorize(resources, f"Bearer {key}", projects.project.name, "events:write")
        assert access.limit == limit
    token = (await Authority(resources).issue(person.id, "s")).text
    access = await authority_of(resources).authorize(f"Bearer {token}", projects.project.name, "events:write")
    assert (access.limit, access.bucket) == (Limit(7, 9), f"user:{person.id}:{projects.project.id}")
