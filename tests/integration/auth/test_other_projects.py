"""Nothing of another project can be read or changed by its id, on any route that there is.

Routes are found, not listed: a new one is walked as it is, and fails here when the other project has nothing to name.
"""

import json
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

import asyncpg
import httpx
import pytest

from shared.auth.authority import authority_of
from shared.auth.dependency import demands_of
from shared.runtime import load, registry
from shared.runtime.edge import Edge
from shared.runtime.lay_out import openapi
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.furnished import PARAMETER, Furnished, furnish
from tests.support.people import create_person
from tests.support.projects import Project, create_project
from tests.support.routes import ENDPOINTS, app_of, flat

OPERATIONS: dict[str, Any] = openapi(registry.functions())["paths"]  # type: ignore[index]

pytestmark = pytest.mark.usefixtures("streams_that_end")

NAMED_BY_CALLER = {("PUT", "/v1/projects/{project}/types/{type}")}
"""Routes that make what is named where it is not there: they do so in the caller's own project."""


@pytest.fixture
async def weir(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    """Every function behind one address."""
    edge = Edge(resources, registry.functions(), lambda f: load.application(f, resources), version("weir"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://weir.test") as client:
        yield client


@pytest.fixture
async def other(weir: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings) -> Furnished:
    return await furnish(weir, pool, await create_project(pool, settings))


def routes(resources: Resources) -> list[tuple[str, str]]:
    """Method and template of every route that names something in a project and asks for a permission."""
    return [
        (method, route.path)
        for name in ENDPOINTS
        for route in flat(app_of(name, resources).routes)
        if "{project}" in route.path and len(PARAMETER.findall(route.path)) > 1
        if demands_of(route) not in {None, "public"}
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


def an_instance(schema: dict[str, Any], whole: dict[str, Any]) -> Any:
    """The smallest value that a schema of the contract allows."""
    if "$ref" in schema:
        return an_instance(whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], whole)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return an_instance(schema[choice][0], whole)
    for said in ("default", "const"):
        if said in schema:
            return schema[said]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            members = schema.get("properties", {})
            return {name: an_instance(members[name], whole) for name in schema.get("required", ())}
        case "array":
            return [an_instance(schema["items"], whole)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "null":
            return None
    return "viewer" if schema.get("pattern") is None else "x"


async def body_for(other: Furnished, method: str, template: str, path: str) -> Any:
    """A body that the route takes: what it shows of the thing, or the smallest one that the contract allows."""
    if method not in {"POST", "PUT", "PATCH"}:
        return None
    if method == "PUT":
        shown = await other.client.get(path, headers=other.project.headers)
        if shown.status_code == 200:
            return shown.json()
    content = OPERATIONS[template][method.lower()].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else an_instance(schema, openapi(registry.functions()))  # type: ignore[arg-type]


async def everything(other: Furnished, templates: set[str]) -> str:
    """What the other project shows of itself, but for when somebody was last there."""
    shown = []
    for template in sorted(templates):
        answer = await other.client.get(await other.place(template), headers=other.project.headers)
        shown.append(answer.text if answer.status_code == 200 else "")
    seen = ("lastUsedAt", "lastUsedFrom", "lastSeenAt")
    return json.dumps(
        [
            json.loads(text, object_hook=lambda o: {k: v for k, v in o.items() if k not in seen})
            if text
            else None
            for text in shown
        ]
    )


async def test_there_is_something_to_name_on_every_route(resources: Resources, other: Furnished) -> None:
    walked = routes(resources)
    assert len(walked) > 25
    for method, template in walked:
        path = await other.place(template)
        if method == "GET":
            answer = await other.client.get(path, headers=other.project.headers)
            assert answer.status_code == 200, f"{path}: {answer.text}"


async def test_anothers_ids_are_not_found_on_any_route(
    resources: Resources,
    other: Furnished,
    weir: httpx.AsyncClient,
    project: Project,
    pool: asyncpg.Pool,
) -> None:
    """Neither by a key of this project, nor by an owner of it who is a member of the other as well."""
    person = await create_person(pool, roles={project.id: "owner", other.project.id: "owner"})
    # The last in the list of members: it is the first that is asked for.
    await pool.execute("UPDATE users SET name = 'Zoe' WHERE id = $1", person.id)
    token = (await authority_of(resources).issue(person.id, "a session")).text
    callers = {"a key": project.headers, "a member of both": {"authorization": f"Bearer {token}"}}
    walked = routes(resources)
    reads = {template for method, template in walked if method == "GET"}
    before = await everything(other, reads)
    # Last those that leave something of that name behind.
    for method, template in sorted(walked, key=NAMED_BY_CALLER.__contains__):
        theirs = await other.place(template)
        body = await body_for(other, method, template, theirs)
        mine = theirs.replace(f"/{other.project.name}/", f"/{project.name}/", 1)
        assert mine != theirs
        for who, headers in callers.items():
            answer = await weir.request(method, mine, json=body, headers=headers)
            if (method, template) in NAMED_BY_CALLER:
                assert answer.status_code in {200, 201}, answer.text
            else:
                assert answer.status_code == 404, f"{who}: {method} {template} answered {answer.text}"
    assert await everything(other, reads) == before
