"""Thousands of events at once: dispatch grows, shares the work and shrinks, and nobody can tell by what arrives."""

import time
from typing import Any

from tests.knative.cluster import Cluster
from tests.knative.pods import Pods
from tests.knative.traffic import Traffic
from tests.knative.waiting import say
from tests.support.projects import Project

EVENTS = 5_000
WORK_SECONDS = 0.1
"""What a request takes at the receiver. Six of the 48 keys have four fifths of the events: more than a minute of work."""


def test_a_burst_scales_dispatch_out_and_in(weir: Cluster, project: Project, figures: dict[str, Any]) -> None:
    with Traffic(weir, project, work_seconds=WORK_SECONDS) as traffic:
        weir.wait_zero()
        with Pods(weir) as pods:
            started = time.monotonic()
            traffic.send(EVENTS)
            acknowledged = traffic.whole(240)
            sent = time.monotonic() - started
            traffic.delivered(240)
            took = time.monotonic() - started
            assert acknowledged >= EVENTS
            assert traffic.receiver.order.violations == {}
            assert pods.most("dispatch") >= 2
            gone = weir.wait_zero()
        figures["burst"] = {
            "events": acknowledged,
            "acknowledged after s": round(sent, 1),
            "delivered after s": round(took, 1),
            "repeated": traffic.receiver.repeats,
            "at zero again after s": round(gone),
            "pods of ingest": pods.story("ingest"),
            "pods of dispatch": pods.story("dispatch"),
        }
        say(f"{figures['burst']}")
