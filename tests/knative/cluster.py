"""A namespace of a Knative with Weir's generated base in it."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import yaml

from tests.knative.stores import Stores
from tests.knative.tool import ROOT
from tests.knative.waiting import eventually, say

BASE = ROOT / "infra/knative/base"
GONE_SECONDS = 150
APPLY_ATTEMPTS = 4
SERVICE = "serving.knative.dev/service"
Expose = Callable[[str], AbstractContextManager[str]]


class Cluster:
    """One namespace. `exposed` makes a server on this machine's loopback reachable for pods while it is open."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        image: str,
        gateway: str,
        stores: Stores,
        folder: Path,
        exposed: Expose,
    ) -> None:
        self.namespace = os.environ.get("WEIR_KNATIVE_NAMESPACE") or f"weir-{uuid4().hex[:6]}"
        self.image = image
        self.gateway = gateway
        self.stores = stores
        self.exposed = exposed
        self.secret = uuid4().hex + uuid4().hex
        self._environment = dict(environment)
        self._folder = folder
        self._hosts: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl needs to find the cluster."""
        return self._environment

    @property
    def overlay(self) -> Path:
        """The overlay that was installed."""
        return self._folder

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in the namespace; its stdout. AssertionError with what it says when it fails."""
        ended = subprocess.run(
            ["kubectl", "-n", self.namespace, *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or ended.returncode == 0, f"kubectl {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """The items of `kubectl get`."""
        return list(json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"])

    def install(self) -> None:
        """The settings, then the generated base with the image filled in."""
        self.kubectl("create", "namespace", self.namespace)
        settings = {
            "WEIR_DATABASE_URL": self.stores.database,
            "WEIR_REDIS_URL": self.stores.redis_url,
            "WEIR_SECRET": self.secret,
            "WEIR_SINK_ALLOW": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
            "WEIR_PUBLIC_URL": self.gateway,
        }
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "weir-settings"},
            "stringData": settings,
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(secret))
        name, _, tag = self.image.rpartition(":")
        overlay = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": [os.path.relpath(BASE, self._folder)],
            "images": [{"name": "weir", "newName": name, "newTag": tag}],
        }
        (self._folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        self.apply()

    def apply(self) -> None:
        """Make the namespace what the base says; safe to repeat. It is, where a webhook of Knative's is not up to it at once."""
        folder = str(self._folder)
        for _ in range(APPLY_ATTEMPTS - 1):
            try:
                self.kubectl("apply", "-k", folder)
            except AssertionError as error:
                if "failed calling webhook" not in str(error):
                    raise
                say(f"again: {error}")
            else:
                return
        self.kubectl("apply", "-k", folder)

    def stop_ticks(self) -> None:
        """No tick from here on."""
        self.kubectl("delete", "pingsource", "--all")

    def start_ticks(self) -> None:
        """Bring the ticks back, as they were installed."""
        self.apply()

    def remove(self) -> None:
        """Drop the namespace with everything in it."""
        self.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def wait_ready(self, seconds: int = 240) -> None:
        """Until the migration has ended and every part says that it is ready."""
        limit = f"--timeout={seconds}s"
        self.kubectl(
            "wait", "job", "-l", "app.kubernetes.io/component=migration", "--for=condition=Complete", limit
        )
        for kind in ("broker", "ksvc", "trigger", "pingsource", "sinkbinding"):
            self.kubectl("wait", kind, "--all", "--for=condition=Ready", limit)

    def pods(self) -> list[str]:
        """The functions that have a pod; one that is ending counts no more."""
        return sorted(pod["metadata"]["labels"][SERVICE] for pod in self.living())

    def living(self, function: str | None = None) -> list[dict[str, Any]]:
        """The pods of a function, or of all, that are not ending."""
        selector = SERVICE if function is None else f"{SERVICE}={function}"
        return [p for p in self.get("pods", "-l", selector) if "deletionTimestamp" not in p["metadata"]]

    def wait_zero(self) -> float:
        """Until no function has a pod; the seconds that took."""
        started = time.monotonic()
        eventually("every function at zero pods", lambda: not self.pods(), GONE_SECONDS, every=1)
        return time.monotonic() - started

    def wait_gone(self) -> None:
        """Until no function has a pod, not even one that is ending: those keep what they have reserved on their node."""
        eventually(
            "no pod of any function", lambda: not self.get("pods", "-l", SERVICE), GONE_SECONDS, every=1
        )

    def client(self, function: str, headers: Mapping[str, str]) -> httpx.Client:
        """Requests to a function through the gateway."""
        return httpx.Client(
            base_url=self.gateway, headers={**headers, "host": self.host(function)}, timeout=60
        )

    def host(self, function: str) -> str:
        """The name under which the gateway knows a function."""
        if function not in self._hosts:
            (service,) = [s for s in self.get("ksvc") if s["metadata"]["name"] == function]
            self._hosts[function] = urlsplit(service["status"]["url"]).netloc
        return self._hosts[function]

    def diagnosis(self) -> str:
        """What there is to see when something went wrong."""
        parts = [self.kubectl("get", "ksvc,pods,broker,trigger,pingsource,sinkbinding,job", check=False)]
        parts.append(self.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False)[-6000:])
        for pod in self.get("pods"):
            name = pod["metadata"]["name"]
            log = self.kubectl("logs", name, "-c", "weir", "--tail=40", check=False)
            parts.append(f"--- {name}\n{log}")
        return "\n".join(parts)
