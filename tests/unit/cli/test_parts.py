"""The small parts of the command, each alone."""

import errno
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from cli import contexts
from cli.api import Api
from cli.commands.sink import line
from cli.connection import exit_code, problem_error
from cli.errors import CommandError
from cli.local import faults, first_data, launch, processes
from cli.local.home import Home, HomeBusyError
from cli.local.ports import PortTakenError
from cli.local.revival import Part, pause_until_due
from cli.options import Duration, Instant
from cli.sending import structured


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("10s", 10), ("2", 2), ("1.5m", 90), ("2h", 7200), ("1d", 86400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "1w", "-1s", "1 s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Duration().convert(text, None, None)


def test_instants() -> None:
    assert Instant().convert("2026-11-23T12:00:00+02:00", None, None) == "2026-11-23T10:00:00.000Z"
    hour_ago = datetime.fromisoformat(Instant().convert("1h", None, None))
    assert abs(datetime.now(UTC) - timedelta(hours=1) - hour_ago) < timedelta(seconds=5)
    for bad in ("yesterday", "2026-11-23T12:00:00"):
        with pytest.raises(click.BadParameter):
            Instant().convert(bad, None, None)


def event(data: bytes | None, content_type: str | None = None) -> dict[str, object]:
    found = json.loads(structured({"id": "1"}, data, content_type))
    assert isinstance(found, dict)
    return found


def test_data_is_recognised() -> None:
    assert event(None) == {"id": "1"}
    assert event(b'{"a": 1}') == {"id": "1", "datacontenttype": "application/json", "data": {"a": 1}}
    assert event(b"hi") == {"id": "1", "datacontenttype": "text/plain", "data": "hi"}
    assert event(b"<a/>", "application/xml") == {
        "id": "1",
        "datacontenttype": "application/xml",
        "data": "<a/>",
    }
    assert event(b"7", "text/plain") == {"id": "1", "datacontenttype": "text/plain", "data": "7"}
    assert event(b"\xff") == {"id": "1", "datacontenttype": "application/octet-stream", "data_base64": "/w=="}
    with pytest.raises(CommandError, match="no JSON"):
        event(b"{", "application/json")


def test_json_data_goes_as_it_was_written() -> None:
    assert b'"data":{"n": 1.10, "big": 12345678901234567890123}' in structured(
        {"id": "1"}, b'{"n": 1.10, "big": 12345678901234567890123}', None
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 5), (401, 4), (403, 4), (404, 3), (409, 5), (422, 5), (429, 1), (500, 1), (503, 1)],
)
def test_exit_codes(status: int, code: int) -> None:
    assert exit_code(status) == code


def test_a_problem_is_told_with_its_pointers(capsys: pytest.CaptureFixture[str]) -> None:
    body = {
        "title": "Not valid",
        "detail": "two things",
        "errors": [{"pointer": "/a", "detail": "is missing"}],
    }
    error = problem_error(422, json.dumps(body).encode())
    error.show()
    assert capsys.readouterr().err == "error: Not valid: two things\n  /a: is missing\n"
    assert problem_error(502, b"<html>").message == "the server answered 502"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="no address"):
        Api(contexts.Context("x", "ftp://nowhere", "p", "k"))


def test_a_received_request_in_one_line() -> None:
    request = {
        "at": "12:00",
        "method": "POST",
        "path": "/",
        "status": 200,
        "headers": {"ce-type": "t"},
        "body": "a\nb\x1b",
    }
    assert line(request) == "12:00  POST  /  200  t  a b·"
    json_format = {"content-type": "application/cloudevents+json"}
    assert "order" in line(request | {"headers": json_format, "body": '{"type": "order"}'})
    assert line(request | {"headers": json_format, "body": "{"}).endswith("{")
    assert "hangs" in line(request | {"status": None, "body": "x" * 200})


class TestContexts:
    @pytest.fixture(autouse=True)
    def _own_settings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        for name in ("WEIR_HOME", "WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY"):
            monkeypatch.delenv(name, raising=False)

    def local(self) -> None:
        home = Home(Path(".weir"))
        home.create()
        home.write_context("http://local", "default", "k1")

    def test_none_says_how_to_get_one(self) -> None:
        with pytest.raises(CommandError) as caught:
            contexts.current()
        assert caught.value.exit_code == 3
        assert "weir up" in caught.value.hint

    def test_the_environment_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEIR_URL", "http://env/")
        monkeypatch.setenv("WEIR_API_KEY", "k")
        assert contexts.current() == contexts.Context("environment", "http://env", "default", "k")
        self.local()
        monkeypatch.delenv("WEIR_URL")
        monkeypatch.setenv("WEIR_PROJECT", "shop")
        assert contexts.current() == contexts.Context("local", "http://local", "shop", "k")
        assert contexts.current("local", "other") == contexts.Context("local", "http://local", "other", "k1")

    def test_a_chosen_context_stays_chosen(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.local()
        contexts.save(contexts.Context("prod", "https://prod", "shop", "k2"))
        assert (tmp_path / "config/weir/contexts.json").stat().st_mode & 0o077 == 0
        assert contexts.current().name == "local"
        contexts.use("prod")
        assert contexts.current().url == "https://prod"
        assert [c.name for c in contexts.all_contexts()] == ["local", "prod"]
        monkeypatch.setenv("WEIR_HOME", str(tmp_path / ".weir"))
        assert contexts.current().name == "local"

    def test_what_cannot_be(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="there is no context 'x'; there are: none"):
            contexts.use("x")
        with pytest.raises(CommandError, match="written by"):
            contexts.save(contexts.Context("local", "u", "p", "k"))
        contexts.save(contexts.Context("empty", "http://u", "p", ""))
        with pytest.raises(CommandError, match="no API key"):
            contexts.current("empty")
        (tmp_path / "config/weir/contexts.json").write_text("{")
        with pytest.raises(CommandError, match="cannot be read"):
            contexts.current()


class TestHome:
    def test_one_holder_at_a_time(self, tmp_path: Path) -> None:
        first, second = Home(tmp_path / "h"), Home(tmp_path / "h")
        assert not first.is_busy()
        first.create()
        first.lock()
        assert second.is_busy()
        with pytest.raises(HomeBusyError):
            second.lock()
        first.unlock()
        assert not second.is_busy()
        second.lock()
        second.unlock()

    def test_its_secret_is_made_once(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        assert home.secret() == Home(tmp_path).secret()
        assert len(home.secret()) >= 60

    def test_files_that_were_cut_off_are_as_none(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        (tmp_path / "running.json").write_text('{"pid": 1}')
        (tmp_path / "context.json").write_text("{")
        (tmp_path / "processes.json").write_text('[{"pid": 1}]')
        assert (home.running(), home.context(), processes.read(home.processes)) == (None, None, [])


class TestFaults:
    def explain(self, error: Exception) -> str | None:
        return faults.explain(error, Path("/home/x"))

    def test_a_full_disk_wherever_it_shows(self) -> None:
        for number in (errno.ENOSPC, errno.EDQUOT):
            assert "the disk that holds /home/x is full" in (self.explain(OSError(number, "x")) or "")
        outer = RuntimeError("x")
        outer.__cause__ = OSError(errno.ENOSPC, "x")
        assert "full" in (self.explain(outer) or "")

    def test_a_folder_of_somebody_else(self) -> None:
        text = self.explain(PermissionError(errno.EACCES, "Permission denied", "/home/x/lock"))
        assert text == "/home/x/lock: Permission denied. Set WEIR_HOME to a folder of your own."

    def test_others(self) -> None:
        assert self.explain(PortTakenError("port 1 is taken")) == "port 1 is taken"
        assert "weir down" in (self.explain(HomeBusyError("another")) or "")
        assert "WEIR_DATABASE_URL" in (self.explain(TimeoutError()) or "")
        assert self.explain(ValueError("a mistake")) is None
        with pytest.raises(ValueError, match="mistake"), faults.explained(Path()):
            raise ValueError("a mistake")
        with pytest.raises(faults.StartError), faults.explained(Path()):
            raise PortTakenError("taken")


class TestRevival:
    def test_pauses_grow_while_it_keeps_ending(self) -> None:
        started: list[int] = []
        part = Part("x", lambda: True, lambda: started.append(1))
        now, pauses = 1000.0, []
        for _ in range(8):
            part._started = now
            assert not part.look(now)
            pause = pause_until_due([part], now)
            assert pause is not None
            pauses.append(pause)
            assert part.look(now + pause)
            part.revive()
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
        assert len(started) == 8

    def test_a_long_run_is_forgiven(self) -> None:
        part = Part("x", lambda: True, lambda: None)
        part._pause, part._started = 5.0, 0.0
        assert not part.look(100.0)
        assert pause_until_due([part], 100.0) == pytest.approx(0.1)

    def test_what_runs_is_left_alone(self) -> None:
        part = Part("x", lambda: False, lambda: None)
        assert not part.look(1.0)
        assert pause_until_due([part], 1.0) is None


def test_processes_are_told_apart_by_their_start() -> None:
    child = subprocess.Popen(["sleep", "600"])
    found = processes.record("worker-0", child.pid)
    assert found is not None
    assert processes.is_alive(found)
    assert not processes.is_alive(processes.Recorded("worker-0", child.pid, "another time"))
    processes.end_all([found])
    assert not processes.is_alive(found)
    child.wait()
    assert processes.record("x", child.pid) is None


def test_a_process_that_does_not_listen_is_killed() -> None:
    child = subprocess.Popen(
        [
            "python3",
            "-c",
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(99)",
        ],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    found = processes.record("redis", child.pid)
    assert found is not None
    processes.end_all([found], patience=0.1)
    assert child.wait() == -9
    child.stdout.close()


def test_the_latest_revision_is_alembics_head() -> None:
    from alembic.script import ScriptDirectory

    from shared.db.migrate import _config

    assert first_data.latest_revision() == ScriptDirectory.from_config(_config()).get_current_head()


def test_a_child_whose_parent_is_gone_before_it_could_ask_ends_at_once() -> None:
    command = launch.command(["/bin/sleep", "600"], signal=15)
    command[4] = "parent=1"
    assert subprocess.run(command, check=False, timeout=10).returncode == 1
