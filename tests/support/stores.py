"""The Postgres and Redis of one test run: `python -m tests.support.stores FOLDER PARENT_PID`.

A process of its own, so that the servers outlive the worker that asked first and still end with the
run, however it ends: it stops them at SIGTERM, and when the process PARENT_PID is gone.
"""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
STATE = "stores.json"


@dataclass(frozen=True)
class Stores:
    """`admin_url` may create databases; `template` is a migrated database to copy."""

    pid: int
    admin_url: str
    template: str


def with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone among the workers of this run."""
    with (folder / "stores.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def running(folder: Path, parent: int) -> Stores:
    """The stores of the run in `folder`; the first caller starts them."""
    state = folder / STATE
    with locked(folder):
        if not state.exists():
            log = folder / "stores.log"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.stores", str(folder), str(parent)],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            while not state.exists():
                if process.poll() is not None:
                    raise RuntimeError(f"the test servers did not start:\n{log.read_text()}")
                time.sleep(0.02)
            # Whoever started it does not wait for it: the run's first process ends it.
            process.returncode = 0
    return Stores(**json.loads(state.read_text()))


def end(folder: Path) -> None:
    """Stop the stores of the run in `folder`, if any were started, and wait until they have."""
    state = folder / STATE
    if not state.exists():
        return
    pid = json.loads(state.read_text())["pid"]
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + 30
    while state.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


async def execute(url: str, *statements: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _make_template(admin_url: str, template: str) -> None:
    from shared.db.migrate import migrate

    await execute(admin_url, f'CREATE DATABASE "{template}"')
    await migrate(with_path(admin_url, template))


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def main(folder: Path, parent: int) -> None:
    from cli.local.servers import PostgresServer

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    external = os.environ.get("WEIR_TEST_DATABASE_URL")
    server = None if external else PostgresServer(folder / "servers", None, durable=False)
    template = f"weir_template_{uuid4().hex[:8]}"
    try:
        if server is not None:
            server.start()
        admin_url = external or server.url
        asyncio.run(_make_template(admin_url, template))
        part = folder / f"{STATE}.part"
        part.write_text(json.dumps({"pid": os.getpid(), "admin_url": admin_url, "template": template}))
        part.rename(folder / STATE)
        while not _is_gone(parent):
            time.sleep(0.5)
    finally:
        if server is not None:
            server.stop()
        elif external:
            asyncio.run(execute(external, f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)'))
        import shutil

        shutil.rmtree(folder / "servers", ignore_errors=True)
        (folder / STATE).unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
