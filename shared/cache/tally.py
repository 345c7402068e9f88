"""What caches count. On the hot path it is one addition; the metrics read it when they are asked for."""

from collections.abc import Callable, Iterator

from shared.core.metrics import METRICS


class Tally:
    """What the caches of one name have done in this process."""

    __slots__ = ("dropped", "heard", "hits", "hits_in_redis", "misses", "name", "refreshes")

    def __init__(self, name: str) -> None:
        self.name = name
        self.hits = 0
        self.hits_in_redis = 0
        self.misses = 0
        self.refreshes = 0
        self.dropped = 0
        self.heard = 0


_TALLIES: dict[str, Tally] = {}
"""Counting is the one thing that a module may hold on to."""


def tally_of(name: str) -> Tally:
    """The one of that name."""
    found = _TALLIES.get(name)
    if found is None:
        found = _TALLIES[name] = Tally(name)
    return found


def _each(
    *read: tuple[tuple[str, ...], Callable[[Tally], int]],
) -> Callable[[], Iterator[tuple[tuple[str, ...], float]]]:
    def samples() -> Iterator[tuple[tuple[str, ...], float]]:
        for tally in _TALLIES.values():
            for labels, count in read:
                yield (tally.name, *labels), count(tally)

    return samples


METRICS.read(
    "weir_cache_hits_total",
    "Answers that a cache had: in this process, or in Redis.",
    ("cache", "level"),
    _each((("process",), lambda t: t.hits), (("redis",), lambda t: t.hits_in_redis)),
)
METRICS.read(
    "weir_cache_misses_total",
    "Answers that neither level of a cache had, so that its store was asked.",
    ("cache",),
    _each(((), lambda t: t.misses)),
)
METRICS.read(
    "weir_cache_refreshes_total",
    "Answers that were looked up again before they had ended, while the old one was used on.",
    ("cache",),
    _each(((), lambda t: t.refreshes)),
)
METRICS.read(
    "weir_cache_invalidations_total",
    "Answers that were forgotten because they had changed: said here, or heard from another process.",
    ("cache", "from"),
    _each((("here",), lambda t: t.dropped), (("message",), lambda t: t.heard)),
)
MISS = METRICS.histogram(
    "weir_cache_miss_duration_seconds",
    "What a miss cost: time to ask the store, also of answers that were looked up ahead.",
    ("cache",),
    bounds=(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)
REDIS_FAULTS = METRICS.counter(
    "weir_cache_redis_faults_total",
    "Times that Redis was given up as a level of the caches for some moments.",
)
