"""How large an event may be: 64 KiB always fits, in whatever form it comes."""

import base64
import json

import asyncpg
import httpx
import pytest

from functions.ingest.app import create
from functions.ingest.settings import IngestSettings
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.background import Background
from tests.support.projects import Project

FLOOR = 64 * 1024
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


@pytest.fixture
async def small(resources: Resources, project: Project, monkeypatch: pytest.MonkeyPatch):
    """The door with the lowest limits that can be set."""
    monkeypatch.setenv("WEIR_EVENT_MAX_BYTES", str(FLOOR))
    monkeypatch.setenv("WEIR_BATCH_MAX_BYTES", str(256 * 1024))
    transport = httpx.ASGITransport(create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield Door(client, project)


def event(identity: str = "1", **members: object) -> dict[str, object]:
    return {"specversion": "1.0", "id": identity, "source": "/tests", "type": "t", **members}


async def size(pool: asyncpg.Pool, door: Door) -> int:
    return await pool.fetchval("SELECT length(data) FROM events WHERE project_id = $1", door.project.id)


@pytest.mark.spec("C35", "C36", "C37")
async def test_64_kib_of_data_fit_in_binary_mode(small: Door, pool: asyncpg.Pool) -> None:
    assert (await small.binary("1", b"x" * (FLOOR + 1))).status_code == 413
    assert (await small.binary("1", b"x" * FLOOR)).status_code == 202
    assert await size(pool, small) == FLOOR


@pytest.mark.parametrize("mode", [STRUCTURED, BATCH])
async def test_64_kib_of_data_fit_in_base64(small: Door, pool: asyncpg.Pool, mode: str) -> None:
    for length, status in ((FLOOR + 1, 413), (FLOOR, 202)):
        body: object = event(data_base64=base64.b64encode(b"\xff" * length).decode())
        answer = await small.post(json.dumps([body] if mode == BATCH else body).encode(), mode)
        assert answer.status_code == status, answer.text
    assert await size(pool, small) == FLOOR


@pytest.mark.parametrize("mode", [STRUCTURED, BATCH])
async def test_64_kib_of_data_fit_as_json(small: Door, pool: asyncpg.Pool, mode: str) -> None:
    for length, status in ((FLOOR + 1, 413), (FLOOR, 202)):
        body: object = event(data="x" * (length - 2))
        answer = await small.post(json.dumps([body] if mode == BATCH else body).encode(), mode)
        assert answer.status_code == status, answer.text
    assert await size(pool, small) == FLOOR


@pytest.mark.parametrize("attributes", [1_000, 60_000])
@pytest.mark.spec("C35", "C36", "C37")
async def test_64_kib_on_the_wire_fit_however_they_are_divided(
    settings: Settings, project: Project, attributes: int
) -> None:
    """Over real HTTP: head and body of the event together have 64 KiB."""
    with Background(settings) as weir:
        async with httpx.AsyncClient(timeout=20) as client:
            url = f"{weir.url}/in/{project.name}"
            head = {**HEADERS, "ce-id": "binary", "ce-subject": "s" * attributes}
            length = FLOOR - sum(len(name) + len(value) + 4 for name, value in head.items())
            answer = await client.post(url, headers={**project.headers, **head}, content=b"x" * length)
            assert answer.status_code == 202, answer.text
            body = event("structured", subject="s" * attributes, data="")
            body["data"] = "x" * (FLOOR - len(json.dumps(body)))
            headers = {**project.headers, "content-type": STRUCTURED}
            answer = await client.post(url, headers=headers, content=json.dumps(body))
            assert answer.status_code == 202, answer.text
        assert weir.errors == []


async def test_a_structured_event_is_refused_unread_when_nothing_could_make_it_fit(small: Door) -> None:
    answer = await small.post(b"x" * 256 * 1024, STRUCTURED)
    assert answer.status_code == 413


def test_no_setting_goes_below_what_must_fit() -> None:
    with pytest.raises(ValueError, match="event_max_bytes"):
        IngestSettings(event_max_bytes=FLOOR - 1)
    with pytest.raises(ValueError, match="batch_max_bytes"):
        IngestSettings(batch_max_bytes=FLOOR)
