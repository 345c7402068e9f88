"""Single events: sent through the gateway, and what the database says became of them."""

import asyncio
import time
from typing import Any

import asyncpg

from tests.knative.cluster import Cluster
from tests.support.projects import Project


def emit(weir: Cluster, project: Project, name: str) -> tuple[str, float]:
    """POST one event through the gateway; its uid, and the seconds that the answer took."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": name,
        "ce-source": "/tests/knative",
        "ce-type": "com.example.tested",
        "content-type": "application/json",
    }
    with weir.client("ingest", project.headers) as client:
        started = time.perf_counter()
        answer = client.post(f"/in/{project.name}", headers=headers, content=b'{"cold": true}')
        seconds = time.perf_counter() - started
    assert answer.status_code == 202, answer.text
    uid: str = answer.json()["uid"]
    return uid, seconds


def delivery(weir: Cluster, uid: str) -> dict[str, Any] | None:
    """The delivery of an event as the database has it, once it has ended: no function is woken to ask."""
    rows = fetch(
        weir,
        "SELECT status, ended_at, first_started_at FROM deliveries"
        " WHERE event_uid = $1 AND ended_at IS NOT NULL",
        uid,
    )
    return rows[0] if rows else None


def fetch(weir: Cluster, statement: str, *values: object) -> list[dict[str, Any]]:
    """Ask the database itself."""

    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(weir.stores.here)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())
