"""Every example of every command's help, run as it stands there against a Weir that runs."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import click
import httpx
import pytest
from click.testing import CliRunner

from cli.local.home import Home
from cli.main import weir as command
from tests.integration.cli.examples import BEFORE, BEFORE_LINE, NOT_RUN, Words
from tests.integration.cli.prepared import emit
from tests.integration.cli.stage import Stage
from tests.support.helped import lines, read, walk
from tests.support.receiver import Receiver
from tests.support.weir import COMMAND, LocalWeir

SECONDS = 60
BY_THEMSELVES = {("open",), ("up",), ("down",)}
"""Not run inside the test's process: they start programs, or look at their parent."""
COMMANDS = {path: found for path, found in walk(command) if not isinstance(found, click.Group)}


def called(line: str) -> Words:
    """The command that an example calls."""
    words = read(line)[1]
    if words[0] != "weir":
        return ("demo",)
    return max((path for path, _ in walk(command) if tuple(words[1 : len(path) + 1]) == path), key=len)


EXAMPLES = {line: called(line) for _, found in walk(command) for line in lines(found)}


def is_run(path: Words) -> bool:
    return not any(path[: len(one)] == one for one in NOT_RUN)


RUN = [line for line, path in EXAMPLES.items() if is_run(path)]


def test_every_command_has_an_example_that_is_run_or_a_reason() -> None:
    assert {path for path in COMMANDS if is_run(path)} == {EXAMPLES[line] for line in RUN}
    known = [path for path, _ in walk(command)]
    assert all(path in known for path in (*NOT_RUN, *BEFORE))
    assert all(line in EXAMPLES for line in BEFORE_LINE)


@pytest.fixture
def stage(running: LocalWeir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stage]:
    for name in ("WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY", "WEIR_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEIR_HOME", str(running.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("WEIR_ARCHIVE_URL", (running.home / "archive").as_uri())
    monkeypatch.setenv("WEIR_PORT", "0")
    monkeypatch.setenv("WEIR_WORKERS", "1")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.chdir(tmp_path)
    with Receiver() as sink:
        found = Stage(running, sink, f"p-{uuid4().hex[:12]}", tmp_path)
        made = found.answer("projects", "create", found.project)
        monkeypatch.setenv("WEIR_PROJECT", made["project"])
        monkeypatch.setenv("WEIR_API_KEY", made["apiKey"])
        yield found
    if (tmp_path / "other").exists():
        LocalWeir(tmp_path / "other").kill()


def typed(stage: Stage, line: str) -> tuple[dict[str, str], list[str]]:
    """An example as it is typed here: with ids that are there, and addresses of this machine."""
    told = Home(stage.weir.home).running()
    assert told is not None
    host = stage.sink.url.removeprefix("http://").rstrip("/")
    addresses = {
        "https://localhost:3000/": stage.sink.url,
        "localhost:3000": host,
        "127.0.0.1:9000": host,
        "--port 9000": f"--port {free_port()}",
        "8081": str(free_port()),
        "postgresql://weir:secret@db/weir": told.database_url,
        "/tmp/try": str(stage.folder / "other"),
        "weir_id_secret": "weir_4fPq0ZkWbN3x_secret",
        "projects create shop": f"projects create shop-{uuid4().hex[:8]}",
    }
    # The longest first: one may be a part of another.
    for placeholder, real in sorted({**addresses, **stage.stands_for}.items(), key=lambda one: -len(one[0])):
        line = line.replace(placeholder, real)
    return read(line)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Endless:
    """A command that goes on until it is told to end; `said` is everything it wrote."""

    def __init__(self, words: list[str]) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as written:
            for line in written:
                self.said += line

    def until(self, condition: Callable[[], object]) -> None:
        wait_for(lambda: condition() or self.process.poll() is not None)
        assert condition(), self.said

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()


def tail(stage: Stage, endless: Endless, _: dict[str, str]) -> None:
    endless.until(lambda: "live" in endless.said)
    emit(stage)
    endless.until(lambda: "order.created" in endless.said)


def listen(stage: Stage, endless: Endless, _: dict[str, str]) -> None:
    endless.until(lambda: "live" in endless.said)
    emit(stage, "order.created", "--subject", "orders/A-1")
    endless.until(lambda: stage.sink.requests)


def sink(_stage: Stage, endless: Endless, _: dict[str, str]) -> None:
    endless.until(lambda: "listening at http" in endless.said)
    url = endless.said.partition("listening at ")[2].split()[0]
    httpx.post(f"{url}/hook", json={"n": 7})
    endless.until(lambda: "/hook" in endless.said)


def up(_stage: Stage, endless: Endless, _: dict[str, str]) -> None:
    endless.until(lambda: "Ctrl-C ends it" in endless.said)


def serve(_stage: Stage, endless: Endless, environment: dict[str, str]) -> None:
    def ready() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{environment['PORT']}/readyz").is_success
        except httpx.TransportError:
            return False

    endless.until(ready)


ENDLESS: dict[Words, tuple[Callable[[Stage, Endless, dict[str, str]], None], int]] = {
    ("tail",): (tail, 130),
    ("listen",): (listen, 130),
    ("sink",): (sink, 0),
    ("up",): (up, 0),
    ("serve",): (serve, 0),
}
"""What has to be seen of commands that go on for ever, and what Ctrl-C ends them with."""


@pytest.mark.parametrize("line", RUN)
def test_an_example_does_what_it_says(line: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = EXAMPLES[line]
    if before := BEFORE_LINE.get(line, BEFORE.get(path)):
        before(stage)
    environment, (_, *words) = typed(stage, line)
    for name, value in {**stage.environment, **environment}.items():
        monkeypatch.setenv(name, value)
    if path in ENDLESS and "--detach" not in words:
        seen, code = ENDLESS[path]
        endless = Endless(words)
        try:
            seen(stage, endless, environment)
            assert endless.end() == code, endless.said
        finally:
            endless.kill()
    elif path in BY_THEMSELVES:
        ended = subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert ended.returncode == 0, ended.stderr
    else:
        done = CliRunner().invoke(command, words)
        assert done.exit_code == 0, (done.output, done.exception)
