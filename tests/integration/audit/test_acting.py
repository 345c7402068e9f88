"""How a route learns who makes its change, and what happens to one that keeps it to itself."""

import logging
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI

from shared.audit.by import By
from shared.audit.record import record
from shared.auth.acting import Author, changes_nothing, records
from shared.auth.authority import authority_of
from shared.core.problems import CONFLICT, Problem
from shared.runtime.app import endpoint_app
from shared.runtime.function import Function
from shared.runtime.resources import Resources
from tests.support.people import create_person
from tests.support.projects import Project
from tests.support.routes import flat

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def seen() -> list[By]:
    return []


@pytest.fixture
def app(resources: Resources, project: Project, seen: list[By]) -> FastAPI:
    router = APIRouter()

    @router.post("/kept")
    async def kept(by: Author) -> None:
        async with (await resources.pg()).acquire() as connection, connection.transaction():
            await record(connection, by, "producer.changed", project_id=project.id, name="shop")
        seen.append(by)

    @router.post("/unchanged")
    async def unchanged(by: Author) -> None:
        by.changed_nothing()

    @router.post("/refused")
    async def refused(by: Author) -> None:
        raise Problem(CONFLICT, "No.")

    @router.post("/forgotten/{name}")
    async def forgotten(by: Author, name: str) -> None:
        pass

    @router.post("/checked")
    @changes_nothing
    async def checked() -> None:
        pass

    @router.post("/neither")
    async def neither() -> None:
        pass

    return endpoint_app(Function(name="test", summary="A test", entry="x:y"), resources, router)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as opened:
        yield opened


async def test_a_key(client, seen: list[By], project: Project) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"user-agent": "terraform/1.9", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert (await client.post("/kept", headers=project.headers | headers)).status_code == 200
    (by,) = seen
    assert (by.kind, by.id, by.via) == ("key", project.key.split("_")[1], "key")
    assert (by.agent, by.address, by.request_id) == ("terraform/1.9", "203.0.113.9", trace)


@pytest.mark.parametrize(
    ("agent", "via"), [(FIREFOX, "console"), ("weir-cli/0.1.0", "command"), ("curl/8.5", "api")]
)
async def test_a_person(client, seen: list[By], resources, pool: asyncpg.Pool, agent, via) -> None:
    person = await create_person(pool)
    token = (await authority_of(resources).issue(person.id, "s")).text
    headers = {"authorization": f"Bearer {token}", "user-agent": agent, "x-request-id": "abc-1"}
    await client.post("/kept", headers=headers)
    (by,) = seen
    assert (by.kind, by.user_id, by.via, by.request_id) == ("user", person.id, via, "abc-1")


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer no"}])
async def test_nobody(client, seen: list[By], header) -> None:
    await client.post("/kept", headers=header | {"x-request-id": "a\nb", "user-agent": "x" * 500})
    (by,) = seen
    assert (by.kind, by.id, by.request_id) == ("nobody", None, None)
    assert len(by.agent) == 200


@pytest.mark.parametrize("path", ["/kept", "/unchanged", "/refused"])
async def test_what_was_said_is_enough(client, caplog: pytest.LogCaptureFixture, path: str) -> None:
    await client.post(path)
    assert [record for record in caplog.records if record.name == "weir.audit"] == []


@pytest.mark.forgets_to_record
async def test_a_change_that_was_kept_back_is_logged(client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "weir.audit"):
        await client.post("/forgotten/secret")
    assert [record.getMessage() for record in caplog.records] == ["POST /forgotten/{name} recorded nothing"]


async def test_a_route_says_which_it_is(app: FastAPI) -> None:
    said = {
        route.path: records(route)
        for route in flat(app.routes)
        if route.path in {"/kept", "/unchanged", "/checked", "/neither"}
    }
    assert said == {"/kept": True, "/unchanged": True, "/checked": None, "/neither": False}
