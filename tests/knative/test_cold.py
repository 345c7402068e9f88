"""The first event after a rest, beside a bare FastAPI function on the same cluster."""

import json
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.knative.cluster import Cluster
from tests.knative.events import emit
from tests.knative.pods import Pods
from tests.knative.subscribing import subscribed
from tests.knative.waiting import eventually, say
from tests.support.projects import Project
from tests.support.receiver import Receiver

ROUNDS = 3
WARM = 30
BARE = """
from fastapi import FastAPI
import uvicorn

app = FastAPI()

@app.get("/")
async def hello():
    return {"hello": "world"}

uvicorn.run(app, host="0.0.0.0", port=8080, log_level="warning")
"""


@pytest.fixture
def bare(weir: Cluster) -> Iterator[str]:
    """A FastAPI function that does nothing, made from the same image; its name."""
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "bare"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "image": weir.image,
                            "command": ["python", "-c", BARE],
                            "ports": [{"containerPort": 8080}],
                            "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}},
                        }
                    ]
                }
            }
        },
    }
    weir.kubectl("apply", "-f", "-", stdin=json.dumps(service))
    weir.kubectl("wait", "ksvc/bare", "--for=condition=Ready", "--timeout=120s")
    yield "bare"
    weir.kubectl("delete", "ksvc", "bare")


def first_answer(weir: Cluster, function: str) -> float:
    """The seconds that the first answer of a function took that was at zero."""
    with weir.client(function, {}) as client:
        started = time.perf_counter()
        assert client.get("/").status_code == 200
        return time.perf_counter() - started


def arrival(sink: Receiver, name: str) -> float | None:
    """When an event arrived (Unix seconds)."""
    return next(
        (at for at, (headers, _) in zip(sink.times, sink.requests, strict=False) if headers["ce-id"] == name),
        None,
    )


def started(pods: Pods, function: str) -> tuple[float, float]:
    """When the first pod of a function was made, and when it was ready (Unix seconds)."""
    name = next(name for name in pods.made if name.startswith(f"{function}-"))
    return pods.made[name], eventually(f"{name} is ready", lambda: pods.ready.get(name), 30, every=0.02)


def test_the_first_event_after_a_rest(
    weir: Cluster, project: Project, bare: str, figures: dict[str, Any]
) -> None:
    rounds: list[dict[str, float]] = []
    with Receiver() as sink, weir.exposed(sink.url) as url, subscribed(weir, project, url):
        for number in range(ROUNDS):
            weir.wait_gone()
            reference = first_answer(weir, bare)
            with Pods(weir) as pods:
                posted = time.time()
                _, answered = emit(weir, project, f"cold-{number}")
                at = eventually("the event", lambda n=number: arrival(sink, f"cold-{n}"), 60, every=0.02)
                found = {"bare FastAPI": reference, "answered": answered, "delivered": at - posted}
                for function in ("ingest", "dispatch"):
                    made, ready = started(pods, function)
                    found |= {
                        f"pod of {function} made": made - posted,
                        f"pod of {function} ready": ready - posted,
                    }
            rounds.append({what: round(seconds, 2) for what, seconds in found.items()})
            say(f"from zero: {rounds[-1]}")
        warm = []
        for number in range(WARM):
            posted = time.time()
            emit(weir, project, f"warm-{number}")
            warm.append(
                eventually("it", lambda n=number: arrival(sink, f"warm-{n}"), 30, every=0.002) - posted
            )
    figures["cold"] = rounds
    figures["warm"] = {"median ms": round(statistics.median(warm) * 1000), "most ms": round(max(warm) * 1000)}
    say(f"warm: {figures['warm']}")
