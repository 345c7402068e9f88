"""The broker carries hints. While there is none, the tick delivers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.knative.cluster import Cluster
from tests.knative.events import delivery, emit
from tests.knative.subscribing import subscribed
from tests.knative.waiting import eventually, say
from tests.support.projects import Project
from tests.support.receiver import Receiver

EVENTING = "knative-eventing"
PARTS = ("mt-broker-ingress", "mt-broker-filter")


@contextmanager
def stopped(weir: Cluster) -> Iterator[None]:
    """No broker in the whole cluster, which may be another's too: so for as short as can be."""
    replicas = {
        part["metadata"]["name"]: part["spec"]["replicas"]
        for part in weir.get("deployments", "-n", EVENTING)
        if part["metadata"]["name"] in PARTS
    }
    if replicas.keys() != set(PARTS):
        pytest.skip(f"the broker of this cluster is not made of {' and '.join(PARTS)}")
    try:
        for name in PARTS:
            weir.kubectl("scale", "deployment", name, "-n", EVENTING, "--replicas=0")
        for name in PARTS:
            weir.kubectl(
                "wait",
                "pod",
                "-n",
                EVENTING,
                "-l",
                f"app={name}",
                "--for=delete",
                "--timeout=90s",
                check=False,
            )
        say("the broker is stopped")
        yield
    finally:
        for name, count in replicas.items():
            weir.kubectl("scale", "deployment", name, "-n", EVENTING, f"--replicas={count}")
        for name in PARTS:
            weir.kubectl("rollout", "status", "deployment", name, "-n", EVENTING, "--timeout=120s")
        say("the broker is back")


def test_without_a_broker_the_tick_delivers(weir: Cluster, project: Project) -> None:
    with Receiver() as sink, weir.exposed(sink.url) as url, subscribed(weir, project, url):
        weir.wait_zero()
        with stopped(weir):
            uid, seconds = emit(weir, project, "through-the-tick")
            say(f"answered after {seconds:.2f} s")
            with pytest.raises(AssertionError):
                eventually("a delivery without wake and tick", lambda: delivery(weir, uid), 8)
            weir.start_ticks()
            ended = eventually("the delivery", lambda: delivery(weir, uid), 120)
            assert ended["status"] == "delivered"
            assert [headers["ce-id"] for headers, _ in sink.requests] == ["through-the-tick"]
        # With the ticks on, as they are in life, everything rests between two of them.
        weir.wait_zero()
        eventually("the next tick", lambda: "dispatch" in weir.pods(), 90)
        say(f"with the ticks on: at zero {weir.wait_zero():.0f} s after a tick")
        weir.stop_ticks()
