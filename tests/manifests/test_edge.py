"""The component `edge`, upon an overlay: an nginx that may do nothing but answer and ask the gateway."""

import pytest

from shared.runtime.knative.edge import GATEWAY, LEAVING_SECONDS, ending
from tests.manifests.network import Peer, allowed
from tests.manifests.tools import KNATIVE, one

HOME = "weir-production"
EDGE = Peer(HOME, {"app.kubernetes.io/component": "edge", "app.kubernetes.io/name": "edge"})
INTERNET = Peer(address="198.51.100.7")


@pytest.fixture(scope="module")
def documents(kustomize, tmp_path_factory):
    return kustomize.upon(
        KNATIVE / "overlays/production",
        tmp_path_factory.mktemp("edge"),
        namespace=HOME,
        components=["edge"],
        images=[{"name": "weir", "newName": "registry.example.com/weir", "newTag": "1.4.0"}],
    )


@pytest.fixture(scope="module")
def pod(documents):
    return one(documents, "Deployment", "edge")["spec"]["template"]["spec"]


def test_it_conforms(kubeconform, documents):
    assert kubeconform.faults(documents) == ""


def test_its_configuration_is_named_by_content_so_that_another_one_is_another_pod(documents, pod):
    (name,) = [v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v]
    assert name.startswith("edge-")
    text = (KNATIVE / "components/edge/nginx.conf").read_text()
    assert one(documents, "ConfigMap", name)["data"] == {"nginx.conf": text}


def test_what_it_serves_comes_from_the_image_that_is_deployed(pod):
    (files,) = pod["initContainers"]
    assert files["image"] == "registry.example.com/weir:1.4.0"
    assert {"name": "WEIR_GATEWAY", "value": GATEWAY} in files["env"]
    assert "envFrom" not in files  # no secret


def test_its_containers_have_no_rights_and_an_end_to_their_memory(pod):
    assert pod["automountServiceAccountToken"] is False
    for container in (*pod["initContainers"], *pod["containers"]):
        context = container["securityContext"]
        assert context["runAsNonRoot"]
        assert context["readOnlyRootFilesystem"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["allowPrivilegeEscalation"] is False
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["resources"]["limits"]["memory"]
        writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
        assert writable == (["/tmp"] if container["name"] == "nginx" else ["/tmp", "/srv/edge"])


def test_one_of_two_always_answers(documents, pod):
    deployment = one(documents, "Deployment", "edge")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = one(documents, "PodDisruptionBudget", "edge")["spec"]
    service = one(documents, "Service", "edge", "v1")["spec"]
    for selector in (
        budget["selector"]["matchLabels"],
        service["selector"],
        deployment["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    assert budget["maxUnavailable"] == 1
    (container,) = pod["containers"]
    assert service["ports"][0]["targetPort"] in [port["name"] for port in container["ports"]]
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ending(LEAVING_SECONDS)
    assert pod["terminationGracePeriodSeconds"] > 60 + LEAVING_SECONDS


def test_everybody_may_ask_it_and_it_asks_the_gateway_and_names_alone(documents):
    policies = [d for d in documents if d["kind"] == "NetworkPolicy"]
    for asker in (INTERNET, Peer("ingress-nginx"), Peer(HOME, {"app": "x"})):
        assert allowed(policies, EDGE, "Ingress", asker, 8080)
        assert not allowed(policies, EDGE, "Ingress", asker, 8012)
    assert allowed(policies, EDGE, "Egress", Peer("kourier-system"), 8081)
    assert allowed(policies, EDGE, "Egress", Peer("kube-system"), 53, "UDP")
    for other, port in ((INTERNET, 443), (Peer(address="10.1.2.3"), 5432), (Peer("knative-serving"), 8012)):
        assert not allowed(policies, EDGE, "Egress", other, port)


def test_no_overlay_has_it_unless_it_is_asked_for(kustomize):
    for name in ("dev", "staging", "production"):
        assert "Deployment" not in {d["kind"] for d in kustomize.overlay(name)}
