"""One event from a producer's POST to a receiver's door on a real Knative, where everything rests at zero."""

import asyncio
import time
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from shared.runtime import registry
from shared.runtime.settings import Settings
from tests.knative.cluster import Cluster, eventually, say
from tests.support.projects import Project, create_project

NAMES = sorted(f.name for f in registry.functions())


@pytest.fixture(scope="module")
def weir(cluster):
    say(f"installing into {cluster.namespace}")
    cluster.install()
    try:
        cluster.wait_ready()
        yield cluster
    except BaseException:
        say(cluster.diagnosis())
        raise
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def project(weir):
    settings = Settings(
        database_url=SecretStr(weir.stores.here),
        redis_url=SecretStr(weir.stores.redis),
        secret=SecretStr(weir.secret),
    )

    async def make() -> Project:
        connection = await asyncpg.connect(weir.stores.here)
        try:
            return await create_project(connection, settings)
        finally:
            await connection.close()

    return asyncio.run(make())


@pytest.fixture(scope="module")
def subscription(weir, project):
    """Everything goes to the built-in sink, which is a function at zero itself."""
    sink = f"http://receive.{weir.namespace}.svc.cluster.local/sink/{project.name}"
    body = {"name": "built-in sink", "filters": [], "sink": sink}
    with weir.client("subscriptions", project.headers) as client:
        answer = client.post(f"/v1/projects/{project.name}/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture(autouse=True)
def told(weir, request):
    """Says what there is to see when a test has failed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        say(weir.diagnosis())


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
    return answer.json()["uid"], seconds


def delivery(weir: Cluster, uid: str) -> dict | None:
    """The delivery of an event as the database has it, once it has ended: no function is woken to ask."""

    async def ask():
        connection = await asyncpg.connect(weir.stores.here)
        try:
            return await connection.fetchrow(
                "SELECT status, ended_at, first_started_at FROM deliveries"
                " WHERE event_uid = $1 AND ended_at IS NOT NULL",
                uid,
            )
        finally:
            await connection.close()

    row = asyncio.run(ask())
    return dict(row) if row else None


def received(weir: Cluster, project: Project) -> list[dict]:
    with weir.client("receive", project.headers) as client:
        answer = client.get(f"/v1/projects/{project.name}/sink")
    assert answer.status_code == 200, answer.text
    return answer.json()["requests"]


def test_everything_is_ready_and_then_at_zero(weir):
    assert sorted(s["metadata"]["name"] for s in weir.get("ksvc")) == NAMES
    # The tick would wake handlers each minute; here the broker alone shall do it.
    weir.kubectl("delete", "pingsource", "--all")
    say(f"ready; at zero after {weir.wait_zero():.0f} s")


def test_one_event_wakes_what_it_needs(weir, project, subscription):
    weir.wait_zero()
    posted = datetime.now(UTC)
    uid, seconds = emit(weir, project, "through-the-broker")
    ended = eventually("the delivery", lambda: delivery(weir, uid), 60, every=0.2)
    assert ended["status"] == "delivered"
    began = (ended["first_started_at"] - posted).total_seconds()
    took = (ended["ended_at"] - posted).total_seconds()
    say(f"from zero: answered after {seconds:.2f} s, sent after {began:.2f} s, delivered after {took:.2f} s")
    for line in weir.started():
        say(line)
    assert {"ingest", "dispatch", "receive"} <= set(weir.pods())

    uid, seconds = emit(weir, project, "warm")
    posted = datetime.now(UTC)
    ended = eventually("the warm delivery", lambda: delivery(weir, uid), 30, every=0.1)
    began = (ended["first_started_at"] - posted).total_seconds() * 1000
    took = (ended["ended_at"] - posted).total_seconds() * 1000
    say(
        f"warm: answered after {seconds * 1000:.0f} ms, sent {began:.0f} ms and delivered {took:.0f} ms later"
    )

    requests = received(weir, project)
    ids = [{k.lower(): v for k, v in dict(r["headers"]).items()}.get("ce-id") for r in requests]
    assert {"through-the-broker", "warm"} <= set(ids)


def test_everything_is_at_zero_again(weir):
    say(f"at zero again after {weir.wait_zero():.0f} s")


def test_with_the_wake_lost_the_tick_delivers(weir, project, subscription):
    weir.kubectl("delete", "trigger", "dispatch-wake")
    weir.wait_zero()
    uid, _ = emit(weir, project, "through-the-tick")
    posted = time.monotonic()
    with pytest.raises(AssertionError):
        eventually("a delivery without wake and tick", lambda: delivery(weir, uid), 15)
    weir.apply()  # brings the PingSources back, and the Trigger, whose event is lost by now
    ended = eventually("the delivery", lambda: delivery(weir, uid), 120)
    assert ended["status"] == "delivered"
    say(f"wake lost: delivered by the tick after {time.monotonic() - posted:.0f} s")


def test_between_two_ticks_everything_rests(weir):
    """With the ticks on, as they are in life."""
    weir.wait_zero()
    eventually("the next tick", lambda: "dispatch" in weir.pods(), 90)
    say(f"with the ticks on: at zero {weir.wait_zero():.0f} s after a tick")


def test_only_endpoints_answer_outside(weir):
    handlers = {f.name for f in registry.functions() if f.is_handler}
    for service in weir.get("ksvc"):
        name = service["metadata"]["name"]
        inside = service["status"]["url"].endswith(".svc.cluster.local")
        assert inside == (name in handlers), name
    with httpx.Client(base_url=weir.gateway, timeout=30) as client:
        answer = client.get("/healthz", headers={"host": f"dispatch.{weir.namespace}.example.com"})
    assert answer.status_code == 404
