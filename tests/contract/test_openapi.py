"""Every operation, asked with whatever its schema allows and with what it does not, answers as it documents."""

import asyncio
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.runtime.settings import Settings
from tests.support.background import Background
from tests.support.projects import Project, create_key, create_project
from tests.support.stream import an_event, deliver, store

ROOT = Path(__file__).resolve().parents[2]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 12
READS = ("events:read", "subscriptions:read", "deliveries:read", "projects:read", "keys:read", "sources:read")

numbers = itertools.count()
schema = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json")
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


worlds: list["World"] = []


@dataclass(frozen=True)
class World:
    """A project with something of each kind, and a key that may do everything and one that may only read."""

    project: Project
    reader: str
    subscription: UUID
    event: UUID
    delivery: UUID


@pytest.fixture(scope="module")
def served(database_url: str, redis_url: str) -> Iterator[tuple[Background, Settings]]:
    deployment = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret="a secret of the tests alone, 32 signs or more",
        sink_allow=("127.0.0.0/8",),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEIR_LIVE_STREAM_SECONDS", "0.05")  # what stays open has no answer to be looked at
        with Background(deployment) as running:
            yield running, deployment


async def make_world(deployment: Settings) -> World:
    connection = await asyncpg.connect(deployment.database_url.get_secret_value())
    try:
        project = await create_project(connection, deployment)
        reader = await create_key(connection, deployment, project.id, scopes=READS)
        subscription = await connection.fetchval(
            """
            INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery)
            VALUES (gen_random_uuid(), $1, 'kept', '[]', 'http://127.0.0.1:1/',
                '{"retry": 12, "backoffPolicy": "exponential", "backoffDelay": "PT5S", "backoffMax": "PT6H",
                  "timeout": "PT15S", "retryAfterMax": "PT1H", "format": "binary", "deadLetterSink": null,
                  "ordering": "none", "maxInFlight": 32, "ratePerSecond": null}') RETURNING id
            """,
            project.id,
        )
        await connection.execute(
            """
            INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)
            SELECT id, version, project_id, name, filters, sink FROM subscriptions WHERE id = $1
            """,
            subscription,
        )
        # Without a secret: what the key of the project sends is taken.
        await connection.execute(
            "INSERT INTO sources (id, project_id, name, kind) VALUES (gen_random_uuid(), $1, 'kept', 'plain')",
            project.id,
        )
        for codec in ("json", "jsonb"):
            await connection.set_type_codec(codec, schema="pg_catalog", encoder=str, decoder=str)
        (event,) = await store(connection, project.id, [an_event(0, data=b'{"a": [1, null]}', subject="s")])
        delivery = await deliver(connection, project.id, event, subscription, "delivered", attempt_count=1)
        return World(project, reader, subscription, event, delivery)
    finally:
        await connection.close()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_documented(case: schemathesis.Case, served: tuple[Background, Settings]) -> None:
    running, deployment = served
    # A world for each example that may change it: what one did cannot excuse the next, nor make it slow.
    world = worlds.pop() if case.method == "GET" and worlds else asyncio.run(make_world(deployment))
    worlds[:] = [world] if case.method == "GET" else []
    parameters = case.path_parameters or {}
    chooser = random.Random(next(numbers))
    real = {
        "project": world.project.name,
        "uid": world.event,
        "key": "",
        "id": world.delivery,
        "source": "kept",
    }
    if "/subscriptions/" in case.path:
        real["id"] = world.subscription
    for name in parameters:
        if real.get(name) and (name == "project" or chooser.random() < 0.8):
            parameters[name] = str(real[name])
    headers = {}
    credential = chooser.choice([*[world.project.key] * 6, world.reader, None])
    if credential is not None:
        headers["Authorization"] = f"Bearer {credential}"
    # A longer request line never reaches a function: the server refuses it.
    assume(len(case.as_transport_kwargs(base_url=running.url)["url"]) + len(str(case.query)) * 12 < 60_000)
    before = len(running.errors)
    case.call_and_validate(base_url=running.url, headers=headers, checks=CHECKS, timeout=20)
    assert [record.getMessage() for record in running.errors[before:]] == []
