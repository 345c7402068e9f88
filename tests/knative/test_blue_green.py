"""Versions change on a real Knative while requests come at a steady rate: none may fail that a good version takes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest
import yaml
from pydantic import SecretStr

from shared.runtime.settings import Settings
from tests.knative.builds import next_image
from tests.knative.cluster import BASE, Cluster
from tests.knative.steady_load import SteadyLoad, report
from tests.knative.stores import Stores
from tests.knative.tool import ROOT
from tests.knative.waiting import eventually, say
from tests.support.projects import Project, create_project
from tests.support.stores import execute, with_path

RATE = float(os.environ.get("WEIR_KNATIVE_RATE", "50"))
RATES = {"ingest": RATE * 0.8, "explore": RATE * 0.1, "subscriptions": RATE * 0.1}
ENDPOINTS = tuple(RATES)
SETTLE_SECONDS = 5.0


LEFT_OUT = ("archive", "catalog", "housekeep", "identity", "projects")
"""Each version starts every function there is, and two cores are to do it within minutes."""


PATIENT = ("--max-latency", "30s")
"""Latency is what the machine has time for. That it is watched is shown elsewhere."""

SMALL = """
- {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: 5m}
- {op: add, path: /spec/template/metadata/annotations/queue.sidecar.serving.knative.dev~1cpu-resource-request, value: 5m}
"""
"""Two versions of everything have room on a node of two cores, beside all else that it runs."""


def _service(name: str) -> dict[str, str]:
    return {"group": "serving.knative.dev", "kind": "Service", "name": name}


def _gone(version: str, kind: str, name: str) -> str:
    return yaml.safe_dump(
        {"$patch": "delete", "apiVersion": version, "kind": kind, "metadata": {"name": name}}
    )


@dataclass
class Weir:
    """A namespace that is deployed to by `weir deploy`, and what comes of it."""

    cluster: Cluster
    folder: Path
    next: str
    project: Project | None = None

    @property
    def environment(self) -> dict[str, str]:
        key = {} if self.project is None else {"WEIR_SMOKE_API_KEY": self.project.key}
        return {**self.cluster.environment, **key, "COLUMNS": "200"}

    def overlay(self, environment: dict[str, str] | None = None, function: str = "ingest") -> Path:
        """A folder whose manifests are the base's, with more in one function's environment."""
        folder = self.folder / uuid4().hex[:8]
        folder.mkdir()
        patch = [
            {"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": n, "value": v}}
            for n, v in (environment or {}).items()
        ]
        patches = [{"target": _service(function), "patch": yaml.safe_dump(patch)}] if patch else []
        patches.append({"target": {"group": "serving.knative.dev", "kind": "Service"}, "patch": SMALL})
        patches += [
            {"target": _service(name), "patch": _gone("serving.knative.dev/v1", "Service", name)}
            for name in LEFT_OUT
        ]
        ping = {"group": "sources.knative.dev", "kind": "PingSource", "name": "housekeep-tick"}
        patches.append(
            {"target": ping, "patch": _gone("sources.knative.dev/v1", "PingSource", "housekeep-tick")}
        )
        document = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.cluster.namespace,
            "resources": [os.path.relpath(BASE, folder)],
            "patches": patches,
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(document))
        return folder

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cli.main", "deploy", *words]

    def weir(self, *words: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run `weir deploy …`; what it says is shown. AssertionError when it ends with another code."""
        say(f"weir deploy {' '.join(words)}")
        with subprocess.Popen(
            self.command(*words),
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                say(f"  {line.rstrip()}")
            printed = process.stdout.read()
        assert process.returncode == code, f"{printed}\n{self.cluster.diagnosis()}"
        return subprocess.CompletedProcess(words, process.returncode, printed, "".join(said))

    def deploy(
        self, overlay: Path, image: str, *more: str, code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        words = ("--overlay", str(overlay), "--image", image, "--gateway", self.cluster.gateway)
        return self.weir(*words, *PATIENT, *more, code=code)

    def serving(self) -> dict[str, str]:
        """The revision that has all the traffic of each function."""
        found = {}
        for service in self.cluster.get("ksvc"):
            (share,) = [t for t in service["status"]["traffic"] if t.get("percent")]
            found[service["metadata"]["name"]] = share["revisionName"]
        return found

    def addresses(self, tag: str = "") -> dict[str, str]:
        """Where functions are reached: by their names, or by a tag of theirs."""
        found = {}
        for service in self.cluster.get("ksvc"):
            name, status = service["metadata"]["name"], service["status"]
            urls = {t.get("tag"): t.get("url") for t in status["traffic"]}
            found[name] = urls[tag] if tag else status["url"]
        return found

    def ask(self, statement: str, *values: object) -> list[asyncpg.Record]:
        async def run() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.cluster.stores.here)
            try:
                return list(await connection.fetch(statement, *values))
            finally:
                await connection.close()

        return asyncio.run(run())


@pytest.fixture(scope="module")
def weir(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weir]:
    """The first version, deployed by the command, with a project and a subscription to everything."""
    following = next_image(cluster.image, tmp_path_factory.mktemp("next"))
    if following is None:
        if os.environ.get("CI") == "true":
            pytest.fail("WEIR_IMAGE_NEXT names no image, and there is no tool that builds one")
        pytest.skip("WEIR_IMAGE_NEXT names no image, and there is no tool that builds one")
    database = f"bluegreen_{uuid4().hex[:8]}"
    asyncio.run(execute(cluster.stores.here, f'CREATE DATABASE "{database}"'))
    stores = Stores(
        with_path(cluster.stores.here, database),
        with_path(cluster.stores.database, database),
        cluster.stores.redis_url,
    )
    own = Cluster(
        cluster.environment,
        image=cluster.image,
        gateway=cluster.gateway,
        stores=stores,
        folder=tmp_path_factory.mktemp("own"),
        exposed=cluster.exposed,
    )
    own.namespace = f"deploy-{uuid4().hex[:6]}"
    made = Weir(own, tmp_path_factory.mktemp("overlays"), following)
    own.kubectl("create", "namespace", own.namespace)
    try:
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "weir-settings"},
            "stringData": {
                "WEIR_DATABASE_URL": stores.database,
                "WEIR_REDIS_URL": stores.redis_url,
                "WEIR_SECRET": own.secret,
                "WEIR_SINK_ALLOW": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
                "WEIR_PUBLIC_URL": own.gateway,
                "WEIR_METRICS_TOKEN": uuid4().hex,
            },
        }
        own.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(secret))
        made.deploy(made.overlay(), own.image, "--watch", "2s")
        made.project = asyncio.run(_project(own))
        _subscribe(made)
        yield made
    except BaseException:
        say(own.diagnosis())
        raise
    finally:
        own.remove()


async def _project(cluster: Cluster) -> Project:
    settings = Settings(
        database_url=SecretStr(cluster.stores.here),
        redis_url=SecretStr(cluster.stores.redis_url),
        secret=SecretStr(cluster.secret),
    )
    connection = await asyncpg.connect(cluster.stores.here)
    try:
        return await create_project(connection, settings)
    finally:
        await connection.close()


def _subscribe(weir: Weir) -> None:
    project = weir.project
    assert project is not None
    sink = f"http://receive.{weir.cluster.namespace}.svc.cluster.local/sink/{project.name}"
    body = {"name": "everything", "filters": [], "sink": sink}
    with weir.cluster.client("subscriptions", project.headers) as client:
        answer = client.post(f"/v1/projects/{project.name}/subscriptions", json=body)
    assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def load(weir: Weir) -> Iterator[SteadyLoad]:
    """Requests that come all the time."""
    assert weir.project is not None
    urls = {name: url for name, url in weir.addresses().items() if name in ENDPOINTS}
    with SteadyLoad(weir.cluster.gateway, urls, weir.project.name, weir.project.key, RATES) as running:
        eventually("answers of all functions", lambda: len(running.accepted) > 50, 60)
        yield running


def nothing_failed(load: SteadyLoad, since: float, what: str) -> None:
    """Of all that was sent since a moment, everything was answered as it should."""
    time.sleep(SETTLE_SECONDS)  # what was just sent shall have ended; nothing is expected of the time itself
    sent = load.since(since)
    say(f"{what}: {report(sent)}")
    assert len(sent) > 20
    assert [r for r in sent if r.failed] == []


def test_the_first_deploy_serves_and_the_same_again_changes_nothing(weir: Weir) -> None:
    assert all(revision.startswith(f"{name}-") for name, revision in weir.serving().items())
    before = weir.serving()
    generations = {s["metadata"]["name"]: s["metadata"]["generation"] for s in weir.cluster.get("ksvc")}
    weir.deploy(weir.overlay(), weir.cluster.image, "--watch", "2s")
    assert weir.serving() == before
    assert {
        s["metadata"]["name"]: s["metadata"]["generation"] for s in weir.cluster.get("ksvc")
    } == generations


def test_killed_while_it_stages_the_next_version_it_goes_on(weir: Weir, load: SteadyLoad) -> None:
    """And then two versions take requests side by side, on the schema that the newer one brought."""
    assert weir.project is not None
    since, before = time.monotonic(), weir.serving()
    overlay = weir.overlay()
    words = ("--overlay", str(overlay), "--image", weir.next, "--gateway", weir.cluster.gateway, "--hold")
    process = subprocess.Popen(
        weir.command(*words), cwd=ROOT, env=weir.environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        say(f"  {line.rstrip()}")
        if "create:" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    say("killed")
    ended = weir.weir(*words, "--smoke-project", weir.project.name)
    assert "held" in ended.stderr
    assert weir.serving() == before
    assert weir.ask(
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'events' AND column_name = 'draft'"
    )
    nothing_failed(load, since, "while the next version was staged")

    since = time.monotonic()
    for name, url in weir.addresses("green").items():
        if name in ENDPOINTS:
            load.also(name, url)
    eventually("requests to both versions", lambda: len(load.since(since)) > 10 * RATE, 60)
    for name, url in weir.addresses().items():
        if name in ENDPOINTS:
            load.only(name, url)
    nothing_failed(load, since, "with two versions side by side")


def test_promoting_and_rolling_back_fail_no_request(weir: Weir, load: SteadyLoad) -> None:
    assert weir.project is not None
    since, before = time.monotonic(), weir.serving()
    weir.weir(
        *("promote", "--overlay", str(weir.overlay()), "--gateway", weir.cluster.gateway, "--watch", "15s"),
        *("--smoke-project", weir.project.name, *PATIENT),
    )
    after = weir.serving()
    assert not set(after.values()) & set(before.values())
    nothing_failed(load, since, "while the next version was promoted and watched")

    since = time.monotonic()
    weir.weir("rollback", "-n", weir.cluster.namespace, "--yes")
    assert weir.serving() == before
    nothing_failed(load, since, "while it was rolled back")


def test_what_fails_its_smoke_gets_no_traffic(weir: Weir, load: SteadyLoad) -> None:
    assert weir.project is not None
    since, before = time.monotonic(), weir.serving()
    overlay = weir.overlay({"WEIR_SECRET": "another"})
    ended = weir.deploy(overlay, weir.cluster.image, "--smoke-project", weir.project.name, code=1)
    assert "the new ingest answered 401" in ended.stderr
    assert weir.serving() == before
    nothing_failed(load, since, "while a version failed its smoke")


def test_what_proves_bad_under_watch_goes_back_by_itself(weir: Weir, load: SteadyLoad) -> None:
    since, before = time.monotonic(), weir.serving()
    overlay = weir.overlay({"WEIR_TEST_FAULT": "errors"})
    ended = weir.deploy(overlay, weir.next, "--watch", "2m", code=1)
    assert "requests failed" in ended.stderr
    assert weir.serving() == before
    sent = load.since(since)
    failed = [r for r in sent if r.failed]
    say(f"while a bad version was promoted and taken back: {report(sent)}")
    say(f"  from the first failed request to the last: {failed[-1].at - failed[0].at:.1f} s")
    assert {r.function for r in failed} == {"ingest"}
    nothing_failed(load, time.monotonic(), "after it was taken back")


def test_what_waited_is_contracted_when_the_version_before_is_gone(weir: Weir, load: SteadyLoad) -> None:
    columns = "SELECT 1 FROM information_schema.columns WHERE table_name = 'events' AND column_name = 'draft'"
    since = time.monotonic()
    early = weir.weir("contract", "--overlay", str(weir.overlay()), "--yes", code=5)
    assert "rolled back" in early.stderr
    assert weir.ask(columns)
    weir.deploy(weir.overlay(), weir.next, "--watch", "5s")
    weir.weir("contract", "--overlay", str(weir.overlay()), "--yes", "--timeout", "3m")
    assert not weir.ask(columns)
    weir.weir("rollback", "-n", weir.cluster.namespace, "--yes", code=3)
    nothing_failed(load, since, "while it was deployed again, and the schema contracted")


def test_all_that_was_accepted_was_delivered_once(weir: Weir, load: SteadyLoad) -> None:
    uids = load.accepted

    def delivered() -> bool:
        rows = weir.ask(
            "SELECT count(*) AS n FROM deliveries WHERE event_uid = ANY($1::uuid[]) AND status = 'delivered'",
            uids,
        )
        return bool(rows[0]["n"] >= len(uids))

    eventually("every event delivered", delivered, 120, every=2)
    rows = weir.ask(
        "SELECT event_uid, count(*) AS n, max(attempt_count) AS attempts FROM deliveries"
        " WHERE event_uid = ANY($1::uuid[]) GROUP BY 1",
        uids,
    )
    assert {row["n"] for row in rows} == {1}
    more = sum(row["attempts"] > 1 for row in rows)
    say(f"{len(uids)} events accepted, each delivered; {more} of them took more than one attempt")


def test_status_says_what_serves(weir: Weir) -> None:
    shown = weir.weir("status", "-n", weir.cluster.namespace)
    assert "settled" in shown.stdout
    missing = httpx.get(
        weir.cluster.gateway,
        headers={"host": f"green-ingest.{weir.cluster.namespace}.example.com"},
        timeout=30,
    )
    assert missing.status_code == 404
