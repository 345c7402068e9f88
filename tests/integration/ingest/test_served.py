"""What only a served process shows: what it logs, and what it makes of requests below HTTP's surface."""

import asyncio
import json

import asyncpg
import httpx
import pytest

from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS
from tests.support.projects import Project
from tests.support.served import Served

INGEST = ["-m", "shared.runtime.serve", "ingest"]
SECRETS = ("token-of-nobody", "confidential-subject", "confidential-data", "confidential-extension")


@pytest.mark.spec("W19", "C40", "W14b", "W18b")
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_no_credential_and_nothing_of_an_event_is_logged(
    settings: Settings, project: Project, level: str
) -> None:
    event = HEADERS | {"ce-id": "1", "ce-subject": SECRETS[1], "ce-ext": SECRETS[3]}
    with Served(INGEST, settings, WEIR_LOG_LEVEL=level) as served:
        async with httpx.AsyncClient(base_url=f"{served.url}/in/{project.name}", timeout=30) as client:
            taken = await client.post(f"?access_token={project.key}", headers=event, content=SECRETS[2])
            assert (taken.status_code, taken.headers["cache-control"]) == (202, "private")
            for query in (f"?access_token={SECRETS[0]}", f"?access_token={project.key}x"):
                assert (await client.post(query, headers=event, content=SECRETS[2])).status_code == 401
            for bad in (
                {"ce-time": SECRETS[1]},
                {"ce-specversion": SECRETS[1]},
                {"ce-ext": f"{SECRETS[3]}%FF"},
            ):
                refused = await client.post(
                    f"?access_token={project.key}", headers=event | bad, content=SECRETS[2]
                )
                assert refused.status_code == 400
            assert (await client.get(f"?access_token={project.key}")).status_code == 405
            assert (await client.options(f"?access_token={project.key}")).status_code == 200
            metrics = (await client.get(f"{served.url}/metrics")).text
        assert served.end() == 0
    for text in (served.errors, metrics):
        for secret in (*SECRETS, project.key, project.key.rpartition("_")[2], "access_token"):
            assert secret not in text


@pytest.mark.spec("C40")
async def test_nothing_of_an_event_is_logged_when_the_database_is_away(
    settings: Settings, project: Project
) -> None:
    away = settings.model_copy(
        update={"database_url": type(settings.database_url)("postgresql://x@127.0.0.1:1/x")}
    )
    event = HEADERS | {"ce-id": "1", "ce-subject": SECRETS[1]}
    with Served(INGEST, away) as served:
        async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
            answer = await client.post(
                f"/in/{project.name}?access_token={project.key}", headers=event, content=SECRETS[2]
            )
        assert answer.status_code == 503
        assert served.end() == 0
    assert '"level":"warning"' in served.errors
    for secret in (*SECRETS, project.key):
        assert secret not in served.errors


@pytest.mark.spec("K1.10")
@pytest.mark.parametrize(
    "negotiation",
    ["Upgrade: h2c", "Accept: no/such; q=1\r\nAccept-Encoding: x-none\r\nPrefer: reply\r\nTE: trailers"],
)
async def test_unknown_negotiation_is_ignored(
    settings: Settings, project: Project, pool: asyncpg.Pool, negotiation: str
) -> None:
    body = json.dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}).encode()
    head = (
        f"POST /in/{project.name} HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {project.key}\r\n"
        f"Content-Type: application/cloudevents+json\r\nContent-Length: {len(body)}\r\n{negotiation}\r\n\r\n"
    )
    with Served(INGEST, settings) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head.encode() + body)
        async with asyncio.timeout(30):
            assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        writer.close()
        await writer.wait_closed()
        assert served.end() == 0
    assert await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id) == 1
