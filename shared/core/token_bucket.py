"""Token buckets, and how several processes share one without asking it for every event."""

from dataclasses import dataclass
from math import floor, inf

BACK_SECONDS = 1.0
"""A clock that goes back by less is waited for; past that it was set, and the bucket goes on from its new time."""

LEASE_SECONDS = 0.5
"""How long a process may spend what it has taken out in advance."""

PORTIONS_PER_SECOND = 10
CLOSED_SECONDS = 1.0
CLOSED_AT_LEAST_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate_per_second` tokens come back every second, until there are `burst`. Both at least 1."""

    rate_per_second: int
    burst: int

    @property
    def portion(self) -> int:
        """How many tokens a process takes out in advance."""
        return max(1, min(self.burst, self.rate_per_second // PORTIONS_PER_SECOND))


def limit_of(rate_per_second: int | None, burst: int | None) -> Limit | None:
    """No rate is no limit; no burst is what comes back within a second."""
    return None if rate_per_second is None else Limit(rate_per_second, burst or rate_per_second)


class Bucket:
    """One bucket. It is full at first. Whoever finds one token may take more: then the bucket is in debt.

    So a batch fits however large it is, and what comes after it waits until the debt is paid.
    """

    __slots__ = ("at", "balance", "limit")

    def __init__(self, limit: Limit, now: float) -> None:
        self.limit = limit
        self.balance = float(limit.burst)
        self.at = now

    def level(self, now: float) -> float:
        """How many tokens there are; below 0 it is a debt."""
        elapsed = now - self.at
        if elapsed > 0:
            self.balance += elapsed * self.limit.rate_per_second
        if elapsed > 0 or elapsed < -BACK_SECONDS:
            self.at = now
        self.balance = min(self.balance, self.limit.burst)
        return self.balance

    def take(self, cost: float, now: float) -> bool:
        """Whether `cost` tokens were taken out."""
        if self.level(now) < 1:
            return False
        self.balance -= cost
        return True

    def lease(self, need: float, want: float, spent: float, now: float) -> float:
        """Take out `need` and up to `want` more, after `spent` that was used without asking; what was given.

        `functions/ingest/limits.py` has the same in Lua.
        """
        self.level(now)
        self.balance -= spent
        if self.balance < 1:
            return 0
        given = max(need, min(need + want, floor(self.balance)))
        self.balance -= given
        return given


class Share:
    """What one process holds of a bucket that it shares with others. No I/O: the caller asks the bucket.

    While the bucket cannot be asked, `spend_locally` goes by what is known of it here; that is told to it
    with the next question.
    """

    __slots__ = ("_closed_until", "_known", "_lease", "_lease_until", "_spent", "limit")

    def __init__(self, limit: Limit, now: float) -> None:
        self.limit = limit
        self._lease = 0.0
        self._lease_until = -inf
        self._closed_until = -inf
        self._known = Bucket(limit, now)
        self._spent = Bucket(limit, now)

    def spend(self, cost: float, now: float) -> bool:
        """Whether `cost` was paid out of what was taken in advance."""
        if self._lease < cost or now >= self._lease_until:
            return False
        self._lease -= cost
        return True

    def spend_locally(self, cost: float, now: float) -> bool:
        """Whether `cost` may be spent without asking the bucket."""
        if not self._known.take(cost, now):
            return False
        self._spent.level(now)
        self._spent.balance -= cost
        return True

    def is_closed(self, now: float) -> bool:
        """Whether the bucket was found empty so lately that asking it again is of no use."""
        return now < self._closed_until

    def settle(self, now: float) -> float:
        """What was spent locally and has not come back since; from now on it counts as told."""
        spent = self.limit.burst - self._spent.level(now)
        self._spent.balance = float(self.limit.burst)
        return spent

    def unsettle(self, spent: float) -> None:
        """It could not be told after all."""
        self._spent.balance -= spent

    def answer(self, given: float, balance: float, now: float) -> None:
        """The bucket gave so many tokens and has `balance` left.

        What was spent locally meanwhile is paid out of them.
        """
        lease = given + (self._lease if now < self._lease_until else 0)
        paid = min(lease, self.limit.burst - self._spent.level(now))
        self._spent.balance += paid
        self._lease = lease - paid
        self._lease_until = now + LEASE_SECONDS
        self._known.balance, self._known.at = balance, now
        if given < 1:
            wait = (1 - balance) / self.limit.rate_per_second
            self._closed_until = now + min(CLOSED_SECONDS, max(CLOSED_AT_LEAST_SECONDS, wait))

    def remaining(self, now: float) -> int:
        """How many tokens may be left, as far as is known here; others spend them as well."""
        lease = self._lease if now < self._lease_until else 0
        return max(0, min(self.limit.burst, floor(lease + max(0.0, self._known.level(now)))))

    def wait_seconds(self, now: float) -> float:
        """How long until there is a token again, as far as is known here."""
        return max(0.0, (1 - self._known.level(now)) / self.limit.rate_per_second)
