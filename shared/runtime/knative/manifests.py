"""The Knative manifests of the declared functions: what of `infra/knative` is generated."""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.runtime.function import Function
from shared.runtime.knative.edge import NAME, edge
from shared.runtime.knative.eventing import binding, broker
from shared.runtime.knative.manifest import SETTINGS, Manifest
from shared.runtime.knative.migration import migration
from shared.runtime.knative.policies import PRIVATE, opened, policies
from shared.runtime.knative.services import function_manifests

KUSTOMIZATION = "kustomization.yaml"
REFERENCES = "references.yaml"

TAKEN = frozenset({"broker", "edge", "kustomization", "migrate", "references"})
"""Names of files of the base, and of accounts that are no function's."""


def manifests(functions: Iterable[Function]) -> dict[str, list[Any]]:
    """Path below `infra/knative` to the documents in it. Raises ValueError for a function with a name that is taken."""
    functions = list(functions)
    for function in functions:
        if function.name in TAKEN:
            raise ValueError(f"the name '{function.name}' is taken: call the function something else")
    folders = {
        "base": _base(functions),
        "components/edge": _edge(),
        "components/network-policies": _network_policies(functions),
        "components/private-sinks": _private_sinks(),
        "components/high-availability": _high_availability(functions),
    }
    return {
        f"{folder}/{name}": documents
        for folder, files in folders.items()
        for name, documents in files.items()
    }


def _base(functions: Sequence[Function]) -> dict[str, list[Manifest]]:
    files = {f"{f.name}.yaml": list(function_manifests(f)) for f in functions}
    files["broker.yaml"] = [broker(), binding()]
    files["migrate.yaml"] = migration()
    return {
        **files,
        REFERENCES: [_references()],
        KUSTOMIZATION: [
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "resources": sorted(files),
                "configurations": [REFERENCES],
                "configMapGenerator": [{"name": SETTINGS, "literals": ["WEIR_LOG_LEVEL=info"]}],
            }
        ],
    }


def _references() -> Manifest:
    """Lets Kustomize write the ConfigMap's real name, which its content is part of, into every Service.

    So other settings are another Revision, and a Revision goes back to the settings that it was made with.
    """
    path = "spec/template/spec/containers/envFrom/configMapRef/name"
    field = {"group": "serving.knative.dev", "kind": "Service", "path": path}
    return {"nameReference": [{"kind": "ConfigMap", "version": "v1", "fieldSpecs": [field]}]}


def _component(**content: Sequence[object]) -> Manifest:
    return {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", **content}


def _edge() -> dict[str, list[Manifest]]:
    """`nginx.conf`, which is no manifest, is in the folder beside these."""
    return {
        "edge.yaml": edge(),
        KUSTOMIZATION: [
            _component(resources=["edge.yaml"], configMapGenerator=[{"name": NAME, "files": ["nginx.conf"]}])
        ],
    }


def _network_policies(functions: Sequence[Function]) -> dict[str, list[Manifest]]:
    return {
        "policies.yaml": policies(functions),
        KUSTOMIZATION: [_component(resources=["policies.yaml"])],
    }


def _private_sinks() -> dict[str, list[Any]]:
    settings = {"name": SETTINGS, "behavior": "merge", "literals": [f"WEIR_SINK_ALLOW={','.join(PRIVATE)}"]}
    target = {"group": "networking.k8s.io", "version": "v1", "kind": "NetworkPolicy", "name": "sinks"}
    return {
        "opened.yaml": [opened()],
        KUSTOMIZATION: [
            _component(configMapGenerator=[settings], patches=[{"target": target, "path": "opened.yaml"}])
        ],
    }


def _high_availability(functions: Sequence[Function]) -> dict[str, list[Manifest]]:
    kept = {f"{f.name}.yaml": [_warm(f)] for f in functions if f.scale.warm > f.scale.minimum}
    return {**kept, KUSTOMIZATION: [_component(patches=[{"path": name} for name in sorted(kept)])]}


def _warm(function: Function) -> Manifest:
    annotations = {"autoscaling.knative.dev/min-scale": str(function.scale.warm)}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": function.name},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    }
