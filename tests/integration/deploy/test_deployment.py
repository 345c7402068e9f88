"""The loop of a deploy, on an API server where the functions serve the version already and the edge does not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.deploy import edge, names, rendered
from cli.deploy.deployment import Deployment, Options, Outcome
from cli.deploy.kubernetes import Kubectl
from cli.deploy.lease import Lease
from cli.errors import CommandError
from tests.integration.deploy.api_server import ApiServer
from tests.unit.cli.deploy import manifests

SERVING = "/apis/serving.knative.dev/v1/namespaces/weir"
EDGE = "/apis/apps/v1/namespaces/weir/deployments/edge"
PODS = "/api/v1/namespaces/weir/pods"
READY = {"conditions": [{"type": "Ready", "status": "True"}], "sinkUri": "http://broker"}
PART = {"app.kubernetes.io/part-of": "weir"}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """Where version 2 serves, migrated, and the edge is of version 1."""
    release = rendered.read(manifests.rendered("weir:2"), None, {"wakes": "http://broker"})
    async with ApiServer() as server:
        for name, wanted in release.wanted.items():
            labels = PART | {names.SERVICE_OF: name}
            notes = {names.RELEASE: release.id, names.PHASE: "settled", names.WANTED: wanted}
            server.put(
                f"{SERVING}/services/{name}",
                {
                    "metadata": {"name": name, "generation": 1, "labels": labels, "annotations": notes},
                    "spec": {
                        "template": {"metadata": {"name": wanted}},
                        "traffic": [{"revisionName": wanted, "percent": 100}],
                    },
                    "status": {
                        "observedGeneration": 1,
                        "conditions": [{"type": "RoutesReady", "status": "True"}],
                    },
                },
            )
            server.put(
                f"{SERVING}/revisions/{wanted}",
                {
                    "metadata": {"name": wanted, "labels": labels},
                    "spec": {"containers": [{"name": "weir", "image": "weir:2"}]},
                    "status": READY,
                },
            )
        binding = {"metadata": {"name": "wakes", "labels": PART}, "status": READY}
        server.put("/apis/sources.knative.dev/v1/namespaces/weir/sinkbindings/wakes", binding)
        broker = {"metadata": {"name": "weir", "labels": PART}, "status": READY}
        server.put("/apis/eventing.knative.dev/v1/namespaces/weir/brokers/weir", broker)
        job = f"migrate-{release.id}"
        ended = {"conditions": [{"type": "Complete", "status": "True"}]}
        server.put(f"/apis/batch/v1/namespaces/weir/jobs/{job}", {"metadata": {"name": job}, "status": ended})
        pod = {
            "name": "m",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"batch.kubernetes.io/job-name": job},
        }
        server.put(f"{PODS}/m", {"metadata": pod, "status": {"phase": "Succeeded"}})
        server.logs["m"] = '{"head": "0001", "at": "0001"}'
        server.put(EDGE, deployment(1, updated=2))
        yield server


def deployment(generation: int, updated: int) -> dict[str, Any]:
    document = manifests.edge("weir:1")
    document["metadata"]["generation"] = generation
    counts = {"replicas": 2, "updatedReplicas": updated, "availableReplicas": 2}
    return document | {"status": {"observedGeneration": generation, **counts}}


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What `kubectl apply` was given, a line each."""
    program, given = tmp_path / "kubectl", tmp_path / "applied"
    program.write_text(f"#!/bin/sh\n/bin/cat >> {given}; echo >> {given}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(edge, "LOOK_SECONDS", 0.01)
    return given


def kinds(applied: Path) -> list[list[str]]:
    return [[d["kind"] for d in json.loads(line)["items"]] for line in applied.read_text().splitlines()]


async def deployed(server: ApiServer, timeout: float, told: list[str]) -> Outcome:
    kubernetes = server.kubernetes(Kubectl(None))
    lease = Lease(kubernetes)
    async with lease.held(told.append):
        return await Deployment(
            kubernetes,
            lease,
            manifests.rendered("weir:2"),
            image=None,
            options=Options(timeout=timeout),
            tell=told.append,
        ).run()


async def test_the_edge_is_applied_last_and_waited_for(server: ApiServer, applied: Path) -> None:
    told: list[str] = []
    assert (await deployed(server, 30, told)).state == "done"
    assert kinds(applied) == [
        ["ServiceAccount", "Broker", "SinkBinding"],
        ["Trigger", "PingSource"],
        ["Deployment"],
    ]
    assert told[-1] == "roll out: edge"


async def test_an_edge_that_does_not_start_fails_the_deploy_and_the_functions_stay(
    server: ApiServer, applied: Path
) -> None:
    services = {path: dict(o) for path, o in server.objects.items() if path.startswith(SERVING)}
    server.put(EDGE, deployment(2, updated=1))
    told: list[str] = []
    with pytest.raises(CommandError, match="deployment/edge does not: 1 of 2 replicas are new") as late:
        await deployed(server, 0.5, told)
    assert late.value.exit_code == 1
    assert told[-2:] == ["roll out: edge", "  edge: 1 of 2 replicas are new"]
    assert {path: server.objects[path] for path in services} == services
    server.put(EDGE, deployment(2, updated=2))
    assert (await deployed(server, 30, told)).state == "done"
