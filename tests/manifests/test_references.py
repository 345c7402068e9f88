"""What a manifest names is there, and names change exactly when what they stand for does."""

import pytest

from shared.runtime import registry
from shared.runtime.knative.manifest import SECRETS
from tests.manifests.tools import KNATIVE, OVERLAYS, one, services

SETTINGS = "weir-settings"
DOCUMENTED = (KNATIVE.parents[1] / "docs/operate/knative.md").read_text()


def pod_specs(documents):
    for document in documents:
        if document["kind"] in {"Service", "Job"}:
            yield document["metadata"]["name"], document["spec"]["template"]["spec"]


def names(documents, kind):
    return {d["metadata"]["name"] for d in documents if d["kind"] == kind}


def job(documents):
    return next(d["metadata"]["name"] for d in documents if d["kind"] == "Job")


@pytest.fixture(params=OVERLAYS)
def documents(request, kustomize):
    return kustomize.overlay(request.param)


def test_every_function_is_there(documents):
    assert services(documents).keys() == {f.name for f in registry.functions()}


def test_everything_is_in_one_namespace_and_is_weir_s(documents):
    (namespace,) = names(documents, "Namespace")
    for document in documents:
        metadata = document["metadata"]
        assert document["kind"] == "Namespace" or metadata["namespace"] == namespace
        assert document["kind"] == "ConfigMap" or metadata["labels"]["app.kubernetes.io/part-of"] == "weir"


def test_the_namespace_lets_nobody_have_rights(documents):
    labels = next(d for d in documents if d["kind"] == "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_pods_have_an_identity_of_their_own_without_a_token(documents):
    accounts = {d["metadata"]["name"]: d for d in documents if d["kind"] == "ServiceAccount"}
    used = [spec["serviceAccountName"] for _, spec in pod_specs(documents)]
    assert sorted(used) == sorted(accounts)
    assert not any(account["automountServiceAccountToken"] for account in accounts.values())
    assert not any(spec["automountServiceAccountToken"] for _, spec in pod_specs(documents))


def test_no_secret_is_in_a_manifest(documents):
    assert "Secret" not in {d["kind"] for d in documents}
    for document in documents:
        assert not SECRETS.keys() & document.get("data", {}).keys()


def test_secrets_come_by_reference_under_names_that_are_documented(documents):
    named = set()
    for _, spec in pod_specs(documents):
        (container,) = spec["containers"]
        sources = [source["secretRef"] for source in container.get("envFrom", []) if "secretRef" in source]
        keys = [v["valueFrom"]["secretKeyRef"] for v in container.get("env", []) if "valueFrom" in v]
        named |= {reference["name"] for reference in (*sources, *keys)}
        assert {reference["key"] for reference in keys} <= SECRETS.keys()
        assert not SECRETS.keys() & {v["name"] for v in container.get("env", []) if "value" in v}
    assert named == {SETTINGS}
    for key in SECRETS:
        assert f"`{key}`" in DOCUMENTED, key


def test_the_migration_knows_the_database_alone(documents):
    (spec,) = (spec for name, spec in pod_specs(documents) if name.startswith("migrate"))
    (container,) = spec["containers"]
    assert "envFrom" not in container
    assert [v["name"] for v in container["env"]] == ["WEIR_DATABASE_URL"]


def test_the_settings_are_those_of_this_overlay(documents):
    (settings,) = names(documents, "ConfigMap")
    for name, spec in pod_specs(documents):
        sources = [
            s["configMapRef"]["name"] for s in spec["containers"][0].get("envFrom", []) if "configMapRef" in s
        ]
        assert sources == ([] if name.startswith("migrate") else [settings])


def test_events_find_their_ways(documents):
    for document in documents:
        spec = document.get("spec", {})
        if document["kind"] == "Trigger":
            assert spec["broker"] in names(documents, "Broker")
            assert spec["subscriber"]["ref"]["name"] in services(documents)
            assert spec["delivery"]["retry"] > 0
            assert {"backoffPolicy", "backoffDelay", "timeout"} <= spec["delivery"].keys()
        if document["kind"] == "PingSource":
            assert spec["sink"]["ref"]["name"] in services(documents)
        if document["kind"] == "SinkBinding":
            assert spec["sink"]["ref"]["name"] in names(documents, "Broker")
            label = spec["subject"]["selector"]["matchLabels"].items()
            bound = {n for n, s in services(documents).items() if label <= s["metadata"]["labels"].items()}
            assert bound == {f.name for f in registry.functions() if f.wakes}


def test_budgets_speak_of_functions_and_never_hold_up_a_node_for_ever(documents):
    for document in documents:
        if document["kind"] == "PodDisruptionBudget":
            labels = document["spec"]["selector"]["matchLabels"]
            assert labels["serving.knative.dev/service"] in services(documents)
            assert document["spec"]["maxUnavailable"] >= 1
            assert document["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_no_overlay_scales_further_than_was_declared(documents):
    for function in registry.functions():
        annotations = services(documents)[function.name]["spec"]["template"]["metadata"]["annotations"]
        least, most = (int(annotations[f"autoscaling.knative.dev/{end}-scale"]) for end in ("min", "max"))
        assert 0 <= least <= most <= function.scale.maximum


def test_all_rest_at_zero_but_in_production(kustomize):
    kept = {
        overlay: {
            name
            for name, service in services(kustomize.overlay(overlay)).items()
            if service["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"]
            != "0"
        }
        for overlay in OVERLAYS
    }
    warm = {f.name for f in registry.functions() if f.scale.warm}
    assert kept == {"dev": set(), "staging": set(), "production": warm}


def test_an_overlay_upon_an_overlay_names_image_namespace_and_settings(kustomize, tmp_path):
    documents = kustomize.upon(
        KNATIVE / "overlays/production",
        tmp_path,
        namespace="mine",
        images=[{"name": "weir", "newName": "registry.example.com/weir", "digest": f"sha256:{'0' * 64}"}],
        configMapGenerator=[
            {"name": SETTINGS, "behavior": "merge", "literals": ["WEIR_PUBLIC_URL=https://weir.example.org"]}
        ],
    )
    assert {spec["containers"][0]["image"] for _, spec in pod_specs(documents)} == {
        f"registry.example.com/weir@sha256:{'0' * 64}"
    }
    assert names(documents, "Namespace") == {"mine"}
    (settings,) = names(documents, "ConfigMap")
    found = one(documents, "ConfigMap", settings)["data"]
    assert found == {"WEIR_LOG_LEVEL": "info", "WEIR_PUBLIC_URL": "https://weir.example.org"}


def test_another_image_is_another_migration_and_the_same_is_the_same(kustomize, tmp_path):
    """A Job cannot be changed: one that had the same name would make `kubectl apply -k` fail at the second version."""

    def build(folder, tag):
        images = [{"name": "weir", "newTag": tag}]
        return job(kustomize.upon(KNATIVE / "overlays/staging", tmp_path / folder, images=images))

    first = build("a", "1")
    assert first == build("b", "1")
    assert first != build("c", "2")
    assert first.startswith("migrate-")
    assert len(first) <= 63 - len("-12345")  # pods are named after it, and names of pods are labels


def test_other_settings_are_another_revision(kustomize, tmp_path):
    def build(folder, level):
        literals = [f"WEIR_LOG_LEVEL={level}"]
        generator = [{"name": SETTINGS, "behavior": "merge", "literals": literals}]
        documents = kustomize.upon(
            KNATIVE / "overlays/staging", tmp_path / folder, configMapGenerator=generator
        )
        return services(documents)["ingest"]["spec"]["template"], job(documents)

    quiet, first = build("a", "warning")
    talkative, second = build("b", "debug")
    assert quiet != talkative
    assert first == second


def test_no_mark_of_the_generator_is_left(kustomize):
    for overlay in OVERLAYS:
        assert "needsHashSuffix" not in kustomize.text(KNATIVE / "overlays" / overlay)
