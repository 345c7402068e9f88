"""The Knative manifests of the declared functions: `infra/knative/base`."""

from collections.abc import Iterable, Iterator
from typing import Any

from shared.contracts.tick import Tick
from shared.runtime.function import Function

IMAGE = "weir"
"""What overlays replace by the real name: `images: [{name: weir, newName: …, newTag: …}]`."""

SETTINGS = "weir-settings"
"""The Secret with `WEIR_DATABASE_URL`, `WEIR_REDIS_URL`, `WEIR_SECRET` and further settings."""

BROKER = "weir"
WAKES = "weir.dev/wakes"

TICKED_WINDOW = "15s"
"""Over which Knative looks back before it scales to zero. Its own minute would outlast the tick's: a handler
would never rest. A request that is open counts as load, so nothing at work is ended by this."""

Manifest = dict[str, Any]


def manifests(functions: Iterable[Function]) -> dict[str, list[Manifest]]:
    """File name to the documents in it; `kustomization.yaml` names all the others."""
    functions = list(functions)
    files = {f"{f.name}.yaml": list(_function(f)) for f in functions}
    files["account.yaml"] = [_account()]
    files["broker.yaml"] = [_broker(), _binding()]
    files["migrate.yaml"] = [_migration()]
    files["kustomization.yaml"] = [
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": sorted(files),
            "labels": [{"pairs": {"app.kubernetes.io/part-of": "weir"}, "includeTemplates": False}],
        }
    ]
    return files


def _function(function: Function) -> Iterator[Manifest]:
    yield _service(function)
    for kind in function.on:
        yield _ping(function) if kind == Tick.TYPE else _trigger(function, kind)


def _service(function: Function) -> Manifest:
    labels = {"app.kubernetes.io/name": function.name}
    if function.is_handler:
        labels["networking.knative.dev/visibility"] = "cluster-local"
    if function.wakes:
        labels[WAKES] = "true"
    scale = function.scale
    annotations = {
        "autoscaling.knative.dev/min-scale": str(scale.minimum),
        "autoscaling.knative.dev/max-scale": str(scale.maximum),
    }
    if scale.target is not None:
        annotations["autoscaling.knative.dev/target"] = str(scale.target)
    if Tick.TYPE in function.on:
        annotations["autoscaling.knative.dev/window"] = TICKED_WINDOW
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": function.name, "labels": labels},
        "spec": {
            "template": {
                "metadata": {"annotations": annotations},
                "spec": {
                    "serviceAccountName": "weir",
                    "enableServiceLinks": False,
                    "containerConcurrency": scale.concurrency,
                    "timeoutSeconds": function.timeout_seconds,
                    "containers": [
                        {
                            **_container(),
                            "env": [
                                {"name": name, "value": value}
                                for name, value in {
                                    "WEIR_FUNCTION": function.name,
                                    **function.environment,
                                }.items()
                            ],
                            "ports": [{"containerPort": 8080}],
                            # Without a period the queue-proxy asks many times a second while starting.
                            "readinessProbe": {"httpGet": {"path": "/readyz"}},
                            "livenessProbe": {
                                "httpGet": {"path": "/healthz"},
                                "periodSeconds": 10,
                                "failureThreshold": 6,
                            },
                        }
                    ],
                    "volumes": _volumes(),
                },
            }
        },
    }


def _container() -> Manifest:
    return {
        "name": "weir",
        "image": IMAGE,
        "envFrom": [{"secretRef": {"name": SETTINGS}}],
        # No limit on CPU: a limit slows a start down and protects nobody who has requests.
        "resources": {
            "requests": {"cpu": "50m", "memory": "96Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 a mount of the pod's own
    }


def _volumes() -> list[Manifest]:
    return [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]


def _trigger(function: Function, kind: str) -> Manifest:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Trigger",
        "metadata": {"name": f"{function.name}-{kind.removeprefix('dev.weir.').replace('.', '-')}"},
        "spec": {
            "broker": BROKER,
            "filter": {"attributes": {"type": kind}},
            "subscriber": _reference(function),
        },
    }


def _ping(function: Function) -> Manifest:
    """The tick. Straight to the handler, not through the broker, so that it comes when the broker is down."""
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "PingSource",
        "metadata": {"name": f"{function.name}-tick"},
        "spec": {
            "schedule": "* * * * *",
            "contentType": "application/json",
            "data": "{}",
            "sink": _reference(function),
        },
    }


def _reference(function: Function) -> Manifest:
    return {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": function.name}}


def _broker() -> Manifest:
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": BROKER},
        # What goes through it are hints: a few quick attempts, then the tick makes up for it.
        "spec": {"delivery": {"retry": 3, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}},
    }


def _binding() -> Manifest:
    """Tells every function that wakes where the broker is (`K_SINK`)."""
    return {
        "apiVersion": "sources.knative.dev/v1",
        "kind": "SinkBinding",
        "metadata": {"name": "wakes"},
        "spec": {
            "subject": {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "selector": {"matchLabels": {WAKES: "true"}},
            },
            "sink": {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": BROKER}},
        },
    }


def _account() -> Manifest:
    """Functions ask nothing of Kubernetes, so they get no token for it."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "weir"},
        "automountServiceAccountToken": False,
    }


def _migration() -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate"},
        "spec": {
            "backoffLimit": 10,
            "ttlSecondsAfterFinished": 600,
            "template": {
                "spec": {
                    "serviceAccountName": "weir",
                    "restartPolicy": "Never",
                    "containers": [{**_container(), "command": ["python", "-m", "shared.db.migrate"]}],
                    "volumes": _volumes(),
                }
            },
        },
    }
