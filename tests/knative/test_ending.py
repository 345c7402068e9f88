"""Dispatchers that are told to end while they deliver."""

import time
from typing import Any

from tests.knative.cluster import Cluster
from tests.knative.events import fetch
from tests.knative.pods import Pods
from tests.knative.traffic import Traffic
from tests.knative.waiting import eventually, say
from tests.support.projects import Project

TERMINATE = "import os, signal; os.kill(1, signal.SIGTERM)"
TAKEN_AFTER_LEASE = "are taken over"
"""What a dispatcher writes when it takes shards that nobody gave back."""


def owned(weir: Cluster, pod: str | None = None) -> dict[int, str]:
    """Who has which shard: of everybody, or of that pod."""
    rows = fetch(weir, "SELECT shard, owner FROM shards WHERE owner IS NOT NULL")
    return {r["shard"]: r["owner"] for r in rows if pod is None or r["owner"].startswith(f"{pod}:")}


def in_use(weir: Cluster, traffic: Traffic) -> set[int]:
    """The shards that get events: keys are spread by chance, and one to which none falls needs nobody."""
    uids = list(traffic.load.acknowledged.values())
    return {
        row["shard"] for row in fetch(weir, "SELECT DISTINCT shard FROM events WHERE uid = ANY($1)", uids)
    }


def have_moved(weir: Cluster, before: dict[int, str]) -> bool:
    """Whether somebody else has each of these shards now."""
    now = owned(weir)
    return all(now.get(shard) not in {None, owner} for shard, owner in before.items())


def logs(weir: Cluster) -> str:
    names = [pod["metadata"]["name"] for pod in weir.living("dispatch")]
    return "\n".join(weir.kubectl("logs", name, "-c", "weir", check=False) for name in names)


def test_a_process_that_is_told_to_end_hands_over(
    weir: Cluster, project: Project, figures: dict[str, Any]
) -> None:
    """What it has under way ends, and another goes on at once with each shard, not when a lease has run out."""
    with Traffic(weir, project, work_seconds=0.1) as traffic, Pods(weir) as pods:
        traffic.send(rate=400)
        pods.until("dispatch", 2, 90)
        names = [pod["metadata"]["name"] for pod in weir.living("dispatch")]
        name = eventually(
            "a second owner", lambda: next((n for n in names if 0 < len(owned(weir, n)) < 16), None), 60
        )
        used = in_use(weir, traffic)
        before = {shard: owner for shard, owner in owned(weir, name).items() if shard in used}
        assert before
        traffic.receiver.work_seconds = 2.0  # a sink that holds on to its requests just then
        eventually("such requests", lambda: traffic.receiver.open > 0, 10, every=0.05)
        told = time.monotonic()
        weir.kubectl("exec", name, "-c", "weir", "--", "python", "-c", TERMINATE)
        eventually("other owners", lambda: have_moved(weir, before), 30, every=0.1)
        took = time.monotonic() - told
        traffic.receiver.work_seconds = 0.01
        acknowledged = traffic.whole()
        traffic.delivered(120)
        assert traffic.receiver.order.violations == {}
        assert TAKEN_AFTER_LEASE not in logs(weir)
        figures["SIGTERM of a process"] = {
            "events": acknowledged,
            "its shards": len(before),
            "others had them after s": round(took, 1),
            "repeated": traffic.receiver.repeats,
        }
        say(f"{figures['SIGTERM of a process']}")


def test_a_pod_that_is_deleted_is_not_missed(
    weir: Cluster, project: Project, figures: dict[str, Any]
) -> None:
    """Knative lets its open requests end before it tells the process: until then it goes on, and gives back after."""
    with Traffic(weir, project, work_seconds=0.05) as traffic:
        traffic.send(rate=150)
        eventually("some deliveries", lambda: len(traffic.receiver.arrived) > 200, 60)
        name = eventually(
            "a pod with shards",
            lambda: next(
                (n for p in weir.living("dispatch") if owned(weir, n := p["metadata"]["name"])), None
            ),
            30,
        )
        weir.kubectl("delete", "pod", name, "--wait=false")
        told = time.monotonic()
        eventually("its end", lambda: not owned(weir, name), 120)
        took = time.monotonic() - told
        acknowledged = traffic.whole()
        traffic.delivered(120)
        assert traffic.receiver.order.violations == {}
        assert TAKEN_AFTER_LEASE not in logs(weir)
        figures["a pod deleted"] = {
            "events": acknowledged,
            "it had shards for s": round(took, 1),
            "repeated": traffic.receiver.repeats,
        }
        say(f"{figures['a pod deleted']}")
