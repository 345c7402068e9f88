"""What all manifests share: what a manifest is, and the names that several of them have to agree on."""

from collections.abc import Mapping
from typing import Any

Manifest = dict[str, Any]

PART_OF = {"app.kubernetes.io/part-of": "weir"}

COMPONENT = "app.kubernetes.io/component"
"""The label that says `endpoint`, `handler` or `migration`."""

SERVICE = "serving.knative.dev/service"
"""The label that Knative gives to the pods of a Service: its name."""

SETTINGS = "weir-settings"
"""The ConfigMap of settings that are no secrets, and the Secret of those that are (`SECRETS`)."""

SECRETS = {
    "WEIR_DATABASE_URL": True,
    "WEIR_REDIS_URL": True,
    "WEIR_SECRET": True,
    "WEIR_SEALING_KEYS": False,
    "WEIR_METRICS_TOKEN": False,
    "WEIR_OIDC_CLIENT_SECRET": False,
    "WEIR_SMTP_URL": False,
}
"""The keys of the Secret, and whether it must have them."""

BROKER = "weir"


def metadata(name: str, labels: Mapping[str, str] | None = None) -> Manifest:
    """`metadata` with the labels that everything of Weir's has."""
    return {"name": name, "labels": {**PART_OF, **(labels or {})}}


def service_account(name: str) -> Manifest:
    """An identity of its own, so that a cloud can grant something to one function alone.

    Nothing of Weir's asks anything of Kubernetes, so there is no token for it.
    """
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(name),
        "automountServiceAccountToken": False,
    }
