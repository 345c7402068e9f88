"""A function as a Knative Service, and what belongs to it alone."""

from collections.abc import Iterator

from shared.contracts.tick import Tick
from shared.runtime.function import Function
from shared.runtime.knative.eventing import WAKES, ping, trigger
from shared.runtime.knative.manifest import (
    COMPONENT,
    PART_OF,
    SERVICE,
    SETTINGS,
    Manifest,
    metadata,
    service_account,
)
from shared.runtime.knative.pods import container, volumes

NAME = "app.kubernetes.io/name"

TICKED_WINDOW = "15s"
"""Over which Knative looks back before it scales to zero. Its own minute would outlast the tick's: a handler
would never rest. A request that is open counts as load, so nothing at work is ended by this."""


def function_manifests(function: Function) -> Iterator[Manifest]:
    """Everything that is there because this function is."""
    yield service_account(function.name)
    yield _service(function)
    if function.scale.maximum > 1:
        yield _disruption(function)
    for kind in function.on:
        yield ping(function) if kind == Tick.TYPE else trigger(function, kind)


def _service(function: Function) -> Manifest:
    labels = {NAME: function.name, COMPONENT: "handler" if function.is_handler else "endpoint"}
    visible = {"networking.knative.dev/visibility": "cluster-local"} if function.is_handler else {}
    woken = {WAKES: "true"} if function.wakes else {}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": metadata(function.name, {**labels, **visible, **woken}),
        "spec": {
            "template": {
                "metadata": {"labels": {**PART_OF, **labels}, "annotations": _autoscaling(function)},
                "spec": {
                    "serviceAccountName": function.name,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "containerConcurrency": function.scale.concurrency,
                    "timeoutSeconds": function.timeout_seconds,
                    "containers": [_container(function)],
                    "volumes": volumes(),
                },
            }
        },
    }


def _autoscaling(function: Function) -> dict[str, str]:
    window = {"window": TICKED_WINDOW} if Tick.TYPE in function.on else {}
    target = {} if function.scale.target is None else {"target": str(function.scale.target)}
    scale = {"min-scale": str(function.scale.minimum), "max-scale": str(function.scale.maximum)}
    return {f"autoscaling.knative.dev/{name}": value for name, value in {**scale, **target, **window}.items()}


def _container(function: Function) -> Manifest:
    environment = {"WEIR_FUNCTION": function.name, **function.environment}
    return {
        **container(function.size),
        # Of two with the same name the later one counts: whatever is in the Secret.
        "envFrom": [{"configMapRef": {"name": SETTINGS}}, {"secretRef": {"name": SETTINGS}}],
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"containerPort": 8080}],
        # Without a period the queue-proxy asks many times a second while starting.
        "readinessProbe": {"httpGet": {"path": "/readyz"}},
        "livenessProbe": {"httpGet": {"path": "/healthz"}, "periodSeconds": 10, "failureThreshold": 6},
    }


def _disruption(function: Function) -> Manifest:
    """A drained node takes one instance of a function at a time.

    Never none: an only instance may go, since requests wait for the next one. One that is not ready holds up nobody.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(function.name),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {SERVICE: function.name}},
        },
    }
