"""What a browser is told about pages of other origins (Fetch standard, "CORS protocol")."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.runtime import load, registry
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

CONSOLE = "https://console.example.org"


@pytest.fixture
async def allowing(settings: Settings) -> AsyncIterator[Resources]:
    resources = Resources(settings.model_copy(update={"console_origins": (CONSOLE, "http://localhost:5173")}))
    yield resources
    await resources.close()


def asking(name: str, resources: Resources) -> httpx.AsyncClient:
    app = load.application(registry.find(name), resources)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.example.org")


def preflight(origin: str, method: str = "PATCH") -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": "authorization,content-type",
    }


ENDPOINTS = [f.name for f in registry.functions() if not f.is_handler]


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_a_preflight_is_answered_and_remembered(name: str, allowing: Resources) -> None:
    async with asking(name, allowing) as client:
        answer = await client.options("/v1/anything", headers=preflight(CONSOLE))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-max-age"] == "7200"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://console.example.org.evil.example", "null"]
)
async def test_no_other_origin_is_let_in(name: str, origin: str, allowing: Resources) -> None:
    async with asking(name, allowing) as client:
        asked = await client.options("/v1/anything", headers=preflight(origin))
        answer = await client.get("/v1/anything", headers={"origin": origin})
    assert asked.status_code == 400
    for one in (asked, answer):
        assert "access-control-allow-origin" not in one.headers
        assert "Origin" in one.headers["vary"]


async def test_a_problem_can_be_read_too(allowing: Resources) -> None:
    async with asking("explore", allowing) as client:
        answer = await client.get("/v1/projects/default/events", headers={"origin": CONSOLE})
        unasked = await client.get("/v1/projects/default/events")
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert {"ETag", "Location", "Retry-After"} <= set(
        answer.headers["access-control-expose-headers"].split(", ")
    )
    assert "access-control-allow-origin" not in unasked.headers
    assert "Origin" in unasked.headers["vary"]  # a cache must not give this to a page


async def test_pages_send_no_events(allowing: Resources) -> None:
    """OPTIONS there is the hand-shake of CloudEvents webhooks, and a key in a page is everybody's."""
    async with asking("ingest", allowing) as client:
        answer = await client.options("/in/nothing", headers=preflight(CONSOLE, "POST"))
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_without_origins_nothing_is_said(name: str, resources: Resources) -> None:
    async with asking(name, resources) as client:
        answer = await client.get("/v1/anything", headers={"origin": CONSOLE})
    assert not [header for header in answer.headers if header.startswith("access-control")]
