"""One deploy at a time: a Lease in the namespace.

Whoever holds it renews it; one that was not renewed for as long as it says is taken over. That is judged by how long
the same version of it was seen, not by a clock that another machine wrote.
"""

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from cli.deploy.kubernetes import ConflictError, Kubernetes
from cli.errors import INVALID, CommandError

KIND = "/apis/coordination.k8s.io/v1/leases"
NAME = "weir-deploy"
SECONDS = 20
RENEW_SECONDS = 5.0
LOOK_SECONDS = 1.0


class Lease:
    """Held by this process; `check` says so."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        self._kubernetes = kubernetes
        try:
            user = getpass.getuser()
        except (OSError, KeyError):
            user = str(os.getuid())
        self.holder = f"{user}@{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        self._document: dict[str, Any] = {}
        self._until = 0.0

    def check(self) -> None:
        """CommandError when it may have passed to another: nothing must be changed then."""
        if monotonic() > self._until:
            raise CommandError(
                "the lock of this namespace could not be renewed in time, and another deploy may have it now",
                code=INVALID,
                hint="run the same command again: it goes on where this one was",
            )

    @asynccontextmanager
    async def held(self, tell: Callable[[str], None]) -> AsyncIterator[None]:
        """While the lock is this process's. CommandError when another that lives has it."""
        await self._acquire(tell)
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            with suppress(CommandError):
                await self._write(self._kubernetes.replace, "")

    async def _acquire(self, tell: Callable[[str], None]) -> None:
        seen, since, told = "", monotonic(), False
        while True:
            found = await self._kubernetes.get(KIND, NAME)
            try:
                if found is None:
                    await self._make()
                    return
                self._document = found
                version, holder = found["metadata"]["resourceVersion"], found["spec"].get("holderIdentity")
                if not holder or (seen == version and monotonic() - since > SECONDS):
                    await self._write(self._kubernetes.replace, self.holder)
                    return
            except ConflictError:
                continue
            if seen and seen != version:
                raise CommandError(
                    f"{holder} is deploying here, since {found['spec'].get('acquireTime')}",
                    code=INVALID,
                    hint="wait until it has ended; `weir deploy status` shows how far it is",
                )
            if not told:
                tell(f"{holder} has the lock; taking it over if it is not renewed within {SECONDS} s")
                told = True
            if not seen:
                seen, since = version, monotonic()
            await asyncio.sleep(LOOK_SECONDS)

    async def _make(self) -> None:
        self._document = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": NAME, "namespace": self._kubernetes.namespace},
            "spec": self._spec(self.holder) | {"acquireTime": _now()},
        }
        started = monotonic()
        await self._kubernetes.create(KIND, self._document)
        self._document = await self._kubernetes.get(KIND, NAME) or {}
        self._until = started + SECONDS

    async def _write(
        self, put: Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]], holder: str
    ) -> None:
        started = monotonic()
        before = self._document["spec"]
        spec = before | self._spec(holder)
        if before.get("holderIdentity") != holder:
            spec["acquireTime"] = _now()
        self._document = await put(KIND, NAME, self._document | {"spec": spec})
        self._until = started + SECONDS if holder else 0.0

    def _spec(self, holder: str) -> dict[str, Any]:
        return {"holderIdentity": holder, "leaseDurationSeconds": SECONDS, "renewTime": _now()}

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._write(self._kubernetes.replace, self.holder)
            except ConflictError:
                self._until = 0.0
                return
            except CommandError:
                continue  # the cluster is away; `check` knows how long that may last


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
