"""`/healthz`, `/readyz` and `/metrics`, the same for every function."""

import asyncio
import hmac
import logging
from collections.abc import Iterable
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

logger = logging.getLogger("weir")


async def _postgres(resources: "Resources") -> None:
    pool = await resources.pg()
    await pool.fetchval("SELECT 1", timeout=TIMEOUT_SECONDS)


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
        self._away: list[str] = []
        self._checking = asyncio.Lock()

    async def health(self, _request: Request) -> Response:
        """200 while the process answers at all."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """200 when every store that the function needs answers; 503 while one does not, or when draining."""
        if self._resources.draining:
            return problem_response(Problem(UNAVAILABLE, "This instance is ending."))
        away = await self.away()
        if away:
            return problem_response(
                Problem(UNAVAILABLE, f"Not reachable: {', '.join(away)}.", headers={"Retry-After": "1"})
            )
        return JSONResponse({"status": "ready"})

    async def away(self) -> list[str]:
        """Which of the needed stores do not answer."""
        async with self._checking:
            if monotonic() - self._checked_at > FRESH_SECONDS:
                answers = await asyncio.gather(*(self._answers(store) for store in self._needs))
                self._away = [s for s, well in zip(self._needs, answers, strict=True) if not well]
                self._checked_at = monotonic()
            return self._away

    async def _answers(self, store: str) -> bool:
        try:
            await asyncio.wait_for(CHECKS[store](self._resources), TIMEOUT_SECONDS)
        except Exception as error:
            logger.warning("%s does not answer: %s: %s", store, type(error).__name__, error)
            return False
        return True

    async def metrics(self, request: Request) -> Response:
        """The process's metrics for whoever shows `WEIR_METRICS_TOKEN`; 401 for anybody else."""
        token = self._resources.settings.metrics_token
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if (
            token is None
            or scheme.lower() != "bearer"
            or not hmac.compare_digest(shown.strip().encode(), token.get_secret_value().encode())
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
