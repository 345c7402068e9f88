"""What a watch sees: pods that show metrics, a Prometheus, and answers to requests of its own."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from cli.deploy import watch
from cli.deploy.evidence import Limits
from cli.deploy.gateway import Gateway
from cli.deploy.live import Service, Share
from cli.deploy.watch import Pods, Probes, Prometheus, Watch
from cli.errors import CommandError
from shared.runtime.metrics import Registry
from tests.integration.deploy.api_server import ApiServer
from tests.support.sink import Answer, Received, Sink

INGEST = Service(
    name="ingest",
    traffic=(Share("ingest-1", 100),),
    pinned=True,
    template="ingest-1",
    current=True,
    green="ingest-1",
    url="http://ingest.weir.example.com",
)


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield server


@pytest.fixture
async def gateway() -> AsyncIterator[Sink]:
    async with Sink() as sink:
        yield sink


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watch, "PROBE_SECONDS", 0.05)


def metrics(good: int, bad: int) -> str:
    registry = Registry()
    metric = registry.histogram(
        "weir_http_request_duration_seconds", "Time to answer a request.", ("function", "method", "status")
    )
    for status, count in (("202", good), ("500", bad)):
        for _ in range(count):
            metric.observe("ingest", "POST", status, value=0.01)
    return registry.render()


def watching(
    server: ApiServer, gateway: Sink, client: httpx.AsyncClient, told: list[str], **options: object
) -> Watch:
    values = {
        "probes": Probes(Gateway(client, gateway.url), [INGEST]),
        "pods": Pods(server.kubernetes(), ["ingest-1"], "token"),
        "limits": Limits(),
        "held_open": frozenset(),
        "prometheus": None,
        "client": client,
        "tell": told.append,
        "check": lambda: None,
    }
    return Watch(**(values | options))  # type: ignore[arg-type]


async def test_what_is_well_stays(server: ApiServer, gateway: Sink) -> None:
    told: list[str] = []
    server.pod("ingest-1-a", metrics(100, 50))  # what was before the watch does not count
    async with httpx.AsyncClient() as client:
        assert await watching(server, gateway, client, told).run(0.5) == []
    assert server.tokens == {"token"}
    assert gateway.requests[0].header("host") == "ingest.weir.example.com"
    assert gateway.requests[0].path == "/readyz"
    assert told[-1].startswith("0 of 0 s: 0 requests, 0 failed") or "of our own, 0 failed" in told[-1]


async def test_errors_in_pods_that_came_later_are_seen(server: ApiServer, gateway: Sink) -> None:
    server.pod("ingest-1-a", metrics(10, 0))
    later = iter(range(1000))

    def check() -> None:
        if next(later) == 2:
            server.pod("ingest-1-b", metrics(90, 10))

    async with httpx.AsyncClient() as client:
        faults = await watching(server, gateway, client, [], check=check).run(30)
    assert faults == ["ingest: 10 of 100 requests failed (10.0%; 1.0% is allowed)"]


async def test_restarts_are_seen(server: ApiServer, gateway: Sink) -> None:
    server.pod("ingest-1-a", metrics(10, 0), restarts=3)
    later = iter(range(1000))

    def check() -> None:
        if next(later) == 2:
            server.pod("ingest-1-a", metrics(0, 0), restarts=4)

    async with httpx.AsyncClient() as client:
        faults = await watching(server, gateway, client, [], check=check).run(30)
    assert faults == ["ingest-1-a: its container was started again 1 times (0 allowed)"]


async def test_what_answers_nobody_is_seen_without_metrics(server: ApiServer, gateway: Sink) -> None:
    told: list[str] = []
    gateway.answers([], then=Answer(503))
    pods = Pods(server.kubernetes(), ["ingest-1"], None)
    async with httpx.AsyncClient() as client:
        (fault,) = await watching(server, gateway, client, told, pods=pods).run(30)
    assert "requests failed" in fault
    assert fault.endswith("(requests of our own)")
    assert told[0].startswith("not everything can be seen: no WEIR_METRICS_TOKEN")


async def test_a_pod_that_cannot_be_asked_is_said_once(server: ApiServer, gateway: Sink) -> None:
    told: list[str] = []
    server.pod("ingest-1-a", metrics(1, 0))
    del server.metrics["ingest-1-a"]
    pods = Pods(server.kubernetes(), ["ingest-1"], "token")
    pods._kubernetes.text = _refuses  # type: ignore[method-assign]
    async with httpx.AsyncClient() as client:
        assert await watching(server, gateway, client, told, pods=pods).run(0.4) == []
    assert len([line for line in told if "cannot be seen" in line or "not everything" in line]) == 1


async def _refuses(*_: object, **__: object) -> str:
    raise CommandError("no way there")


async def test_prometheus_is_asked_for_what_this_weir_did(server: ApiServer, gateway: Sink) -> None:
    def result(received: Received) -> Answer:
        if not received.path.startswith("/api/v1/query"):
            return Answer(200)
        count = "_count" in received.path
        rows = (
            [({"status": "202"}, "90"), ({"status": "500"}, "10")]
            if count
            else [({"le": "0.1"}, "100"), ({"le": "+Inf"}, "100")]
        )
        found = [{"metric": {"function": "ingest", **labels}, "value": [0, value]} for labels, value in rows]
        return Answer(200, body=json.dumps({"data": {"result": found}}).encode())

    gateway.choose(result)
    prometheus = Prometheus(gateway.url, 'namespace="weir"')
    pods = Pods(server.kubernetes(), ["ingest-1"], None)
    async with httpx.AsyncClient() as client:
        faults = await watching(server, gateway, client, [], pods=pods, prometheus=prometheus).run(30)
    assert faults == ["ingest: 10 of 100 requests failed (10.0%; 1.0% is allowed)"]
    asked = next(r.path for r in gateway.requests if "_bucket" in r.path)
    assert "namespace%3D%22weir%22" in asked


async def test_a_prometheus_that_is_away_is_said(server: ApiServer, gateway: Sink) -> None:
    gateway.answers([], then=Answer(500))
    async with httpx.AsyncClient() as client:
        with pytest.raises(CommandError, match="did not answer the query"):
            await watch.ask_prometheus(client, Prometheus(gateway.url, "a=1"), 10)


async def test_the_token_is_taken_from_the_secret_of_the_functions(server: ApiServer) -> None:
    server.put(
        "/api/v1/namespaces/weir/secrets/weir-settings",
        {"metadata": {"name": "weir-settings"}, "data": {"WEIR_METRICS_TOKEN": "Y291bnRlZA=="}},
    )
    sources = [{"configMapRef": {"name": "x"}}, {"secretRef": {"name": "weir-settings"}}]
    template = {"spec": {"containers": [{"envFrom": sources}]}}
    assert await watch.token(server.kubernetes(), template, None) == "counted"
    assert await watch.token(server.kubernetes(), template, "given") == "given"
    assert await watch.token(server.kubernetes(), {"spec": {"containers": [{}]}}, None) is None
