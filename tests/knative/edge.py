"""The component `edge` in the namespace of a Weir, with an nginx that the cluster can have."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import yaml

from shared.runtime.knative.edge import IMAGE
from tests.knative.cluster import Cluster
from tests.knative.tool import Tool
from tests.manifests.tools import KNATIVE

DEBIAN = """\
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists/*
USER 101:101
"""
"""It names no signal, so Kubernetes sends SIGTERM, which cuts what is open: that nobody notices is the hook's doing."""


def nginx_image(folder: Path) -> str:
    """The image of nginx that the manifests name; where nothing can be pulled, one with Debian's.

    WEIR_EDGE_IMAGE names one that is there already.
    """
    if there := os.environ.get("WEIR_EDGE_IMAGE"):
        return there
    tool = Tool.find()
    if "KUBECONFIG" in os.environ or tool is None:
        return IMAGE
    (folder / "Dockerfile").write_text(DEBIAN)
    name = f"dev.local/nginx:{uuid4().hex[:8]}"
    return tool.build(name, folder)


def install(weir: Cluster, folder: Path, nginx: str) -> None:
    """Apply the component and wait until it answers."""
    images = {"weir": weir.image, IMAGE.rpartition(":")[0]: nginx}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": weir.namespace,
        "components": [os.path.relpath(KNATIVE / "components/edge", folder)],
        "images": [
            {"name": name, "newName": new.rpartition(":")[0], "newTag": new.rpartition(":")[2]}
            for name, new in images.items()
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    weir.kubectl("apply", "-k", str(folder))
    weir.kubectl("rollout", "status", "deployment/edge", "--timeout=180s")


@contextmanager
def forwarded(weir: Cluster) -> Iterator[str]:
    """The address of the edge on this machine."""
    process = subprocess.Popen(
        ["kubectl", "-n", weir.namespace, "port-forward", "service/edge", ":80"],
        env=weir.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield f"http://127.0.0.1:{found.group(1)}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


ASKING = """
import http.client, json, os, time
asked, wrong, slowest = 0, [], 0.0
while not os.path.exists("/tmp/end"):
    began = time.monotonic()
    try:
        connection = http.client.HTTPConnection("edge", timeout=30)
        connection.request("GET", "/.well-known/jwks.json")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            wrong.append(answer.status)
        connection.close()
    except OSError as error:
        wrong.append(repr(error))
    asked, slowest = asked + 1, max(slowest, time.monotonic() - began)
    time.sleep(0.02)
print(json.dumps({"asked": asked, "wrong": wrong, "slowest": slowest}))
"""


class Asking:
    """A pod that asks a function by the edge, again and again, each time over a new connection."""

    def __init__(self, weir: Cluster) -> None:
        self._weir = weir
        self._name = f"asking-{uuid4().hex[:6]}"
        container = {"name": "asking", "image": weir.image, "command": ["python", "-uc", ASKING]}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self._name},
            "spec": {"restartPolicy": "Never", "containers": [container]},
        }
        weir.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        weir.kubectl("wait", f"pod/{self._name}", "--for=condition=Ready", "--timeout=60s")

    def end(self) -> dict[str, object]:
        """`asked`, what was `wrong`, and the seconds of the `slowest`."""
        self._weir.kubectl("exec", self._name, "--", "python", "-c", "open('/tmp/end', 'w')")
        self._weir.kubectl(
            "wait", f"pod/{self._name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"
        )
        found: dict[str, object] = json.loads(self._weir.kubectl("logs", self._name))
        return found
