"""How functions wake one another: a Broker, a Trigger for each handler, the tick, and where the Broker is."""

from shared.runtime.function import Function
from shared.runtime.knative.manifest import BROKER, Manifest, metadata

WAKES = "weir.dev/wakes"

ATTEMPTS = {"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}
"""What goes through the Broker are hints: a few quick attempts, then the tick makes up for it.

So there is no dead letter sink either: a wake that nobody took says nothing that the database does not know.
"""


def trigger(function: Function, kind: str) -> Manifest:
    """Events of one type for one handler.

    Its delivery replaces the Broker's altogether (control plane specification, Broker.spec.delivery), and a handler
    may take as long for a request as its Service lets it.
    """
    name = f"{function.name}-{kind.removeprefix('dev.weir.').replace('.', '-')}"
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": metadata(name),
        "spec": {
            "broker": BROKER,
            "filter": {"attributes": {"type": kind}},
            "delivery": {**ATTEMPTS, "timeout": f"PT{function.timeout_seconds}S"},
            "subscriber": _reference(function),
        },
    }


def ping(function: Function) -> Manifest:
    """The tick. Straight to the handler, not through the broker, so that it comes when the broker is down."""
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "metadata": metadata(f"{function.name}-tick"),
        "spec": {
            "schedule": "* * * * *",
            "contentType": "application/json",
            "data": "{}",
            "sink": _reference(function),
        },
    }


def _reference(function: Function) -> Manifest:
    return {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": function.name}}


def broker() -> Manifest:
    """Of whatever class the cluster's default is."""
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": metadata(BROKER),
        "spec": {"delivery": dict(ATTEMPTS)},
    }


def binding() -> Manifest:
    """Tells every function that wakes where the broker is (`K_SINK`)."""
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "SinkBinding",
        "metadata": metadata("wakes"),
        "spec": {
            "subject": {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "selector": {"matchLabels": {WAKES: "true"}},
            },
            "sink": {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": BROKER}},
        },
    }
