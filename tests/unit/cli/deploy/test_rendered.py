"""From rendered manifests to a release."""

import copy
from importlib.util import find_spec
from typing import Any

import pytest

from cli.deploy import owner, rendered, smoke
from cli.deploy.rendered import ManifestError, read
from tests.support.served import ROOT
from tests.unit.cli.deploy import manifests


def test_everything_has_its_place() -> None:
    release = read(manifests.rendered(), None, {})
    assert list(release.services) == ["dispatch", "explore", "ingest"]
    assert [d["kind"] for d in release.before] == ["ServiceAccount", "Broker", "SinkBinding"]
    assert [d["kind"] for d in release.after] == ["Trigger", "PingSource"]
    assert release.namespace == "weir"
    assert release.images == ["weir:1"]


def test_the_same_is_the_same_release_and_anything_else_is_another() -> None:
    first = read(manifests.rendered(), None, {"wakes": "http://broker"})
    assert read(manifests.rendered(), None, {"wakes": "http://broker"}).wanted == first.wanted
    assert read(manifests.rendered("weir:2"), None, {"wakes": "http://broker"}).id != first.id
    assert read(manifests.rendered(A="b"), None, {"wakes": "http://broker"}).id != first.id


def test_what_a_binding_writes_makes_another_revision_of_those_that_it_binds() -> None:
    one = read(manifests.rendered(), None, {"wakes": "http://broker"}).wanted
    other = read(manifests.rendered(), None, {"wakes": "http://kafka"}).wanted
    assert one["explore"] == other["explore"]
    assert one["ingest"] != other["ingest"]
    assert one["dispatch"] != other["dispatch"]


def test_an_image_takes_the_place_of_every_other() -> None:
    release = read(manifests.rendered(), "registry/weir@sha256:abc", {})
    assert release.images == ["registry/weir@sha256:abc"]
    assert rendered.image_of(release.migration["spec"]["template"]["spec"]) == "registry/weir@sha256:abc"


def test_the_edge_comes_by_itself_with_the_image_and_makes_no_other_release() -> None:
    release = read(manifests.rendered(), "registry/weir:2", {})
    (edge,) = release.edge
    pod = edge["spec"]["template"]["spec"]
    assert pod["initContainers"][0]["image"] == "registry/weir:2"
    assert pod["containers"][0]["image"] == "nginx:1"
    assert release.id == read(without("Deployment"), "registry/weir:2", {}).id


def test_only_the_edge_comes_later_than_the_functions() -> None:
    """Functions may need any other Deployment to become ready."""
    pooler = manifests.edge("weir:1")
    pooler["metadata"] |= {"name": "pgbouncer", "labels": {"app.kubernetes.io/component": "pooler"}}
    bare = manifests.edge("weir:1")
    bare["metadata"] = {"name": "bare", "namespace": "weir"}
    front = {"apiVersion": "v1", "kind": "Service", "metadata": manifests.edge("weir:1")["metadata"]}
    release = read([*manifests.rendered(), pooler, bare, front], None, {})
    assert [d["metadata"]["name"] for d in release.before if d["kind"] == "Deployment"] == [
        "pgbouncer",
        "bare",
    ]
    assert [d["kind"] for d in release.after] == ["Trigger", "PingSource"]
    assert [d["kind"] for d in release.edge] == ["Deployment", "Service"]


def test_what_was_given_is_not_changed() -> None:
    documents = manifests.rendered()
    before = copy.deepcopy(documents)
    read(documents, "weir:9", {})
    assert documents == before


def test_names_are_short_enough_for_a_tag_address() -> None:
    release = read(manifests.rendered(), None, {})
    for name, revision in release.wanted.items():
        assert revision.startswith(f"{name}-")
        assert len(revision) == len(name) + 9


@pytest.mark.parametrize("image", ["weir", "registry:5000/weir", "weir:latest"])
def test_an_image_that_says_nothing_is_refused(image: str) -> None:
    with pytest.raises(ManifestError, match="tag"):
        read(manifests.rendered(), image, {})


def without(kind: str) -> list[Any]:
    return [d for d in manifests.rendered() if d is None or d["kind"] != kind]


def test_manifests_that_are_not_of_weir_are_refused() -> None:
    with pytest.raises(ManifestError, match="no Knative Service"):
        read(without("Service"), None, {})
    with pytest.raises(ManifestError, match="one Job"):
        read(without("Job"), None, {})
    documents = manifests.rendered()
    documents[0]["metadata"]["namespace"] = "other"
    with pytest.raises(ManifestError, match="other, weir"):
        read(documents, None, {})


def test_what_jobs_run_is_in_the_image() -> None:
    """Which has no command in it: infra/docker/Dockerfile copies these folders."""
    dockerfile = (ROOT / "infra/docker/Dockerfile").read_text()
    for module in (rendered.MIGRATION, smoke.MODULE, owner.MODULE):
        package = module.partition(".")[0]
        assert f"\nCOPY {package} {package}\n" in dockerfile
        assert find_spec(module) is not None


def test_the_job_runs_other_things_in_the_same_pod() -> None:
    release = read(manifests.rendered(), None, {})
    made = rendered.job(release.migration, "smoke-1", ["http://a"], "shared.runtime.inside")
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "shared.runtime.inside"]
    assert container["args"] == ["http://a"]
    assert container["image"] == "weir:1"
    assert release.migration["metadata"]["name"] == "migrate-abc"


def test_a_job_may_have_the_image_and_the_settings_of_a_revision() -> None:
    release = read(manifests.rendered(), None, {})
    pod = {
        "containers": [
            {"name": "weir", "image": "weir:2", "envFrom": [{"secretRef": {"name": "weir-settings"}}]}
        ]
    }
    made = rendered.job(release.migration, "owner-1", ["ann@example.com"], "shared.auth.owner")
    rendered.run_as(made, pod)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "weir-settings"}}]
    assert container["image"] == "weir:2"
    (before,) = release.migration["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in before
