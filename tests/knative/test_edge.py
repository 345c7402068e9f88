"""One address for all functions, which rest at zero: by the edge, through Knative's gateway inside the cluster."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.runtime import registry
from tests.knative import edge
from tests.knative.cluster import Cluster
from tests.knative.events import fetch
from tests.knative.tool import ROOT
from tests.knative.waiting import say
from tests.support.projects import Project

ENDPOINTS = {f.name for f in registry.functions() if not f.is_handler}


@pytest.fixture(scope="module")
def address(weir: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    edge.install(weir, tmp_path_factory.mktemp("edge"), edge.nginx_image(tmp_path_factory.mktemp("nginx")))
    with edge.forwarded(weir) as url:
        yield url


@pytest.fixture
def client(address: str, project: Project) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=project.headers, timeout=60) as opened:
        yield opened


def owner(weir: Cluster, project: Project) -> str:
    """The token of a link that lets an owner of the project in: the way of whoever comes first."""
    overlay = ["--overlay", str(weir.overlay), "--project", project.name, "-o", "json"]
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", "deploy", "owner", "--email", "ann@example.com", *overlay],
        cwd=ROOT,
        env=weir.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    page, _, token = json.loads(ended.stdout)["link"].partition("#token=")
    assert page == f"{weir.gateway}/sign-in/link"  # the tests' WEIR_PUBLIC_URL
    assert not [j for j in weir.get("jobs") if j["metadata"]["name"].startswith("owner-")]
    return str(token)


def an_event(number: int, data: str = "x") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/tests/edge",
        "type": "com.example.edge",
        "data": data,
    }


def test_every_function_is_woken_at_one_address(
    weir: Cluster, project: Project, client: httpx.Client, figures: dict[str, Any]
) -> None:
    weir.wait_zero()
    own = f"/v1/projects/{project.name}"
    headers = {"content-type": "application/cloudevents+json"}
    started = time.perf_counter()
    answer = client.post(f"/in/{project.name}", content=json.dumps(an_event(0)), headers=headers)
    seconds = time.perf_counter() - started
    assert answer.status_code == 202, answer.text
    for path in ("events", "deliveries", "subscriptions", "types", "sink"):
        assert client.get(f"{own}/{path}").status_code == 200, path
    assert client.get(f"{own}/keys").status_code in {200, 403}
    assert "keys" in client.get("/.well-known/jwks.json").json()
    assert client.get("/v1/me").headers["content-type"] in {"application/json", "application/problem+json"}
    assert set(weir.pods()) >= ENDPOINTS
    figures["first event by the edge, from zero (s)"] = round(seconds, 2)
    say(f"the first event by the edge, from zero: {seconds:.2f} s")


def test_the_console_and_its_session_are_at_the_same_address(
    weir: Cluster, project: Project, address: str
) -> None:
    token = owner(weir, project)
    with httpx.Client(base_url=address, timeout=60) as browser:
        page = browser.get(f"/p/{project.name}/events")
        assert page.headers["content-type"].startswith("text/html")
        assert browser.get("/config.json").json()["apiUrl"] == ""
        assert "/in/{project}" in browser.get("/openapi.json").json()["paths"]
        foreign = {"origin": "https://other.example.com"}
        assert browser.post("/v1/auth/link", json={"token": token}, headers=foreign).status_code == 403
        own = {"origin": weir.gateway}
        assert browser.post("/v1/auth/link", json={"token": token}, headers=own).status_code == 200
        session = browser.post("/v1/auth/refresh", headers=own)
        assert session.status_code == 200, session.text
        bearer = {"authorization": f"Bearer {session.json()['accessToken']}"}
        assert browser.get(f"/v1/projects/{project.name}/events", headers=bearer).status_code == 200


def test_a_batch_as_large_as_may_be_passes(weir: Cluster, project: Project, client: httpx.Client) -> None:
    batch = json.dumps([an_event(number, "y" * 80_000) for number in range(1, 101)])
    assert 8_000_000 < len(batch) < 8 * 1024 * 1024
    headers = {"content-type": "application/cloudevents-batch+json"}
    answer = client.post(f"/in/{project.name}", content=batch, headers=headers)
    assert answer.is_success, answer.text
    (found,) = fetch(
        weir,
        "SELECT count(*) AS n FROM events WHERE project_id = $1 AND source = $2",
        project.id,
        "/tests/edge",
    )
    assert found["n"] == 101
    too_large = client.post(f"/in/{project.name}", content=b" " * 9 * 1024 * 1024, headers=headers)
    assert too_large.status_code == 413
    assert too_large.json()["type"].endswith("/too-large")


def test_a_function_learns_who_asked(project: Project, client: httpx.Client) -> None:
    sent = {"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https", "x-marked": "by the edge"}
    assert client.post(f"/sink/{project.name}", content=b"{}", headers=sent).is_success
    answer = client.get(f"/v1/projects/{project.name}/sink").json()
    (seen,) = [
        headers
        for headers in ({k.lower(): v for k, v in dict(r["headers"]).items()} for r in answer["requests"])
        if headers.get("x-marked") == "by the edge"
    ]
    first, *hops = seen["x-forwarded-for"].split(", ")
    assert first == "198.51.100.7"
    assert len(hops) >= 2  # the edge's peer, Kourier's, and the activator's while it is on the way
    assert seen["x-forwarded-proto"] == "https"


def test_nobody_notices_that_the_edge_is_replaced(weir: Cluster, address: str) -> None:
    asking = edge.Asking(weir)
    weir.kubectl("rollout", "restart", "deployment/edge")
    weir.kubectl("rollout", "status", "deployment/edge", "--timeout=180s")
    found = asking.end()
    say(f"while the edge was replaced: {found}")
    assert found["wrong"] == []
    assert isinstance(found["asked"], int)
    assert found["asked"] > 50


def test_all_rest_again_and_the_edge_does_not(weir: Cluster, address: str) -> None:
    say(f"at zero again after {weir.wait_zero():.0f} s")
    (deployment,) = weir.get("deployment", "-l", "app.kubernetes.io/component=edge")
    assert deployment["status"]["readyReplicas"] == 2
