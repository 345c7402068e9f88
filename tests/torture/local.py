"""A Weir as `weir up` runs it on a laptop: workers that host every function, with a supervisor."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from cli.local.home import Home
from cli.local.servers import free_port
from tests.support.weir import LocalWeir
from tests.torture.fleet import Access

WORKERS = 2


class Local:
    """`weir up --detach` in a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self._weir = LocalWeir(self.folder)
        self._weir.environment["WEIR_WORKERS"] = str(WORKERS)
        self._port = free_port()

    @property
    def database_url(self) -> str:
        running = Home(self.folder).running()
        if running is None:
            raise ConnectionError("nothing runs")
        return running.database_url

    def url(self, function: str) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def project(self) -> Access:
        made = json.loads(await self._run("projects", "create", f"torture-{uuid4().hex[:12]}", "-o", "json"))
        return Access(made["project"], made["apiKey"])

    def dispatching(self) -> list[int]:
        return [pid for name, pid in self._parts().items() if name.startswith("worker")]

    def fallen(self) -> list[str]:
        return [] if self._parts() else ["weir up"]

    async def up(self) -> None:
        """`weir up --detach`."""
        await self._run("up", "--detach", "--port", str(self._port))

    async def kill(self, *kinds: str) -> None:
        """SIGKILL to every part whose name starts so; to the supervisor first."""
        status = await self._status()
        parts = {"supervisor": status["pid"]} | {p["name"]: p["pid"] for p in status["parts"] if p["pid"]}
        for name, pid in parts.items():
            if name.startswith(kinds):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    async def gone(self) -> None:
        """Wait until nothing of it lives."""
        await asyncio.to_thread(self._weir.wait_until_empty, 60)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """It runs."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            await self.up()
            yield
        finally:
            await self._run("down")

    async def _status(self) -> Any:
        return json.loads(await self._run("status", "-o", "json"))

    def _parts(self) -> dict[str, int]:
        try:
            found = json.loads((self.folder / "processes.json").read_text())
        except (OSError, ValueError):
            return {}
        return {part["name"]: part["pid"] for part in found}

    async def _run(self, *arguments: str) -> str:
        done = await asyncio.to_thread(self._weir.run, *arguments, timeout=120)
        if done.returncode:
            raise RuntimeError(f"weir {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout
