"""Finding programs, passing folders, and what a demonstration's sinks do."""

import os
from collections import Counter
from pathlib import Path

import pytest

from cli.demo.sinks import SUBSCRIBERS, Flaky, Slow
from cli.local import accounts, binaries, launch, ports
from cli.receiver import Behaviour
from shared.core.delivery import parse_policy
from shared.core.filters import compile_filters


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


class TestPrograms:
    def test_named_ones_come_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path / "postgres")
        program(tmp_path / "valkey-server")
        monkeypatch.setenv("WEIR_POSTGRES_BIN", str(tmp_path))
        monkeypatch.setenv("WEIR_REDIS_BIN", str(tmp_path))
        assert binaries.postgres_bin() == tmp_path
        assert binaries.redis_program() == tmp_path / "valkey-server"

    def test_without_the_wheels_those_on_the_path_are_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("WEIR_POSTGRES_BIN", "WEIR_REDIS_BIN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(binaries, "find_spec", lambda _package: None)
        for name in ("postgres", "initdb", "redis-server"):
            program(tmp_path / name)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert binaries.postgres_bin() == tmp_path.resolve()
        assert binaries.redis_program() == tmp_path / "redis-server"
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        with pytest.raises(binaries.MissingProgramError, match="WEIR_REDIS_URL"):
            binaries.redis_program()


def test_who_may_pass_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    uid, gid = folder.stat().st_uid, folder.stat().st_gid
    assert accounts.can_pass(folder, uid, gid)
    (tmp_path / "a").chmod(0o750)
    assert not accounts.can_pass(folder, uid + 1, gid + 1)


def test_anybody_but_root_runs_postgres_as_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert accounts.account_for(tmp_path, tmp_path, None) == accounts.Account(None, None, tmp_path, tmp_path)


def test_without_an_account_root_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", nobody)
    with pytest.raises(LookupError, match="postgres or nobody"):
        accounts.account_for(tmp_path, tmp_path, None)


def test_the_capability_is_the_least_that_is_held() -> None:
    assert launch.held_capability() in {None, launch.CAP_DAC_READ_SEARCH, launch.CAP_DAC_OVERRIDE}


def test_a_command_line_says_what_is_to_become_of_it() -> None:
    command = launch.command(["/bin/x", "--", "y"], signal=2, user=(1, 2), capability=3)
    assert command[4:] == [
        f"parent={os.getpid()}",
        "signal=2",
        "user=1:2",
        "capability=3",
        "--",
        "/bin/x",
        "--",
        "y",
    ]


def test_a_port_of_roots_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.create_server", refuse)
    with pytest.raises(ports.PortTakenError, match="may only be used by root"):
        ports.listen(80)


def test_nobody_listens_where_nobody_does() -> None:
    with ports.listen(0) as listening:
        port = listening.getsockname()[1]
        assert f"(process {os.getpid()})" in (ports.owner_of(port) or "")
    assert ports.owner_of(port) is None


class TestSinks:
    def test_first_failures(self) -> None:
        assert [Behaviour(fail=2).status_of(n) for n in (1, 2, 3)] == [503, 503, 200]
        assert [Behaviour(fail=1, status=429).status_of(n) for n in (1, 2)] == [429, 200]
        assert Behaviour(status=422).status_of(9) == 422

    def test_some_fail_and_some_are_slow(self) -> None:
        codes = Counter(Flaky(share=0.5).status_of(n) for n in range(200))
        assert set(codes) == {200, 503}
        assert all(0 < Slow(delay=2.0).delay_of(n) <= 2 for n in range(20))

    @pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda s: s.name)
    def test_each_subscription_can_be_made(self, subscriber: object) -> None:
        assert hasattr(subscriber, "filters")
        compile_filters(subscriber.filters)
        parse_policy(subscriber.delivery, "/delivery")
