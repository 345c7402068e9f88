"""`weir tail` and `weir listen` follow the stream, go on where it broke off, and send again on a key."""

import json
import os
import pty
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pytest

from cli.receiver import Behaviour, Receiver
from tests.support.weir import COMMAND, LocalWeir

SECONDS = 60


@pytest.fixture
def project(running: LocalWeir) -> LocalWeir:
    """The same Weir as a project of the test's own sees it."""
    made = running.json("projects", "create", f"p-{uuid4().hex[:12]}")
    seen = LocalWeir(
        running.home, WEIR_URL=made["url"], WEIR_PROJECT=made["project"], WEIR_API_KEY=made["apiKey"]
    )
    seen.environment["XDG_CONFIG_HOME"] = str(running.home.parent / uuid4().hex)
    return seen


@pytest.fixture
def target() -> Iterator["Target"]:
    started = Target()
    yield started
    started.receiver.ending.set()
    started.receiver.shutdown()
    started.receiver.server_close()


class Target:
    """A receiver that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.receiver = Receiver(0, Behaviour(), self.got.append)
        threading.Thread(target=self.receiver.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self.receiver.server_port}/hook"

    def ids(self) -> list[str]:
        return [request["headers"]["ce-id"] for request in self.got]


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Reading:
    """What a process writes, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.errors: list[str] = []
        self._listening = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._listening.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._listening.join()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as written:
            self.errors.extend(iter(written.readline, ""))

    def live(self) -> None:
        wait_for(lambda: any("live" in line for line in self.errors))

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def emit(weir: LocalWeir, identity: str, type_: str = "order.created") -> str:
    sent = weir.json("emit", "-t", type_, "-s", "/shop", "--id", identity, "-d", json.dumps({"n": identity}))
    return str(sent["uid"])


def test_a_tail_shows_what_matches_and_ends_after_so_many(project: LocalWeir) -> None:
    old = emit(project, "0")
    begun = project.start("tail", "type LIKE 'order.%'", "--since", "1h", "-n", "2", "-o", "ndjson")
    with Reading(begun) as tail:
        first = json.loads(tail.line())
        tail.live()
        emit(project, "1", "cart.abandoned")
        new = emit(project, "2")
        second = json.loads(tail.line())
        assert tail.process.wait(SECONDS) == 0
    assert [first["uid"], second["uid"]] == [old, new]
    assert second["event"]["data"] == {"n": "2"}


def test_a_tail_that_cannot_be_is_code_5(project: LocalWeir) -> None:
    done = project.run("tail", "type =")
    assert done.returncode == 5
    assert "/query/sql" in done.stderr


def test_listening_delivers_and_ends_with_6_when_something_was_not_taken(
    project: LocalWeir, target: Target
) -> None:
    uid = emit(project, "1")
    done = project.run(
        "listen",
        "--forward",
        target.address,
        "--since",
        "1h",
        "-n",
        "1",
        "-o",
        "ndjson",
        "--header",
        "x-mine:1",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["uid"] == uid
    [request] = target.got
    assert request["path"] == "/hook"
    assert request["headers"]["ce-type"] == "order.created"
    assert request["headers"]["weir-event"] == uid
    assert request["headers"]["x-mine"] == "1"
    assert json.loads(request["body"]) == {"n": "1"}
    target.receiver.behaviour = Behaviour(status=500)
    done = project.run("listen", "--forward", target.address, "--since", "1h", "-n", "1", "--format", "json")
    assert "reconnecting" not in done.stderr
    assert done.returncode == 6
    assert "✗ 500" in done.stdout
    assert target.got[-1]["headers"]["content-type"].startswith("application/cloudevents+json")


def test_listening_goes_on_after_the_server_was_away_and_where_it_stopped(
    tmp_path: Path, target: Target
) -> None:
    """What the laptop's sleep and a restart of the server have in common: a connection that is gone."""
    weir = LocalWeir(tmp_path / "home")
    try:
        weir.up()
        with Reading(weir.start("listen", "--forward", target.address)) as listening:
            listening.live()
            emit(weir, "1")
            wait_for(lambda: target.ids() == ["1"])
            port = weir.json("context", "show")["url"].rpartition(":")[2]
            assert weir.run("down").returncode == 0
            wait_for(lambda: any("reconnecting" in line for line in listening.errors))
            assert weir.run("up", "--detach", "--port", port).returncode == 0
            emit(weir, "2")
            wait_for(lambda: target.ids() == ["1", "2"])
            assert listening.end() == 130
        emit(weir, "3")
        done = weir.run("listen", "--forward", target.address, "--resume", "-n", "1")
        assert done.returncode == 0, done.stderr
        assert target.ids() == ["1", "2", "3"]
        assert "--resume delivers what came since" not in done.stderr
    finally:
        weir.kill()


def test_keys_send_again(project: LocalWeir, target: Target) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "listen", "--forward", target.address],
        env=project.environment,
        cwd=project.home.parent,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        with Reading(process) as listening:
            listening.live()
            emit(project, "1")
            wait_for(lambda: target.ids() == ["1"])
            target.receiver.behaviour = Behaviour(status=503)
            emit(project, "2")
            wait_for(lambda: target.ids() == ["1", "2"])
            target.receiver.behaviour = Behaviour()
            os.write(ours, b"1\n")
            wait_for(lambda: target.ids() == ["1", "2", "1"])
            os.write(ours, b"f")
            wait_for(lambda: target.ids() == ["1", "2", "1", "2"])
            os.write(ours, b"r")
            wait_for(lambda: target.ids() == ["1", "2", "1", "2", "2"])
            os.write(ours, b"fq")
            assert process.wait(SECONDS) == 0
            assert process.stdout is not None
            shown = process.stdout.read()
            assert "attempt 3" in shown
            assert any("none of those that are kept failed" in line for line in listening.errors)
    finally:
        os.close(ours)
        os.close(theirs)
