"""What `weir deploy status` and `rollback` say of an edge that is not where the functions are."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.deploy import names
from cli.main import weir
from tests.integration.deploy.api_server import ApiServer
from tests.unit.cli.deploy import manifests

SERVING = "/apis/serving.knative.dev/v1/namespaces/weir"
EDGE = "/apis/apps/v1/namespaces/weir/deployments/edge"
PART = {"app.kubernetes.io/part-of": "weir"}


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[ApiServer]:
    """Version 2 serves and can be taken back; kubectl's proxy leads here."""
    program, socket = tmp_path / "kubectl", tmp_path / "server"
    program.write_text(f"""#!/bin/sh
[ "$1" = proxy ] && ln -s {socket} "${{2#--unix-socket=}}" && exec sleep 60
""")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with ApiServer(socket) as server:
        notes = {names.RELEASE: "r2", names.PHASE: "settled", names.WANTED: "ingest-2"}
        notes[names.BEFORE] = '[["ingest-1", 100]]'
        server.put(
            f"{SERVING}/services/ingest",
            {
                "metadata": {"name": "ingest", "labels": PART, "annotations": notes},
                "spec": {
                    "template": {"metadata": {"name": "ingest-2"}},
                    "traffic": [{"revisionName": "ingest-2", "percent": 100}],
                },
                "status": {"conditions": [{"type": "RoutesReady", "status": "True"}]},
            },
        )
        for version in "12":
            server.put(
                f"{SERVING}/revisions/ingest-{version}",
                {
                    "metadata": {"name": f"ingest-{version}"},
                    "spec": {"containers": [{"name": "weir", "image": f"weir:{version}"}]},
                },
            )
        yield server


def deployment(image: str, updated: int = 2) -> dict[str, Any]:
    counts = {"replicas": 2, "updatedReplicas": updated, "availableReplicas": 2}
    return manifests.edge(image) | {"status": counts}


async def said(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, weir, ["deploy", *words, "-n", "weir"])


async def test_status_tells_of_an_edge_that_is_behind(server: ApiServer) -> None:
    server.put(EDGE, deployment("weir:1", updated=1))
    ended = await said("status", "-o", "json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["edges"] == [
        {"deployment": "edge", "image": "weir:1", "late": "1 of 2 replicas are new"}
    ]
    assert ended.stderr.splitlines() == [
        "deployment/edge: 1 of 2 replicas are new",
        "deployment/edge has weir:1, the functions have weir:2",
    ]


async def test_status_says_nothing_of_an_edge_that_is_where_the_functions_are(server: ApiServer) -> None:
    server.put(EDGE, deployment("weir:2"))
    assert (await said("status")).stderr == ""


async def test_a_rollback_ends_with_how_the_edge_is_taken_back(server: ApiServer) -> None:
    server.put(EDGE, deployment("weir:2"))
    ended = await said("rollback", "--yes")
    assert ended.exit_code == 0, ended.output
    traffic = server.objects[f"{SERVING}/services/ingest"]["spec"]["traffic"]
    assert [share["revisionName"] for share in traffic] == ["ingest-1"]
    (*_, last) = ended.stderr.splitlines()
    assert "deployment/edge has weir:2, the functions have weir:1" in last
    assert "`kubectl -n weir rollout undo deployment/edge`" in last


async def test_a_rollback_where_the_edge_was_not_rolled_out_says_nothing_of_it(server: ApiServer) -> None:
    server.put(EDGE, deployment("weir:1"))
    ended = await said("rollback", "--yes")
    assert ended.exit_code == 0, ended.output
    assert "edge" not in ended.stderr
