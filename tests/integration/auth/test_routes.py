"""Every route of every endpoint function says what it demands, and holds it against every kind of caller."""

import re
import time
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from shared.auth.authority import authority_of
from shared.auth.dependency import demands_of
from shared.auth.permissions import PERMISSIONS, ROLES
from shared.auth.signing_keys import current_signer
from shared.auth.tokens import Signer, issue
from shared.runtime import registry
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import create_person
from tests.support.projects import Project, create_key, create_project
from tests.support.routes import ENDPOINTS, app_of, flat

PROBES = {"/healthz", "/readyz", "/metrics", "/openapi.json"}
NAMES = ENDPOINTS
PAGE = registry.ROOT / "docs/reference/permissions.md"
CUSTOM = frozenset({"events:read", "keys:read", "roles:write", "types:write"})


def routes_of(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Method, path and demand of each route; fails for one without a demand."""
    for route in flat(app.routes):
        if route.path in PROBES:
            continue
        demand = demands_of(route)
        assert demand is not None, f"{route.path} does not say what it demands"
        assert demand in PERMISSIONS | {"public", "signed-in"}
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path, demand


pytestmark = pytest.mark.usefixtures("streams_that_end")


@pytest.fixture(params=NAMES)
async def app(request: pytest.FixtureRequest, resources: Resources) -> FastAPI:
    return app_of(request.param, resources)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as opened:
        yield opened


def url(path: str, project: str) -> str:
    """The path with `project` filled in, and ids of things that are not there."""
    filled = path.replace("{project}", project).replace("{key}", "a" * 12)
    return re.sub(r"\{\w+\}", lambda _: str(uuid4()), filled)


def written() -> dict[tuple[str, str], dict[str, bool]]:
    """Method and path to who may call it, as the page for readers says."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    roles: list[str] = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[:2] == ["call", "asks for"]:
            roles = cells[2:]
        elif (call := re.fullmatch(r"`([A-Z]+) (/\S*)`", cells[0])) is not None:
            found[call[1], call[2]] = dict(zip(roles, (cell == "yes" for cell in cells[2:]), strict=True))
    return found


async def ask(client: httpx.AsyncClient, method: str, path: str, header: str | None) -> httpx.Response:
    headers = {} if header is None else {"authorization": header}
    body = {"name": "x"} if method in {"POST", "PUT"} else None
    return await client.request(method, path, headers=headers, json=body)


async def test_there_are_routes_to_walk(resources: Resources) -> None:
    assert {"identity", "projects"} <= set(NAMES)
    assert sum(1 for name in NAMES for _ in routes_of(app_of(name, resources))) > 15


async def test_every_route_refuses_who_proves_nothing(
    app: FastAPI,
    client: httpx.AsyncClient,
    resources: Resources,
    settings: Settings,
    project: Project,
    pool: asyncpg.Pool,
) -> None:
    person = await create_person(pool, roles={project.id: "owner"})
    signer = await current_signer(pool, settings.sealing)
    about = {"issuer": settings.public_url, "user_id": person.id, "session": "s"}
    good = issue(signer, **about).text
    body = jwt.decode(good, options={"verify_signature": False})
    headers = {"kid": signer.kid, "typ": "at+jwt"}
    expired_key = await create_key(pool, settings, project.id)
    await pool.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", expired_key.split("_")[1])
    refused = {
        "nobody": None,
        "expired": f"Bearer {issue(signer, **about, now=time.time() - 3600).text}",
        "wrongly signed": "Bearer "
        + issue(Signer(signer.kid, "EdDSA", Ed25519PrivateKey.generate()), **about).text,
        "alg=none": f"Bearer {jwt.encode(body, None, algorithm='none', headers=headers)}",
        "another audience": "Bearer "
        + jwt.encode({**body, "aud": "other"}, signer.private_key, algorithm="EdDSA", headers=headers),
        "an expired key": f"Bearer {expired_key}",
        "another scheme": "Basic dXNlcjpwYXNz",
    }
    for method, path, demand in routes_of(app):
        if demand == "public":
            continue
        for who, header in refused.items():
            answer = await ask(client, method, url(path, project.name), header)
            assert answer.status_code == 401, f"{who}: {method} {path} answered {answer.status_code}"
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_route_hides_other_projects(
    app: FastAPI,
    client: httpx.AsyncClient,
    resources: Resources,
    settings: Settings,
    project: Project,
    pool: asyncpg.Pool,
) -> None:
    other = await create_project(pool, settings)
    stranger = await create_person(pool, roles={other.id: "owner"})
    token = (await authority_of(resources).issue(stranger.id, "s")).text
    for method, path, demand in routes_of(app):
        if demand in PERMISSIONS:
            for header in (f"Bearer {other.key}", f"Bearer {token}"):
                for name in (project.name, "no-such-project"):
                    answer = await ask(client, method, url(path, name), header)
                    assert answer.status_code == 404, f"{method} {path} answered {answer.status_code}"


async def test_every_route_holds_its_permission_against_every_role(
    app: FastAPI,
    client: httpx.AsyncClient,
    resources: Resources,
    settings: Settings,
    project: Project,
    pool: asyncpg.Pool,
) -> None:
    await pool.execute(
        "INSERT INTO roles (project_id, name, permissions) VALUES ($1, 'custom', $2)",
        project.id,
        sorted(CUSTOM),
    )
    callers = {}
    for role, permissions in {**ROLES, "custom": CUSTOM}.items():
        person = await create_person(pool, roles={project.id: role})
        callers[role] = (f"Bearer {(await authority_of(resources).issue(person.id, 's')).text}", permissions)
    for scope in PERMISSIONS:
        key = await create_key(pool, settings, project.id, sorted(PERMISSIONS - {scope}))
        callers[f"all but {scope}"] = (f"Bearer {key}", PERMISSIONS - {scope})
    page = written()
    for method, path, demand in routes_of(app):
        assert set(page[method, path]) == set(ROLES)
        if demand not in PERMISSIONS:
            assert all(page[method, path].values())
            continue
        for who, (header, permissions) in callers.items():
            answer = await ask(client, method, url(path, project.name), header)
            refused = answer.status_code == 403 and f"the permission {demand}" in answer.json()["detail"]
            assert refused == (demand not in permissions), f"{who}: {method} {path} answered {answer.text}"
            if who in ROLES:
                assert refused != page[method, path][who], f"{who}: {method} {path} is not as the page says"


async def test_the_page_names_every_route_and_no_other(resources: Resources) -> None:
    walked = {(m, path) for name in NAMES for m, path, _ in routes_of(app_of(name, resources))}
    assert set(written()) == walked
