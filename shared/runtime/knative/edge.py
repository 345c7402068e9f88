"""One address for all functions: an nginx before Knative's gateway inside the cluster, and the console on it.

Knative gives each Service a host of its own, and its gateways tell Services by host alone.
"""

from shared.runtime.function import Size
from shared.runtime.knative.manifest import COMPONENT, PART_OF, Manifest, metadata, service_account
from shared.runtime.knative.pods import container, restricted, volumes
from shared.runtime.nginx import PORT, SERVED

NAME = "edge"
IMAGE = "docker.io/nginxinc/nginx-unprivileged:1.30-alpine"
"""nginx' own image for any user but root. Another one needs nginx and a shell."""

CONFIGURATION = "/etc/edge"
LABELS = {"app.kubernetes.io/name": NAME, COMPONENT: NAME}
GATEWAY = "kourier-internal.kourier-system.svc"
"""Kourier's address inside the cluster."""

LEAVING_SECONDS = 5
"""How long a pod that ends still takes requests, until everybody has heard that it ends."""

ENDING_SECONDS = 75
"""LEAVING_SECONDS, the minute that nginx gives what is open (`worker_shutdown_timeout`), and some."""


def edge() -> list[Manifest]:
    """Everything but the ConfigMap `edge`, which has `nginx.conf`."""
    return [service_account(NAME), _deployment(), _service(), _disruption()]


def ending(seconds: int) -> list[str]:
    """What a pod does that is to end: it goes on for `seconds`, then takes nothing new and waits for what is open.

    The signal that the image names comes after that, and finds nobody: SIGTERM would cut what is open.
    """
    script = (
        f"sleep {seconds}; nginx=$(cat /tmp/nginx.pid); kill -QUIT $nginx; "
        "while kill -0 $nginx 2>/dev/null; do sleep 1; done"
    )
    return ["sh", "-c", script]


def _deployment() -> Manifest:
    labels = {**PART_OF, **LABELS}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(NAME, LABELS),
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": NAME,
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": ENDING_SECONDS,
                    "topologySpreadConstraints": [
                        {
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": {"matchLabels": labels},
                        }
                    ],
                    "initContainers": [_files()],
                    "containers": [_nginx()],
                    "volumes": [
                        *volumes(),
                        {"name": "configuration", "configMap": {"name": NAME}},
                        {"name": "served", "emptyDir": {"sizeLimit": "64Mi"}},
                    ],
                },
            },
        },
    }


def _files() -> Manifest:
    """Brings the console and what nginx has to know of this namespace, out of Weir's own image."""
    found = container(Size(cpu_millicores=20, memory_mebibytes=32, memory_max_mebibytes=512))
    namespace = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    return {
        **found,
        "command": ["python", "-m", "shared.runtime.lay_out", SERVED],
        "env": [
            {"name": "WEIR_NAMESPACE", "valueFrom": namespace},
            {"name": "WEIR_GATEWAY", "value": GATEWAY},
        ],
        "volumeMounts": [*found["volumeMounts"], {"name": "served", "mountPath": SERVED}],
    }


def _nginx() -> Manifest:
    tmp = container(Size())["volumeMounts"]
    health = {"httpGet": {"path": "/healthz", "port": "http"}}
    return {
        "name": "nginx",
        "image": IMAGE,
        "command": ["nginx", "-e", "stderr", "-c", f"{CONFIGURATION}/nginx.conf"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": restricted(),
        "readinessProbe": {**health, "periodSeconds": 5},
        "livenessProbe": {**health, "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"exec": {"command": ending(LEAVING_SECONDS)}}},
        "volumeMounts": [
            *tmp,
            {"name": "configuration", "mountPath": CONFIGURATION, "readOnly": True},
            {"name": "served", "mountPath": SERVED, "readOnly": True},
        ],
    }


def _service() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(NAME, LABELS),
        "spec": {
            "selector": {**PART_OF, **LABELS},
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"}],
        },
    }


def _disruption() -> Manifest:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(NAME),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": {**PART_OF, **LABELS}},
        },
    }
