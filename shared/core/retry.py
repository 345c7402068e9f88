"""What becomes of a delivery after an attempt: Knative's table of codes, backoff and Retry-After."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal

import msgspec

from shared.core.delivery import DeliveryPolicy

RETRIED_4XX = frozenset({404, 408, 409, 429})
HONOURS_RETRY_AFTER = frozenset({429, 503})
GONE = 410
JITTER = 0.2
"""A wait is shortened by a random share of up to this much."""


Status = Literal["delivered", "retrying", "dead", "cancelled"]


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What an attempt came to: a status code, or an error where no response came.

    `verdict` decides instead of the status code where that is not all: `retrying` as long as there are retries,
    `delivered`, `dead` or `cancelled` at once.
    """

    status_code: int | None = None
    error: str | None = None
    retry_after_seconds: float | None = None
    verdict: Status | None = None

    @property
    def is_of_sink(self) -> bool:
        """Whether it says something of the sink: not where it was decided that there is nothing to be sent."""
        return self.status_code is not None or self.verdict is None


class Decision(msgspec.Struct, frozen=True, gc=False):
    """`wait_seconds` is set when the status is `retrying`; `disable` when the sink said it is gone."""

    status: Status
    wait_seconds: float | None = None
    disable: bool = False


def is_delivered(status_code: int | None) -> bool:
    """Any 2xx."""
    return status_code is not None and 200 <= status_code < 300


def is_retried(status_code: int | None) -> bool:
    """Whether another attempt may help (Knative data plane, response codes).

    No response, 404, 408, 409, 429, 5xx and codes that the table does not name are tried again; 1xx, 3xx and
    the other 4xx are not.
    """
    if status_code is None:
        return True
    if 100 <= status_code < 200 or 300 <= status_code < 400:
        return False
    if 400 <= status_code < 500:
        return status_code in RETRIED_4XX
    return not is_delivered(status_code)


def backoff_seconds(policy: DeliveryPolicy, retry: int) -> float:
    """The wait before retry number `retry` (from 1), before the random share."""
    delay = policy.backoff_delay_seconds
    # Beyond 2^60 the cap has long been reached, and floats end somewhere.
    factor = retry if policy.backoff_policy == "linear" else 2.0 ** min(retry - 1, 60)
    return min(delay * factor, policy.backoff_max_seconds)


def decide(policy: DeliveryPolicy, attempt: int, outcome: Outcome, rand: float) -> Decision:
    """What follows attempt number `attempt` (from 1). `rand` in [0, 1) chooses the random share."""
    verdict = outcome.verdict
    if verdict is not None and verdict != "retrying":
        return Decision(verdict)
    if verdict is None and is_delivered(outcome.status_code):
        return Decision("delivered")
    if attempt > policy.retry or (verdict is None and not is_retried(outcome.status_code)):
        return Decision("dead", disable=outcome.status_code == GONE)
    wait = backoff_seconds(policy, attempt) * (1 - JITTER * rand)
    if outcome.status_code in HONOURS_RETRY_AFTER and outcome.retry_after_seconds is not None:
        wait = max(wait, min(outcome.retry_after_seconds, policy.retry_after_max_seconds))
    return Decision("retrying", wait_seconds=wait)


def parse_retry_after(value: str, now: float) -> float | None:
    """Seconds from `now` (Unix time) that a Retry-After asks for (RFC 9110, 10.2.3); None if unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 12 else float(10**11)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)
