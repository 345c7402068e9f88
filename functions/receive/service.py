"""The built-in sink: takes a request, remembers it, and answers as it is told."""

import asyncio
import logging
from time import monotonic
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions.receive import queries, record
from functions.receive.record import KEPT_BODY_BYTES, Received
from shared.audit import record as audit
from shared.audit.by import By
from shared.auth.access import Access
from shared.auth.permissions import PROJECT_NAME
from shared.cache.lookup import Lookup
from shared.core.problems import NOT_FOUND, TOO_MANY_REQUESTS, UNAVAILABLE, Problem
from shared.runtime.resources import Resources

HANG_SECONDS = 30.0
HANGING_AT_ONCE = 200
PER_SECOND = 500
"""Requests that one process takes for one project: the sink is open to anybody who knows its address."""

_LOOK_SECONDS = 0.5
_REDIS_PAUSE_SECONDS = 1.0

logger = logging.getLogger("weir.receive")


class Receiver:
    """The sinks of all projects, in one process."""

    def __init__(
        self, resources: Resources, *, hang_seconds: float = HANG_SECONDS, per_second: int = PER_SECOND
    ) -> None:
        self._resources = resources
        self._hang_seconds = hang_seconds
        self._per_second = per_second
        self._projects: Lookup[str, UUID | None] = Lookup(
            self._load, name="receivers", seconds=10, none_seconds=1
        )
        self._windows: dict[UUID, tuple[int, int]] = {}
        self._hanging = 0
        self._redis_after = 0.0

    async def take(self, project: str, request: Request) -> Response:
        """One request to the sink of `project`. Raises Problem 404, 429, 503."""
        project_id = await self._projects.get(project)
        if project_id is None:
            raise Problem(NOT_FOUND, "There is no such sink.")
        self._count(project_id)
        body, truncated = await _body(request)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        received = Received(request.method, path, request.headers.items(), body, truncated)
        answer = await self._keep(project_id, received)
        if answer == "hang":
            return await self._hang(request)
        if answer == "429":
            return Response(status_code=429, headers={"Retry-After": "2"})
        if answer == "503":
            return Response(status_code=503)
        return JSONResponse({"received": True})

    async def _load(self, name: str) -> UUID | None:
        if PROJECT_NAME.fullmatch(name) is None:
            return None
        return await queries.project_id(await self._resources.pg(), name)

    def _count(self, project_id: UUID) -> None:
        second = int(monotonic())
        begun, count = self._windows.get(project_id, (second, 0))
        if begun != second:
            count = 0
            if len(self._windows) > 10_000:
                self._windows.clear()
        self._windows[project_id] = (second, count + 1)
        if count >= self._per_second:
            raise Problem(
                TOO_MANY_REQUESTS, "This sink takes no more this second.", headers={"Retry-After": "1"}
            )

    async def _keep(self, project_id: UUID, received: Received) -> str:
        """Without Redis nothing is remembered and the answer is 200: trying things needs no more."""
        if monotonic() < self._redis_after:
            return record.DEFAULT_ANSWER
        try:
            return await record.keep(await self._resources.redis(), project_id, received)
        except Exception as error:
            self._redis_after = monotonic() + _REDIS_PAUSE_SECONDS
            logger.warning("a request was not recorded: %s: %s", type(error).__name__, error)
            return record.DEFAULT_ANSWER

    async def _hang(self, request: Request) -> Response:
        """No answer until the client has gone, the process is to end, or the time is up."""
        if self._hanging >= HANGING_AT_ONCE:
            raise Problem(UNAVAILABLE, "Too many requests hang here already.", headers={"Retry-After": "2"})
        self._hanging += 1
        gone = asyncio.create_task(_gone(request))
        until = monotonic() + self._hang_seconds
        try:
            while not gone.done() and not self._resources.draining and (left := until - monotonic()) > 0:
                await asyncio.wait({gone}, timeout=min(left, _LOOK_SECONDS))
        finally:
            self._hanging -= 1
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        return Response(status_code=503)


async def tell(resources: Resources, access: Access, by: By, answer: str) -> None:
    """Tell the sink of a project how to answer."""
    redis = await resources.redis()
    before, _ = await record.read(redis, access.project_id)
    async with (await resources.of(access.project_id)).acquire() as connection, connection.transaction():
        await record.tell(redis, access.project_id, answer)
        await audit.record(
            connection,
            by,
            "sink.changed",
            project_id=access.project_id,
            name="the built-in sink",
            before={"answer": before},
            after={"answer": answer},
        )


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> tuple[bytes, bool]:
    """What is kept of the body, and whether there was more; the rest is read and dropped."""
    kept = bytearray()
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        kept += chunk[: max(0, KEPT_BODY_BYTES - len(kept))]
    return bytes(kept), length > len(kept)
