"""`weir up` and its end, in every way it can come."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import asyncpg
import httpx
import pytest

from events.dispatch.leases import LEASE_SECONDS
from tests.support.weir import LocalWeir


def ready(url: str) -> int:
    return httpx.get(f"{url}/readyz").status_code


def until(condition: object, seconds: float = 60) -> None:
    """Wait for `condition()` to hold."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def age(database_url: str) -> None:
    """Let the database be of a version that is to come."""

    async def write() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()

    asyncio.run(write())


def test_a_day_in_the_life(weir: LocalWeir) -> None:
    first = weir.run("up", "--detach", "--port", "0")
    assert first.returncode == 0, first.stderr
    url, link = first.stdout.splitlines()
    assert ready(url) == 200
    assert link.startswith(f"{url}/sign-in/link#token=")
    assert "Making a Postgres data folder" in first.stderr

    status = weir.json("status")
    assert status["running"]
    assert status["ready"]
    assert status["url"] == url
    assert {p["name"]: p["state"] for p in status["parts"]} == {
        "postgres": "running",
        "redis": "running",
        "worker-0": "running",
    }
    context = weir.json("context", "show")
    assert context == {"url": url, "project": "default", "apiKey": context["apiKey"]}
    assert weir.json("projects", "ls")["items"][0]["name"] == "default"
    for name in ("secret", "context.json", "running.json", "postgres-password"):
        assert (weir.home / name).stat().st_mode & 0o077 == 0, name

    again = weir.run("up", "--detach", "--port", "0")
    assert (again.returncode, again.stdout.strip()) == (0, url)
    assert weir.json("status")["pid"] == status["pid"]

    second = weir.run("up", "--port", "0")
    assert second.returncode == 1
    assert "another Weir runs in" in second.stderr
    assert "WEIR_HOME" in second.stderr

    opened = weir.run("open", "--print").stdout.strip()
    assert opened.startswith(f"{url}/sign-in/link#token=")
    assert opened != link

    age(json.loads((weir.home / "running.json").read_text())["database_url"])
    down = weir.run("down")
    assert down.returncode == 0
    weir.wait_until_empty(5)
    assert weir.run("status").returncode == 3
    assert weir.run("open", "--print").returncode == 3
    assert weir.run("down").returncode == 0
    assert weir.json("context", "show")["apiKey"] == context["apiKey"]

    newer = weir.run("up", "--detach", "--port", "0")
    assert newer.returncode == 1
    assert "the database is at revision 9999" in newer.stderr
    weir.wait_until_empty()


def test_kill_of_the_supervisor_leaves_nothing_and_the_next_start_is_quick(weir: LocalWeir) -> None:
    began = time.monotonic()
    weir.up()
    first = time.monotonic() - began
    key = weir.json("context", "show")["apiKey"]
    os.kill(weir.supervisor(), signal.SIGKILL)
    began = time.monotonic()
    url = weir.up()
    # The first had more to do, so only a wait for what the killed one held would make it longer by so much.
    assert time.monotonic() - began < first + LEASE_SECONDS
    assert weir.json("context", "show")["apiKey"] == key
    supervisor = weir.supervisor()
    guardian = next(
        p for p in weir.processes() if b"cli.local.guardian" in Path(f"/proc/{p}/cmdline").read_bytes()
    )
    os.kill(guardian, signal.SIGKILL)  # the kernel alone sees to it then
    os.kill(supervisor, signal.SIGKILL)
    weir.wait_until_empty()
    assert "no Weir runs" in weir.run("status").stderr
    with pytest.raises(httpx.ConnectError):
        ready(url)


def test_what_ends_is_started_again(weir: LocalWeir) -> None:
    url = weir.up()
    for part in ("worker-0", "redis", "postgres"):
        before = weir.part(part)
        os.kill(before, signal.SIGKILL)
        until(
            lambda b=before, p=part: (
                next(x["pid"] for x in weir.json("status")["parts"] if x["name"] == p) != b
            )
        )
        until(lambda: weir.json("status")["ready"])
        assert ready(url) == 200
    assert "postgres ended; starting it again" in (weir.home / "weir.log").read_text()


def test_ctrl_c_ends_the_foreground_in_order(weir: LocalWeir) -> None:
    process = weir.start("up", "--port", "0")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert ready(url) == 200
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    weir.wait_until_empty(5)
    assert "database system is shut down" in (weir.home / "postgres.log").read_text()


def test_it_ends_with_its_caller_when_asked_to(weir: LocalWeir) -> None:
    shell = subprocess.Popen(
        ["bash", "-c", f"{shutil.which('weir') or '.venv/bin/weir'} up --port 0 --end-with-parent; true"],
        env=weir.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert shell.stdout is not None
    assert ready(shell.stdout.readline().strip()) == 200
    shell.kill()
    shell.communicate(timeout=30)
    weir.wait_until_empty()


def test_a_port_that_is_taken_is_told_with_its_owner(weir: LocalWeir) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for more in ([], ["--detach"]):
            done = weir.run("up", "--port", str(port), *more)
            assert done.returncode == 1
            assert f"port {port} is taken by" in done.stderr
            assert f"(process {os.getpid()})" in done.stderr
            assert f"WEIR_PORT={port + 1}" in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1
    weir.wait_until_empty()


def fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024 * 1024))


def test_a_full_disk_is_told(weir: LocalWeir) -> None:
    weir.home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "weir-test", str(weir.home)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        assert os.environ.get("CI") != "true" or os.geteuid() != 0
        pytest.skip("mounting a small disk needs root")
    try:
        fresh = weir.run("up", "--detach", "--port", "0")
        assert fresh.returncode == 1
        assert f"the disk that holds {weir.home} is full" in fresh.stderr
        assert "WEIR_HOME" in fresh.stderr
        weir.wait_until_empty()
        subprocess.run(["mount", "-o", "remount,size=400m", str(weir.home)], check=True)
        weir.up()
        assert weir.run("down").returncode == 0
        fill(weir.home / "filler")
        later = weir.run("up", "--detach", "--port", "0")
        assert later.returncode == 1
        assert f"the disk that holds {weir.home} is full" in later.stderr
        (weir.home / "filler").unlink()
        assert weir.up()
    finally:
        weir.kill()
        subprocess.run(["umount", "-l", str(weir.home)], check=True)


def test_two_homes_run_side_by_side(weir: LocalWeir, tmp_path: Path) -> None:
    other = LocalWeir(tmp_path / "other")
    try:
        assert weir.up() != other.up()
        assert weir.json("context", "show")["apiKey"] != other.json("context", "show")["apiKey"]
        weir.run("down")
        assert other.json("status")["ready"]
    finally:
        other.kill()


def test_other_servers_are_used_where_they_are_named(
    weir: LocalWeir, database_url: str, redis_url: str
) -> None:
    done = weir.run("up", "--detach", "--port", "0", WEIR_DATABASE_URL=database_url, WEIR_REDIS_URL=redis_url)
    assert done.returncode == 0, done.stderr
    assert not (weir.home / "postgres").exists()
    assert {p["name"]: p["state"] for p in weir.json("status")["parts"]} == {
        "worker-0": "running",
        "postgres": "at 127.0.0.1",
        "redis": "at 127.0.0.1",
    }
    weir.run("down")
    away = weir.run("up", "--detach", "--port", "0", WEIR_DATABASE_URL="postgresql://x:y@127.0.0.1:9/weir")
    assert away.returncode == 1
    assert "WEIR_DATABASE_URL" in away.stderr
