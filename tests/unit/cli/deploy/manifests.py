"""Manifests of a small Weir, as Kustomize renders them."""

from typing import Any

FUNCTIONS = ("dispatch", "explore", "ingest")


def service(name: str, image: str, **environment: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "weir"}
    if name == "dispatch":
        labels["networking.knative.dev/visibility"] = "cluster-local"
    if name != "explore":
        labels["weir.dev/wakes"] = "true"
    container = {
        "name": "weir",
        "image": image,
        "env": [{"name": n, "value": v} for n, v in environment.items()],
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "weir", "labels": labels},
        "spec": {"template": {"metadata": {"annotations": {}}, "spec": {"containers": [container]}}},
    }


def edge(image: str) -> dict[str, Any]:
    """Its Deployment: Weir's image lays out what an nginx serves."""
    pod = {
        "initContainers": [{"name": "weir", "image": image}],
        "containers": [{"name": "nginx", "image": "nginx:1"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "edge",
            "namespace": "weir",
            "labels": {"app.kubernetes.io/part-of": "weir", "app.kubernetes.io/component": "edge"},
        },
        "spec": {"replicas": 2, "template": {"spec": pod}},
    }


def rendered(image: str = "weir:1", functions: tuple[str, ...] = FUNCTIONS, **environment: str) -> list[Any]:
    """Everything, each document once."""

    def of(version: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
        return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "weir"}, **more}

    pod = {"containers": [{"name": "weir", "image": image, "command": ["python", "-m", "shared.db.migrate"]}]}
    subject = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "selector": {"matchLabels": {"weir.dev/wakes": "true"}},
    }
    return [
        of("v1", "ServiceAccount", "weir"),
        of("eventing.knative.dev/v1", "Broker", "weir"),
        of("sources.knative.dev/v1", "SinkBinding", "wakes", spec={"subject": subject}),
        of("batch/v1", "Job", "migrate-abc", spec={"template": {"spec": pod}}),
        *(service(name, image, **environment) for name in functions),
        of("eventing.knative.dev/v1", "Trigger", "dispatch-wake"),
        of("sources.knative.dev/v1", "PingSource", "dispatch-tick"),
        edge(image),
        None,
    ]
