"""From counters of requests to a verdict: is what was promoted well? Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

METRIC = "weir_http_request_duration_seconds"
QUANTILE = 0.95
ERRORS_AT_LEAST = 3
"""Fewer errors than these are an accident, however few requests there were."""

REQUESTS_AT_LEAST = 20
"""How many requests a quantile needs to say something."""

_SAMPLE = re.compile(rf"{METRIC}_(bucket|count)\{{([^}}]*)\}} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests so far, those answered 5xx, and how many took at most so many seconds."""

    requests: float = 0
    errors: float = 0
    buckets: Mapping[float, float] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        bounds = self.buckets.keys() | other.buckets.keys()
        return Counts(
            self.requests + other.requests,
            self.errors + other.errors,
            {b: self.buckets.get(b, 0) + other.buckets.get(b, 0) for b in bounds},
        )

    def since(self, earlier: "Counts") -> "Counts":
        """What came after `earlier`. Counters that went back belong to a process that began anew."""
        if earlier.requests > self.requests:
            return self
        return Counts(
            self.requests - earlier.requests,
            self.errors - earlier.errors,
            {b: n - earlier.buckets.get(b, 0) for b, n in self.buckets.items()},
        )

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share of the requests was answered; None when there are too few to say.

        Between two bounds it is taken to rise evenly, as Prometheus does; above the last one it is that one.
        """
        if self.requests < REQUESTS_AT_LEAST or not self.buckets:
            return None
        rank, below, start = share * self.requests, 0.0, 0.0
        for bound in sorted(self.buckets):
            count = self.buckets[bound]
            if count >= rank:
                if bound == float("inf"):
                    return start
                inside = count - below
                return start + (bound - start) * ((rank - below) / inside if inside else 1.0)
            below, start = count, bound if bound != float("inf") else start
        return start


Evidence = Mapping[str, Counts]
"""By function."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still well. `max_restarts` is of containers of the new revisions."""

    max_error_rate: float = 0.01
    max_latency_seconds: float = 1.0
    max_restarts: int = 0


def parse(text: str) -> dict[str, Counts]:
    """The requests of a process by function, from its metrics in the Prometheus text format."""
    samples: list[tuple[dict[str, str], float]] = []
    for kind, labels, value in _SAMPLE.findall(text):
        named = dict(_LABEL.findall(labels))
        if kind == "count":
            named["le"] = "count"
        samples.append((named, float(value)))
    return collect(samples)


def collect(samples: Iterable[tuple[Mapping[str, str], float]]) -> dict[str, Counts]:
    """From samples with the labels `function`, `status` and `le`, where `le` is `count` for the number of all."""
    found: dict[str, Counts] = {}
    for labels, value in samples:
        le = labels.get("le", "")
        if le == "count":
            more = Counts(value, value if labels.get("status", "").startswith("5") else 0)
        else:
            more = Counts(0, 0, {float(le.replace("+Inf", "inf")): value})
        name = labels.get("function", "")
        found[name] = found.get(name, Counts()) + more
    return found


def added(one: Evidence, other: Evidence) -> dict[str, Counts]:
    """Both together."""
    return {n: one.get(n, Counts()) + other.get(n, Counts()) for n in one.keys() | other.keys()}


def since(later: Evidence, earlier: Evidence) -> dict[str, Counts]:
    """What came between two looks."""
    return {name: counts.since(earlier.get(name, Counts())) for name, counts in later.items()}


def judge(
    window: Evidence,
    limits: Limits,
    *,
    held_open: Iterable[str] = (),
    restarts: Mapping[str, int] | None = None,
) -> list[str]:
    """What is wrong, a line for each; nothing when all is well.

    `held_open` are functions whose requests last as long as there is work: of those only errors count.
    """
    faults = []
    for name, counts in sorted(window.items()):
        if counts.errors >= ERRORS_AT_LEAST and counts.errors > limits.max_error_rate * counts.requests:
            rate = counts.errors / counts.requests
            faults.append(
                f"{name}: {counts.errors:.0f} of {counts.requests:.0f} requests failed ({rate:.1%};"
                f" {limits.max_error_rate:.1%} is allowed)"
            )
        slow = counts.quantile(QUANTILE)
        if slow is not None and slow > limits.max_latency_seconds and name not in held_open:
            faults.append(
                f"{name}: 95 % of {counts.requests:.0f} requests took up to {slow:.2f} s"
                f" ({limits.max_latency_seconds:g} s is allowed)"
            )
    for name, count in sorted((restarts or {}).items()):
        if count > limits.max_restarts:
            faults.append(
                f"{name}: its container was started again {count} times ({limits.max_restarts} allowed)"
            )
    return faults
