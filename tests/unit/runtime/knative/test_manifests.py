import pytest

from shared.runtime.function import Function, Scale
from shared.runtime.knative.manifests import manifests

ENDPOINT = Function(name="ingest", summary="", entry="", routes=("/in/{project}",), wakes=True)
HANDLER = Function(
    name="dispatch",
    summary="",
    entry="",
    on=("dev.weir.wake", "dev.weir.tick"),
    timeout_seconds=60,
    scale=Scale(maximum=3, concurrency=4),
    environment={"WEIR_LINGER": "1"},
)
FILES = manifests([ENDPOINT, HANDLER])


def kinds(name):
    return {document["kind"]: document for document in FILES[f"base/{name}"]}


@pytest.mark.parametrize("folder", sorted({path.rpartition("/")[0] for path in FILES}))
def test_every_file_is_in_its_kustomization(folder):
    (found,) = FILES[f"{folder}/kustomization.yaml"]
    patches = [patch["path"] for patch in found.get("patches", [])]
    named = [*found.get("resources", []), *found.get("configurations", []), *patches]
    there = {path.removeprefix(f"{folder}/") for path in FILES if path.startswith(f"{folder}/")}
    assert sorted(named) == sorted(there - {"kustomization.yaml"})


def test_a_service_scales_to_zero_and_runs_without_rights():
    spec = kinds("dispatch.yaml")["Service"]["spec"]["template"]
    assert spec["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] == "0"
    assert spec["metadata"]["annotations"]["autoscaling.knative.dev/max-scale"] == "3"
    assert spec["spec"]["containerConcurrency"] == 4
    assert spec["spec"]["timeoutSeconds"] == 60
    (container,) = spec["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["env"] == [
        {"name": "WEIR_FUNCTION", "value": "dispatch"},
        {"name": "WEIR_LINGER", "value": "1"},
    ]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not kinds("dispatch.yaml")["ServiceAccount"]["automountServiceAccountToken"]


def test_whoever_gets_the_tick_rests_before_the_next_one():
    window = "autoscaling.knative.dev/window"
    template = kinds("dispatch.yaml")["Service"]["spec"]["template"]
    assert template["metadata"]["annotations"][window] == "15s"
    template = kinds("ingest.yaml")["Service"]["spec"]["template"]
    assert window not in template["metadata"]["annotations"]


def test_handlers_are_not_reachable_from_outside():
    visibility = "networking.knative.dev/visibility"
    assert kinds("dispatch.yaml")["Service"]["metadata"]["labels"][visibility] == "cluster-local"
    assert visibility not in kinds("ingest.yaml")["Service"]["metadata"]["labels"]


def test_a_trigger_for_each_type_and_a_ping_for_the_tick():
    trigger = kinds("dispatch.yaml")["Trigger"]
    assert trigger["metadata"]["name"] == "dispatch-wake"
    assert trigger["spec"]["filter"]["attributes"] == {"type": "dev.weir.wake"}
    assert trigger["spec"]["subscriber"]["ref"]["name"] == "dispatch"
    assert kinds("dispatch.yaml")["PingSource"]["spec"]["sink"]["ref"]["name"] == "dispatch"


def test_whoever_wakes_is_bound_to_the_broker():
    binding = kinds("broker.yaml")["SinkBinding"]["spec"]
    label = binding["subject"]["selector"]["matchLabels"]
    assert label.items() <= kinds("ingest.yaml")["Service"]["metadata"]["labels"].items()
    assert not label.items() <= kinds("dispatch.yaml")["Service"]["metadata"]["labels"].items()
    assert binding["sink"]["ref"]["kind"] == "Broker"
