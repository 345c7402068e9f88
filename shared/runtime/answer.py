"""How a problem looks on the wire, for FastAPI applications and for bare ASGI ones."""

import logging

import msgspec
from starlette.responses import Response

from shared.core.problems import INTERNAL, KINDS, UNAVAILABLE, Problem, ProblemKind
from shared.runtime.browser import ANSWERS
from shared.runtime.outage import RETRY_AFTER_SECONDS, is_outage

PROBLEM_TYPE = "application/problem+json"

HEADERS = tuple((name.encode(), value.encode()) for name, value in ANSWERS.items())
"""What every answer of an API carries unless it says otherwise."""

logger = logging.getLogger("weir")


def kind_of(status: int) -> ProblemKind:
    """The general kind of problem for a bare HTTP status; `INTERNAL` for one that has none."""
    return _BY_STATUS.get(status, INTERNAL)


_BY_STATUS = {kind.status: kind for kind in KINDS}


def problem_response(problem: Problem) -> Response:
    """`problem` as `application/problem+json` (RFC 9457). Its internal message is logged, never sent."""
    if problem.internal:
        logger.warning("%s: %s", problem.kind.slug, problem.internal)
    return Response(
        msgspec.json.encode(problem.body()),
        status_code=problem.kind.status,
        headers={"content-type": PROBLEM_TYPE, **problem.headers},
    )


def problem_for(error: Exception) -> Problem:
    """What to tell the caller of an exception that nobody caught: 503 for a store that is away, else 500.

    Logs it: the traceback of a mistake, one line for an outage.
    """
    if isinstance(error, Problem):
        return error
    if is_outage(error):
        logger.warning("a store is away: %s: %s", type(error).__name__, error)
        return Problem(
            UNAVAILABLE,
            "A store that this needs cannot be reached right now. Nothing was changed; try again.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    logger.error("unexpected error", exc_info=error)
    return Problem(INTERNAL, "Something went wrong on our side. It has been written down.")
