"""One event from a producer's POST to a receiver's door on a real Knative, where everything rests at zero."""

from collections.abc import Iterator

import httpx
import pytest

from shared.runtime import registry
from tests.knative.cluster import Cluster
from tests.knative.events import delivery, emit
from tests.knative.subscribing import subscribed
from tests.knative.waiting import eventually, say
from tests.support.projects import Project

NAMES = sorted(f.name for f in registry.functions())


@pytest.fixture(scope="module")
def subscription(weir: Cluster, project: Project) -> Iterator[str]:
    """Everything goes to the built-in sink, which is a function at zero itself."""
    sink = f"http://receive.{weir.namespace}.svc.cluster.local/sink/{project.name}"
    with subscribed(weir, project, sink) as identity:
        yield identity


def received(weir: Cluster, project: Project) -> list[dict[str, str]]:
    """The headers of what the built-in sink got."""
    with weir.client("receive", project.headers) as client:
        answer = client.get(f"/v1/projects/{project.name}/sink")
    assert answer.status_code == 200, answer.text
    return [{k.lower(): v for k, v in dict(r["headers"]).items()} for r in answer.json()["requests"]]


def test_everything_is_ready_and_then_at_zero(weir: Cluster) -> None:
    assert sorted(s["metadata"]["name"] for s in weir.get("ksvc")) == NAMES
    say(f"ready; at zero after {weir.wait_zero():.0f} s")


def test_one_event_wakes_what_it_needs(weir: Cluster, project: Project, subscription: str) -> None:
    weir.wait_zero()
    uid, seconds = emit(weir, project, "through-the-broker")
    ended = eventually("the delivery", lambda: delivery(weir, uid), 60, every=0.2)
    assert ended["status"] == "delivered"
    say(f"from zero, with a sink at zero: answered after {seconds:.2f} s")
    assert {"ingest", "dispatch", "receive"} <= set(weir.pods())
    assert "through-the-broker" in [headers.get("ce-id") for headers in received(weir, project)]


def test_everything_is_at_zero_again(weir: Cluster) -> None:
    say(f"at zero again after {weir.wait_zero():.0f} s")


def test_only_endpoints_answer_outside(weir: Cluster) -> None:
    handlers = {f.name for f in registry.functions() if f.is_handler}
    for service in weir.get("ksvc"):
        name = service["metadata"]["name"]
        inside = service["status"]["url"].endswith(".svc.cluster.local")
        assert inside == (name in handlers), name
    with httpx.Client(base_url=weir.gateway, timeout=30) as client:
        answer = client.get("/healthz", headers={"host": f"dispatch.{weir.namespace}.example.com"})
    assert answer.status_code == 404
