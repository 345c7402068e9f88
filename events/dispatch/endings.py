"""What becomes of a delivery: from an attempt's result to the row's next state. Pure."""

from collections.abc import Mapping
from typing import Any

from events.dispatch.work import Ending, Job
from shared.core.delivery import DeliveryPolicy
from shared.core.retry import Decision, decide
from shared.sending.attempt import Result, error_data
from shared.sending.outgoing import Attempted

CLAIM_SECONDS = 5
"""A row with a request under way is due again this long after the request's time-out, if its owner is gone."""


def after_attempt(job: Job, result: Result, now: float, rand: float) -> tuple[Ending, Decision]:
    """The state after an attempt of a delivery that ended at `now` (Unix seconds)."""
    policy = job.subscription.policy
    decision = decide(policy, job.attempt - job.attempts_before, result.outcome, rand)
    ending = Ending(
        decision.status,
        job.attempt,
        last_status_code=result.outcome.status_code,
        last_error=result.outcome.error,
        first=result.attempted if job.attempt == 1 else None,
    )
    if decision.wait_seconds is not None:
        ending.next_attempt_at = now + decision.wait_seconds
    else:
        ending.ended_at = now
    if decision.status == "dead":
        _dead_letter(ending, policy, job.subscription.sink, result, now)
    return ending, decision


def after_dead_letter(job: Job, result: Result, now: float, rand: float) -> Ending:
    """The state after an attempt to bring a dead letter to its sink; the delivery stays dead."""
    assert job.dead_letter is not None
    count = job.dead_letter.get("attempts", 0) + 1
    decision = decide(job.subscription.policy, count, result.outcome, rand)
    told: dict[str, Any] = {
        **job.dead_letter,
        "attempts": count,
        "status": {"delivered": "delivered", "retrying": "waiting"}.get(decision.status, "failed"),
        "lastStatusCode": result.outcome.status_code,
        "lastError": result.outcome.error,
    }
    wait = decision.wait_seconds
    return Ending("dead", job.attempt, next_attempt_at=None if wait is None else now + wait, dead_letter=told)


def poisoned(job: Job, error: str, now: float) -> Ending:
    """The state of a delivery that cannot even be attempted."""
    if job.dead_letter is not None:
        return Ending(
            "dead", job.attempt, dead_letter={**job.dead_letter, "status": "failed", "lastError": error}
        )
    first = Attempted(now, 0, None, error, None) if job.attempt == 1 else None
    return Ending("dead", job.attempt, ended_at=now, last_error=error, first=first)


def under_way(policy: DeliveryPolicy, now: float) -> Ending:
    """The row of a first attempt that takes long."""
    return Ending("pending", 0, next_attempt_at=now + policy.timeout_seconds + CLAIM_SECONDS)


def waiting(now: float) -> Ending:
    """The row of a delivery that has to wait for its turn."""
    return Ending("pending", 0, next_attempt_at=now)


def held(status: str = "pending", attempt_count: int = 0, row: Mapping[str, Any] | None = None) -> Ending:
    """The row of a delivery whose subscription is paused."""
    return Ending(status, attempt_count, held=True, **_last(row))


def cancelled(attempt_count: int, now: float, row: Mapping[str, Any]) -> Ending:
    """The end of a delivery whose subscription is disabled or gone."""
    return Ending("cancelled", attempt_count, ended_at=now, **_last(row))


def _last(row: Mapping[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"last_status_code": row["last_status_code"], "last_error": row["last_error"]}


def _dead_letter(ending: Ending, policy: DeliveryPolicy, sink: str, result: Result, now: float) -> None:
    if policy.dead_letter_sink is None:
        return
    code = result.outcome.status_code
    ending.next_attempt_at = now
    ending.dead_letter = {
        "status": "waiting",
        "attempts": 0,
        "dest": sink,
        "code": None if code is None else str(code),
        "data": error_data(result.body),
    }
