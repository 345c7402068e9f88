"""What works on a cluster's database runs there, as what serves does, and its outcome is told here."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cli.deploy import programs
from cli.errors import CommandError
from tests.integration.deploy.api_server import ApiServer
from tests.integration.deploy.test_owner import JOBS, SERVING, function
from tests.unit.cli.deploy import manifests

SAID = {"key": "2027", "sealed": 12, "left": {}, "unreadable": []}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        server.prints = f"12 of 12: subscriptions\n{json.dumps(SAID)}\n"
        function(server, "explore", serves="1", template="1")
        yield server


async def run(server: ApiServer) -> dict[str, Any]:
    return await programs.run(
        server.kubernetes(),
        manifests.rendered("weir:9"),
        "secrets",
        "shared.auth.reseal",
        ["--batch", "50"],
        says="sealed",
        seconds=30,
    )


async def test_what_it_says_is_told_and_nothing_of_it_stays(server: ApiServer) -> None:
    assert await run(server) == SAID
    (job,) = server.jobs
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "shared.auth.reseal"]
    assert (container["args"], container["image"]) == (["--batch", "50"], "weir:1")
    assert not [path for path in server.objects if path.startswith(JOBS)]


async def test_keys_in_a_file_are_mounted_there_too(server: ApiServer) -> None:
    revision = server.objects[f"{SERVING}/revisions/explore-1"]
    volume = {"name": "sealing-keys", "secret": {"secretName": "weir-sealing-keys"}}
    mount = {"name": "sealing-keys", "mountPath": "/run/secrets/weir", "readOnly": True}
    revision["spec"]["volumes"] = [volume]
    revision["spec"]["containers"][0]["volumeMounts"] = [mount]
    await run(server)
    (job,) = server.jobs
    inside = job["spec"]["template"]["spec"]
    assert volume in inside["volumes"]
    assert mount in inside["containers"][0]["volumeMounts"]


async def test_one_that_cannot_be_read_says_what_is_missing(server: ApiServer) -> None:
    server.prints = ""
    assert await run(server) == {}
    error = programs.unread(server.kubernetes(), "count", "run it again")
    assert isinstance(error, CommandError)
    assert "pods/log" in error.hint
