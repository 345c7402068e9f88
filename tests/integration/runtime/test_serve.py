"""Every function runs alone in a process of its own, as on a cluster."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from shared.core.ids import SHARDS
from shared.runtime import registry
from shared.runtime.function import HEAVY
from tests.support.receiver import Receiver
from tests.support.served import ROOT, Served

IMPORTED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)


@pytest.mark.parametrize("function", registry.functions(), ids=lambda f: f.name)
def test_a_function_runs_alone(function, settings):
    """It answers with the imports it declares, is ready on its stores, and ends in order on SIGTERM."""
    arguments = ["-X", "importtime", "-m", "shared.runtime.serve"]
    with Served(arguments, settings, WEIR_FUNCTION=function.name) as served:
        modules = IMPORTED.findall(served.written())
        answer = served.ready()
        assert served.end() == 0
    assert {name.partition(".")[0] for name in modules} & HEAVY <= function.imports
    assert "pydantic.v1.main" not in modules
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert '"level":"error"' not in served.errors


def test_all_functions_run_behind_one_address(settings, tmp_path):
    (tmp_path / "index.html").write_text("<title>Weir</title>")
    with Served(["-m", "shared.runtime.serve", "--all"], settings, WEIR_CONSOLE_DIR=str(tmp_path)) as served:
        with httpx.Client(base_url=served.url, timeout=30) as client:
            assert served.ready().status_code == 200
            assert client.get("/projects/default/events").text == "<title>Weir</title>"
            assert client.post("/projects/default/events").status_code == 405
            for path in ("/v1", "/v1/nothing", "/in", "/sink/a/b/c"):
                assert client.get(path).headers["content-type"] == "application/problem+json", path
            assert client.get("/missing.js").status_code == 404
            assert client.get("/config.json").json()["apiUrl"] == ""
            document = client.get("/openapi.json").json()
            for path, methods in document["paths"].items():
                if "get" in methods and methods["get"].get("security") != []:
                    answer = client.get(path.replace("{", "").replace("}", ""))
                    assert answer.status_code == 401, path
        assert served.end() == 0
    assert '"level":"error"' not in served.errors


def test_an_inherited_socket_is_served_by_several_processes(settings):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd = listening.fileno()
        environment = {
            **os.environ,
            "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
            "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
            "WEIR_SECRET": settings.secret.get_secret_value(),
        }
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "shared.runtime.serve", "--all", "--fd", str(fd)],
                cwd=ROOT,
                env=environment,
                pass_fds=[fd],
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/healthz"
        try:
            # The socket listens before any worker does, so the first answer comes when one has started.
            assert httpx.get(url, timeout=60).status_code == 200
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            ends = [worker.wait(40) for worker in workers]
    assert 0 in ends
    assert set(ends) <= {0, -signal.SIGTERM}  # one of them may not have come far enough to drain


def test_a_request_under_way_ends_before_the_process_does(settings, tmp_path):
    arrived = tmp_path / "arrived"
    answers = []
    with Served(["-m", "tests.support.slow_function"], settings, ARRIVED=str(arrived)) as served:
        asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{served.url}/slow", timeout=30)))
        asking.start()
        deadline = time.monotonic() + 20
        while not arrived.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert served.end() == 0
        asking.join()
    assert answers[0].text == "draining: True"
    assert "drained" in served.errors


def test_ingest_has_a_dispatcher_started_beside_it(settings):
    """On Knative, where an event has started it."""
    with (
        Receiver() as broker,
        Served(["-m", "shared.runtime.serve"], settings, WEIR_FUNCTION="ingest", K_SINK=broker.url) as served,
    ):
        assert httpx.get(f"{served.url}/healthz", timeout=30).status_code == 200
        deadline = time.monotonic() + 30
        while not broker.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        ((headers, body),) = broker.requests
        assert headers["ce-type"] == "dev.weir.wake"
        assert json.loads(body) == {"shards": list(range(SHARDS))}
        assert served.end() == 0


def test_that_dispatcher_does_not_wait_until_the_server_is_loaded():
    program = (
        "import sys, shared.runtime.serve; from shared.runtime.early import EarlyWake;"
        " EarlyWake.sent().connection(); print(*sys.modules)"
    )
    with Receiver() as broker:
        environment = {**os.environ, "K_SINK": broker.url}
        ended = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert [headers["ce-type"] for headers, _ in broker.requests] == ["dev.weir.wake"]
    assert not {"pydantic", "uvicorn", "starlette", "uvloop"} & set(ended.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a function"),
        (["nothing"], "there is no function 'nothing'; there are "),
        (["ingest"], "database_url"),
    ],
)
def test_it_says_what_is_missing(arguments, says):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WEIR_")}
    ended = subprocess.run(
        [sys.executable, "-m", "shared.runtime.serve", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert says in ended.stderr
