"""What docs/operate/knative.md writes out for a cluster is what it takes."""

import os
import re

import pytest
import yaml

from tests.manifests.tools import KNATIVE, one

PAGE = (KNATIVE.parents[1] / "docs/operate/knative.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)]
ROUTES = [block for block in BLOCKS if "kind" in block]
OVERLAY, PATCHED = (block for block in BLOCKS if "kind" not in block)


@pytest.fixture
def build(kustomize, tmp_path):
    def made(**more):
        relative = os.path.relpath(KNATIVE, tmp_path)
        text = yaml.safe_dump({**OVERLAY, **more}).replace("path/to/infra/knative", relative)
        (tmp_path / "kustomization.yaml").write_text(text)
        return kustomize.build(tmp_path)

    return made


def test_the_overlay_builds_and_conforms(build, kubeconform):
    documents = build()
    assert kubeconform.faults(documents) == ""
    assert {d["metadata"].get("namespace", "weir") for d in documents} == {"weir"}


def test_what_stands_before_the_edge_conforms_and_leads_there(build, kubeconform):
    assert [route["kind"] for route in ROUTES] == ["HTTPRoute", "Ingress"]
    assert kubeconform.faults(ROUTES) == ""
    (port,) = one(build(), "Service", "edge", "v1")["spec"]["ports"]
    gateway, ingress = (route["spec"]["rules"][0] for route in ROUTES)
    assert gateway["backendRefs"] == [{"name": "edge", "port": port["port"]}]
    service = ingress["http"]["paths"][0]["backend"]["service"]
    assert service == {"name": "edge", "port": {"name": port["name"]}}


def test_the_edge_may_be_a_load_balancer_s_itself(build, kubeconform):
    documents = build(**PATCHED)
    assert kubeconform.faults(documents) == ""
    service = one(documents, "Service", "edge", "v1")
    spec = service["spec"]
    assert (spec["type"], spec["ports"][0]["port"]) == ("LoadBalancer", 443)
    said = {n.rpartition("/")[2]: value for n, value in service["metadata"]["annotations"].items()}
    assert said["aws-load-balancer-nlb-target-type"] == "ip"
    # With targets by address the edge would see the load balancer, whose network is trusted, and believe its client.
    assert said["aws-load-balancer-target-group-attributes"] == "preserve_client_ip.enabled=true"
    assert said["aws-load-balancer-scheme"] == "internet-facing"  # internal by itself
