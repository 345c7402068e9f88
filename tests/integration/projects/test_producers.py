"""Producers over HTTP, and the API keys that belong to them."""

from uuid import UUID

import asyncpg
import pytest

from shared.auth.authority import authorize
from shared.core.problems import Problem
from shared.core.token_bucket import Limit
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.projects.conftest import Projects
from tests.support.projects import create_key, create_project

SHOP = {
    "name": "shop",
    "sources": ["/shop/*"],
    "types": ["com.acme.*"],
    "ratePerSecond": 50,
    "burst": 100,
    "oidc": {"issuer": "https://issuer.example.com", "audience": "weir/shop", "subject": "system:*"},
}


async def version(pool: asyncpg.Pool, projects: Projects) -> int:
    return await pool.fetchval("SELECT intake_version FROM projects WHERE id = $1", projects.project.id)


async def test_a_producer_from_beginning_to_end(projects: Projects, pool: asyncpg.Pool) -> None:
    made = await projects.ask("POST", "/producers", SHOP)
    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/projects/{projects.project.name}/producers/shop"
    body = made.json()
    assert {name: body[name] for name in SHOP} == SHOP
    assert UUID(body["id"])
    assert await version(pool, projects) == 1
    assert (await projects.ask("GET", "/producers/shop")).json() == body
    assert (await projects.ask("GET", "/producers")).json() == {"items": [body], "next": None}
    # What was read can be sent back.
    again = await projects.ask("PUT", "/producers/shop", body)
    assert again.status_code == 200
    assert {**again.json(), "updatedAt": body["updatedAt"]} == body
    assert await version(pool, projects) == 2
    bare = (await projects.ask("PUT", "/producers/shop", {"name": "store"})).json()
    assert (bare["id"], bare["name"]) == (body["id"], "store")
    assert (bare["sources"], bare["ratePerSecond"], bare["oidc"]) == ([], None, None)
    assert (await projects.ask("GET", "/producers/shop")).status_code == 404
    kept = (await projects.ask("PUT", "/producers/store", {"ratePerSecond": 5})).json()
    assert (kept["name"], kept["ratePerSecond"]) == ("store", 5)
    assert (await projects.ask("DELETE", "/producers/store")).status_code == 204
    assert (await projects.ask("DELETE", "/producers/store")).status_code == 404
    assert (await projects.ask("PUT", "/producers/store", {})).status_code == 404
    assert await version(pool, projects) == 5


async def test_a_name_is_taken_once_in_a_project(
    projects: Projects, pool: asyncpg.Pool, settings: Settings
) -> None:
    for name in ("a", "b"):
        assert (await projects.ask("POST", "/producers", {"name": name})).status_code == 201
    assert (await projects.ask("POST", "/producers", {"name": "a"})).status_code == 409
    assert (await projects.ask("PUT", "/producers/a", {"name": "b"})).status_code == 409
    other = Projects(projects.client, await create_project(pool, settings))
    assert (await other.ask("GET", "/producers/a")).status_code == 404
    assert (await other.ask("POST", "/producers", {"name": "a"})).status_code == 201
    assert (await other.ask("DELETE", "/producers/b")).status_code == 404
    assert (await projects.ask("GET", "/producers/b")).status_code == 200
    assert (await projects.ask("GET", "/producers/nul%00")).status_code == 404


async def test_producers_come_in_pages_by_name(projects: Projects) -> None:
    for name in ("c", "a", "b"):
        await projects.ask("POST", "/producers", {"name": name})
    first = (await projects.ask("GET", "/producers", limit="2")).json()
    second = (await projects.ask("GET", "/producers", limit="2", cursor=first["next"])).json()
    assert [one["name"] for one in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None
    assert (await projects.ask("GET", "/producers", cursor="made-up")).status_code == 422


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": "A"}, "/name"),
        ({"name": "a/b"}, "/name"),
        ({"sources": [""]}, "/sources/0"),
        ({"types": ["a", "nul\0"]}, "/types/1"),
        ({"ratePerSecond": 0}, "/ratePerSecond"),
        ({"ratePerSecond": 1.5}, "/ratePerSecond"),
        ({"burst": 0, "ratePerSecond": 1}, "/burst"),
        ({"burst": 5, "ratePerSecond": None}, "/burst"),
        ({"oidc": {}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "subject": ""}}, "/oidc/subject"),
        ({"oidc": {**SHOP["oidc"], "audience": "nul\0"}}, "/oidc/audience"),
        ({"oidc": {**SHOP["oidc"], "issuer": "issuer.example.com"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "ftp://issuer.example.com"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "https://u:p@issuer.example.com"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "https://issuer.example.com?x"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "https://issuer.example.com:x"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "https://issuer.example.com/ü"}}, "/oidc/issuer"),
        ({"oidc": {**SHOP["oidc"], "issuer": "http://127.0.0.1:8480/"}}, "/oidc/issuer"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_producer_that_cannot_be_is_pointed_at(
    projects: Projects, changed: dict[str, object], pointer: str
) -> None:
    assert pointer in await projects.refused_at("POST", "/producers", {**SHOP, **changed})
    assert (await projects.ask("GET", "/producers")).json()["items"] == []


async def test_a_key_of_a_producer_has_what_both_allow(projects: Projects, resources: Resources) -> None:
    producer = (await projects.ask("POST", "/producers", SHOP)).json()
    wanted = {"name": "k", "scopes": ["events:write"], "sources": ["*/eu"], "producer": "shop"}
    made = await projects.ask("POST", "/keys", wanted)
    assert (made.status_code, made.json()["producer"]) == (201, "shop")
    listed = (await projects.ask("GET", "/keys")).json()["items"]
    assert [key["producer"] for key in listed] == ["shop", None]
    access = await authorize(resources, f"Bearer {made.json()['key']}", projects.project.name, "events:write")
    assert access.producer is not None
    assert (access.sources, access.producer.sources) == (("*/eu",), ("/shop/*",))
    assert (access.limit, access.bucket) == (Limit(50, 100), f"producer:{producer['id']}")
    assert await projects.refused_at("POST", "/keys", {**wanted, "producer": "nobody"}) == ["/producer"]
    assert await projects.refused_at("POST", "/keys", {**wanted, "producer": "nul\0"}) == ["/producer"]


async def test_a_change_reaches_the_producers_keys_and_its_end_is_theirs(
    projects: Projects, resources: Resources, settings: Settings
) -> None:
    await projects.ask("POST", "/producers", SHOP)
    wanted = {"name": "k", "scopes": ["events:write"], "producer": "shop"}
    key = f"Bearer {(await projects.ask('POST', '/keys', wanted)).json()['key']}"
    elsewhere = Resources(settings)
    try:
        for process in (resources, elsewhere):
            await authorize(process, key, projects.project.name, "events:write")
        await projects.ask("PUT", "/producers/shop", {"types": ["other"]})
        access = await authorize(resources, key, projects.project.name, "events:write")
        assert access.producer is not None
        assert (access.producer.types, access.limit) == (("other",), None)
        assert (await projects.ask("DELETE", "/producers/shop")).status_code == 204
        for process in (resources, Resources(settings)):
            with pytest.raises(Problem) as refused:
                await authorize(process, key, projects.project.name, "events:write")
            assert refused.value.kind.status == 401
            if process is not resources:
                await process.close()
        assert len((await projects.ask("GET", "/keys")).json()["items"]) == 1
    finally:
        await elsewhere.close()


async def test_nobody_gives_others_more_than_they_have(
    projects: Projects, pool: asyncpg.Pool, settings: Settings
) -> None:
    project = projects.project
    limited = await create_key(pool, settings, project.id, ["*"], ["/shop"])
    await projects.ask("POST", "/producers", {"name": "free"})
    wanted = {"name": "k", "scopes": ["*"], "producer": "free"}
    bound = (await projects.ask("POST", "/keys", wanted)).json()["key"]
    for key in (limited, bound):
        assert (await projects.ask("POST", "/producers", {"name": "x"}, key=key)).status_code == 403
        assert (await projects.ask("PUT", "/producers/free", {}, key=key)).status_code == 403
        assert (await projects.ask("DELETE", "/producers/free", key=key)).status_code == 403
        assert (await projects.ask("PUT", "/settings", {}, key=key)).status_code == 403
        assert (
            await projects.ask("POST", "/keys", {"name": "k", "scopes": ["*"]}, key=key)
        ).status_code == 403
    mute = await create_key(pool, settings, project.id, ["producers:write"])
    assert (await projects.ask("POST", "/producers", SHOP, key=mute)).status_code == 403
    assert (await projects.ask("POST", "/producers", {"name": "y"}, key=mute)).status_code == 201


async def test_http_is_for_issuers_in_networks_that_are_allowed(
    projects: Projects, settings: Settings, resources: Resources
) -> None:
    body = {**SHOP, "oidc": {**SHOP["oidc"], "issuer": "http://127.0.0.1:9"}}
    assert (await projects.ask("POST", "/producers", body)).status_code == 201
    resources.settings = settings.model_copy(update={"sink_allow": ()})
    assert await projects.refused_at("PUT", "/producers/shop", body) == ["/oidc/issuer"]
