"""`/healthz`, `/readyz` and `/metrics`, the same for every function."""

import asyncio
import hmac
import logging
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from shared.core.problems import UNAUTHENTICATED, UNAVAILABLE, Problem
from shared.runtime.answer import problem_response
from shared.runtime.metrics import CONTENT_TYPE, METRICS

if TYPE_CHECKING:
    from shared.runtime.function import Store
    from shared.runtime.resources import Resources

TIMEOUT_SECONDS = 2
FRESH_SECONDS = 0.5
TOKEN_HEADER = "x-weir-metrics-token"  # noqa: S105 a name

logger = logging.getLogger("weir")


async def _postgres(resources: "Resources") -> None:
    from shared.db.revision import check_revision

    await check_revision(await resources.pg(), TIMEOUT_SECONDS)


async def _redis(resources: "Resources") -> None:
    client = await resources.redis()
    await client.ping()


CHECKS = {"postgres": _postgres, "redis": _redis}


class Probes:
    """Answers probes. Readiness is remembered for half a second, so that probing costs a store nothing."""

    def __init__(self, resources: "Resources", needs: "Iterable[Store]") -> None:
        self._resources = resources
        self._needs = sorted(needs)
        self._checked_at = float("-inf")
        self._lacking = ""
        self._checking = asyncio.Lock()

    async def health(self, _request: Request) -> Response:
        """200 while the process answers at all."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """200 when every store that the function needs answers and has this code's schema; else 503, and when draining."""
        if self._resources.draining:
            return problem_response(Problem(UNAVAILABLE, "This instance is ending."))
        lacking = await self.lacking()
        if lacking:
            return problem_response(Problem(UNAVAILABLE, lacking, headers={"Retry-After": "1"}))
        return JSONResponse({"status": "ready"})

    async def lacking(self) -> str:
        """What is missing of the needed stores, as a sentence; empty when nothing is."""
        async with self._checking:
            if monotonic() - self._checked_at > FRESH_SECONDS:
                faults = await asyncio.gather(*(self._fault(store) for store in self._needs))
                self._lacking = _sentence(dict(zip(self._needs, faults, strict=True)))
                self._checked_at = monotonic()
            return self._lacking

    async def _fault(self, store: str) -> Exception | None:
        try:
            await asyncio.wait_for(CHECKS[store](self._resources), TIMEOUT_SECONDS)
        except Exception as error:
            logger.warning("%s is not ready: %s: %s", store, type(error).__name__, error)
            return error
        return None

    async def metrics(self, request: Request) -> Response:
        """The process's metrics for whoever shows `WEIR_METRICS_TOKEN`; 401 for anybody else.

        As a bearer token, or in a header of its own: the API server of Kubernetes passes no credential on.
        """
        token = self._resources.settings.metrics_token
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            shown = request.headers.get(TOKEN_HEADER, "")
        if token is None or not hmac.compare_digest(
            shown.strip().encode(), token.get_secret_value().encode()
        ):
            return problem_response(
                Problem(
                    UNAUTHENTICATED,
                    "Metrics are for whoever shows the metrics token.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            )
        await self._resources.measure()
        return PlainTextResponse(METRICS.render(), media_type=CONTENT_TYPE)


def _sentence(faults: "Mapping[str, Exception | None]") -> str:
    from shared.db.revision import OlderDatabaseError

    away = [
        s for s, fault in faults.items() if fault is not None and not isinstance(fault, OlderDatabaseError)
    ]
    older = [f"Not migrated: {fault}." for fault in faults.values() if isinstance(fault, OlderDatabaseError)]
    return " ".join([*([f"Not reachable: {', '.join(away)}."] if away else []), *older])
