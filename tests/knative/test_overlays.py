"""Every overlay is what a real cluster takes: Kubernetes' and Knative's own checks, and pods as `restricted` has them."""

import json
import os
import subprocess
from copy import deepcopy
from uuid import uuid4

import pytest
import yaml

from tests.manifests.tools import KNATIVE, OVERLAYS


class Namespace:
    """A namespace of its own, with the overlay that is to be tried in it."""

    def __init__(self, environment, folder, overlay):
        self.name = f"manifests-{overlay}-{uuid4().hex[:6]}"
        self._environment = environment
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.name,
            "resources": [os.path.relpath(KNATIVE / "overlays" / overlay, folder)],
            "images": [{"name": "weir", "newName": "dev.local/weir", "newTag": "tried"}],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        self.documents = list(yaml.safe_load_all(self.kubectl("kustomize", str(folder))))

    def kubectl(self, *arguments, given=None, check=True):
        ran = subprocess.run(
            ["kubectl", *arguments],
            env=self._environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or ran.returncode == 0, f"kubectl {' '.join(arguments)}: {ran.stderr}"
        return ran.stdout + ran.stderr

    def apply(self, documents, *options, check=True):
        return self.kubectl("apply", *options, "-f", "-", given=yaml.safe_dump_all(documents), check=check)

    def of(self, *kinds):
        return [document for document in self.documents if document["kind"] in kinds]


@pytest.fixture(params=OVERLAYS, scope="module")
def namespace(cluster, tmp_path_factory, request):
    tried = Namespace(cluster._environment, tmp_path_factory.mktemp("tried"), request.param)
    # What the others are checked against has to be there: a namespace, and who pods are.
    tried.apply(tried.of("Namespace", "ServiceAccount"))
    yield tried
    tried.kubectl("delete", "namespace", tried.name, "--wait=false")


def test_the_cluster_takes_an_overlay_as_it_is(namespace):
    said = namespace.apply(namespace.documents, "--dry-run=server")
    assert "warning" not in said.lower()  # of what a pod may not, above all
    assert said.count("(server dry run)") == len(namespace.documents)


def test_the_cluster_refuses_a_typing_error(namespace):
    (broken,) = deepcopy([d for d in namespace.of("Service") if d["metadata"]["name"] == "ingest"])
    broken["spec"]["template"]["spec"]["containerConcurency"] = 5
    assert "containerConcurency" in namespace.apply([broken], "--dry-run=server", check=False)


def test_a_pod_with_rights_is_not_let_in(namespace):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged", "namespace": namespace.name},
        "spec": {"containers": [{"name": "x", "image": "x", "securityContext": {"privileged": True}}]},
    }
    assert "violates PodSecurity" in namespace.apply([pod], "--dry-run=server", check=False)


def test_the_migration_s_pod_is_let_in(namespace):
    (job,) = namespace.of("Job")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tried", "namespace": namespace.name},
        "spec": job["spec"]["template"]["spec"],
    }
    said = json.loads(
        namespace.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", given=yaml.safe_dump(pod))
    )
    mounts = said["spec"]["containers"][0]["volumeMounts"]
    assert [mount["mountPath"] for mount in mounts] == ["/tmp"]  # no token beside it
