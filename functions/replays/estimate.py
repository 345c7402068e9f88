"""How long deliveries take a sink, and how many of them would fail again: pure."""

from dataclasses import dataclass

from shared.core.delivery import DeliveryPolicy
from shared.core.retry import backoff_seconds

SHARE = 0.75
"""How many of the requests that a sink may have at once are for repeats: the rest is kept free for what is live."""

LONGEST_SECONDS = 1e10
"""Some three hundred years: what takes longer is said to take that long, and on no day that there is."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What became of the newest deliveries of a subscription: `attempts` of them, of which `failed` were not taken.

    `answer_seconds` is how long one takes, None where nothing is known.
    """

    attempts: int
    failed: int
    answer_seconds: float | None

    @property
    def failure_rate(self) -> float:
        """The share that failed, 0 to 1."""
        return self.failed / self.attempts if self.attempts else 0.0


def lowest_rate(policy: DeliveryPolicy, wanted: float | None) -> float | None:
    """At how many a second a sink gets repeats at most; None is no limit."""
    rates = [rate for rate in (policy.rate_per_second, wanted) if rate is not None]
    return min(rates, default=None)


def seconds_for(count: int, policy: DeliveryPolicy, wanted: float | None, lately: Lately) -> float | None:
    """How long `count` deliveries take, if all go well; None where nothing is known of the sink."""
    if not count:
        return 0.0
    known: list[float] = []
    rate = lowest_rate(policy, wanted)
    if rate is not None:
        known.append(count / rate)
    if lately.answer_seconds is not None:
        at_once = max(1, int(policy.max_in_flight * SHARE))
        known.append(count * lately.answer_seconds / at_once)
    return min(max(known), LONGEST_SECONDS) if known else None


def would_die(count: int, policy: DeliveryPolicy, lately: Lately) -> int:
    """How many are dead letters in the end, if each attempt fails as often as those lately."""
    return round(count * lately.failure_rate ** (policy.retry + 1))


def dies_after(policy: DeliveryPolicy) -> float:
    """How many seconds a delivery is tried for that is never taken, with the middle of the jitter."""
    return sum(backoff_seconds(policy, retry) for retry in range(1, policy.retry + 1)) * 0.9
