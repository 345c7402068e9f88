"""A Knative with Weir's generated base on it, and the tool that starts one on this machine."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import yaml

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "infra/knative/base"
GONE_SECONDS = 150


def say(text: str) -> None:
    """A line of progress: these tests take minutes."""
    sys.stderr.write(f"[knative {time.strftime('%H:%M:%S')}] {text}\n")
    sys.stderr.flush()


def eventually(what: str, ask: Callable[[], Any], seconds: float, every: float = 0.5) -> Any:
    """The first answer of `ask` that is not None or False. AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


@dataclass(frozen=True)
class Stores:
    """The database as this machine reaches it, and both stores as pods do."""

    here: str
    database: str
    redis: str


class Cluster:
    """One namespace of a cluster."""

    def __init__(
        self, environment: Mapping[str, str], *, image: str, gateway: str, stores: Stores, folder: Path
    ) -> None:
        self.namespace = f"weir-{uuid4().hex[:6]}"
        self.image = image
        self.gateway = gateway
        self.stores = stores
        self.secret = uuid4().hex + uuid4().hex
        self._environment = dict(environment)
        self._folder = folder

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
            "WEIR_REDIS_URL": self.stores.redis,
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
        """Make the namespace what the base says; safe to repeat."""
        self.kubectl("apply", "-k", str(self._folder))

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
        label = "serving.knative.dev/service"
        return sorted(
            pod["metadata"]["labels"][label]
            for pod in self.get("pods", "-l", label)
            if "deletionTimestamp" not in pod["metadata"]
        )

    def started(self) -> list[str]:
        """When each pod was asked for, and when its container ran and was ready."""
        lines = []
        for pod in self.get("pods", "-l", "serving.knative.dev/service"):
            at = {c["type"]: c["lastTransitionTime"][11:19] for c in pod["status"]["conditions"]}
            name = pod["metadata"]["labels"]["serving.knative.dev/service"]
            made = pod["metadata"]["creationTimestamp"][11:19]
            lines.append(f"  {name}: made {made}, ready {at.get('Ready')}")
        return lines

    def wait_zero(self) -> float:
        """Until no function has a pod; the seconds that took."""
        started = time.monotonic()
        eventually("every function at zero pods", lambda: not self.pods(), GONE_SECONDS, every=1)
        return time.monotonic() - started

    def client(self, function: str, headers: Mapping[str, str]) -> httpx.Client:
        """Requests to a function through the gateway."""
        (service,) = [s for s in self.get("ksvc") if s["metadata"]["name"] == function]
        host = urlsplit(service["status"]["url"]).netloc
        return httpx.Client(base_url=self.gateway, headers={**headers, "host": host}, timeout=60)

    def diagnosis(self) -> str:
        """What there is to see when something went wrong."""
        parts = [self.kubectl("get", "ksvc,pods,broker,trigger,pingsource,sinkbinding,job", check=False)]
        parts.append(self.kubectl("get", "events", "--sort-by=.lastTimestamp", check=False)[-6000:])
        for pod in self.get("pods"):
            name = pod["metadata"]["name"]
            log = self.kubectl("logs", name, "-c", "weir", "--tail=40", check=False)
            parts.append(f"--- {name}\n{log}")
        return "\n".join(parts)


class Tool:
    """The tool that starts a single-node cluster on this machine."""

    def __init__(self, program: Path) -> None:
        self._program = str(program)

    @classmethod
    def find(cls) -> Self | None:
        program = Path(os.environ.get("CLUSTER", ROOT.parent / "shared/cluster/cluster"))
        return cls(program) if program.exists() else None

    @contextmanager
    def running(self) -> Iterator[dict[str, str]]:
        """A running cluster's environment. One that was down before is down afterwards."""
        was_up = self._run("status", check=False).returncode == 0
        say("the cluster is up" if was_up else "starting the cluster")
        try:
            self._run("up")
            shell = f'eval "$({self._program} env)"; env -0'
            lines = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout
            yield dict(line.split("=", 1) for line in lines.decode().split("\0") if line)
        finally:
            if not was_up:
                say("ending the cluster")
                self._run("down", check=False)

    def image(self) -> str:
        """The image of this work tree, in the cluster; its name. WEIR_IMAGE names one that is there already."""
        if there := os.environ.get("WEIR_IMAGE"):
            return there
        name = f"dev.local/weir:{uuid4().hex[:8]}"
        say(f"building {name}")
        environment = {**os.environ, "CLUSTER": self._program}
        built = subprocess.run(
            [str(ROOT / "infra/docker/build"), name],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr[-3000:]
        loaded = self._run("load", name).stdout.split()[-1]
        if shutil.which("buildah"):  # the cluster has its own copy now
            subprocess.run(["buildah", "rmi", name], capture_output=True, check=False)
        return loaded

    def exposed(self, url: str) -> str:
        """`url` as pods reach it, whose server listens on this machine's loopback."""
        port = urlsplit(url).port
        assert port is not None
        self._run("expose", str(port))
        return url.replace("127.0.0.1", "host.internal")

    def _run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run([self._program, *arguments], capture_output=True, text=True, check=False)
        assert not check or ended.returncode == 0, f"cluster {arguments[0]}: {ended.stderr[-3000:]}"
        return ended
