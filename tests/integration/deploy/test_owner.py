"""The Job that lets an owner in runs what serves, whatever was deployed and taken back meanwhile."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cli.deploy import owner
from cli.errors import CommandError
from tests.integration.deploy.api_server import ApiServer
from tests.unit.cli.deploy import manifests

SERVING = "/apis/serving.knative.dev/v1/namespaces/weir"
JOBS = "/apis/batch/v1/namespaces/weir/jobs"
SAID = {
    "email": "ann@example.com",
    "project": "default",
    "link": "https://a/sign-in/link#token=t",
    "minutes": 15,
}


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        server.prints = f"began\n{json.dumps(SAID)}\n"
        yield server


def pod(version: str) -> dict[str, Any]:
    settings = [{"configMapRef": {"name": f"weir-settings-{version}"}}, {"secretRef": {"name": "weir"}}]
    return {"containers": [{"name": "weir", "image": f"weir:{version}", "envFrom": settings}]}


def function(server: ApiServer, name: str, serves: str, template: str, created: str = "01") -> None:
    """One that serves a version, while the template of its Service is of another."""
    revision = f"{name}-{serves}"
    server.put(
        f"{SERVING}/services/{name}",
        {
            "metadata": {
                "name": name,
                "generation": 1,
                "labels": {"app.kubernetes.io/part-of": "weir"},
            },
            "spec": {
                "template": {"metadata": {"name": f"{name}-{template}"}, "spec": pod(template)},
                "traffic": [{"revisionName": revision, "percent": 100}],
            },
        },
    )
    for version in {serves, template}:
        metadata = {"name": f"{name}-{version}", "creationTimestamp": f"2026-01-{created}T00:00:00Z"}
        server.put(f"{SERVING}/revisions/{metadata['name']}", {"metadata": metadata, "spec": pod(version)})


async def let_in(server: ApiServer) -> dict[str, Any]:
    return await owner.let_in(
        server.kubernetes(), manifests.rendered("weir:9"), ["ann@example.com"], seconds=30
    )


def ran(server: ApiServer) -> dict[str, Any]:
    (job,) = server.jobs
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return dict(container)


async def test_it_has_the_image_and_the_settings_that_serve(server: ApiServer) -> None:
    """A release that was taken back leaves its template, and what it takes its settings from."""
    function(server, "explore", serves="1", template="2")
    assert await let_in(server) == SAID
    container = ran(server)
    assert container["command"] == ["python", "-m", owner.MODULE]
    assert container["args"] == ["ann@example.com"]
    assert container["image"] == "weir:1"
    assert container["envFrom"] == pod("1")["containers"][0]["envFrom"]
    assert not [path for path in server.objects if path.startswith(JOBS)], "its log has a link in it"


async def test_where_several_versions_serve_it_is_the_newest(server: ApiServer) -> None:
    """Which knows the schema, and need not be the last by its name."""
    function(server, "explore", serves="9", template="9", created="01")
    function(server, "ingest", serves="10", template="10", created="02")
    await let_in(server)
    assert ran(server)["image"] == "weir:10"
    assert ran(server)["envFrom"] == pod("10")["containers"][0]["envFrom"]


async def test_an_image_that_a_deploy_would_refuse_may_serve(server: ApiServer) -> None:
    """By `kubectl apply -k`."""
    function(server, "explore", serves="latest", template="latest")
    assert await let_in(server) == SAID
    assert ran(server)["image"] == "weir:latest"


@pytest.mark.parametrize("prints", [None, "", "began\n"])
async def test_without_a_link_it_says_what_to_do(server: ApiServer, prints: str | None) -> None:
    function(server, "explore", serves="1", template="1")
    server.prints = prints
    with pytest.raises(CommandError, match="no link") as unread:
        await let_in(server)
    assert "pods/log" in unread.value.hint
    assert not [path for path in server.objects if path.startswith(JOBS)]


async def test_where_nothing_serves_it_is_not_found(server: ApiServer) -> None:
    with pytest.raises(CommandError, match="no function is deployed") as nothing:
        await let_in(server)
    assert nothing.value.exit_code == 3
