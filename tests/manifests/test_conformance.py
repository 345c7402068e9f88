"""Whatever can be built conforms to the schemas of Kubernetes, of Knative and of the others, where unknown members fail."""

from copy import deepcopy

import pytest

from tests.manifests.tools import KNATIVE, OVERLAYS, services

COMPONENTS = sorted(path.parent.name for path in (KNATIVE / "components").glob("*/kustomization.yaml"))


def test_the_overlays_are_those_that_are_documented():
    assert OVERLAYS == ["dev", "production", "staging"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_conforms(kustomize, kubeconform, overlay):
    assert kubeconform.faults(kustomize.overlay(overlay)) == ""


def test_the_base_conforms_by_itself(kustomize, kubeconform):
    assert kubeconform.faults(kustomize.build(KNATIVE / "base")) == ""


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_conforms_by_itself(kustomize, kubeconform, tmp_path, component):
    assert kubeconform.faults(kustomize.upon(KNATIVE / "base", tmp_path, components=[component])) == ""


def test_all_components_go_together(kustomize, kubeconform, tmp_path):
    first = "network-policies"  # private-sinks opens what it closes
    names = sorted(COMPONENTS, key=lambda name: (name != first, name))
    documents = kustomize.upon(KNATIVE / "base", tmp_path, components=names)
    assert kubeconform.faults(documents) == ""


@pytest.mark.parametrize(
    ("member", "value"),
    [("containerConcurency", 5), ("timeoutSeconds", "five"), ("volumes", [{"name": "tmp", "emptydir": {}}])],
)
def test_a_typing_error_does_not_conform(kustomize, kubeconform, member, value):
    service = deepcopy(services(kustomize.overlay("dev"))["ingest"])
    service["spec"]["template"]["spec"][member] = value
    assert member.removesuffix("Seconds") in kubeconform.faults([service])


def test_an_unknown_kind_does_not_conform(kubeconform):
    assert "Secrets" in kubeconform.faults(
        [{"apiVersion": "v1", "kind": "Secrets", "metadata": {"name": "x"}}]
    )
