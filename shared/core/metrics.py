"""Counting in the process, rendered in the Prometheus text format 0.0.4."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bucket bounds for durations of requests."""


class Metric(Protocol):
    """What the exposition asks of a metric."""

    name: str
    help: str
    kind: str

    def samples(self) -> Iterator[str]:
        """The lines below `# TYPE`."""


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    escaped = (v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for v in values)
    return "{" + ",".join(f'{n}="{v}"' for n, v in zip(names, escaped, strict=True)) + "}"


class Counter:
    """A number that only grows, one for each combination of label values."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:  # noqa: A002 Prometheus' word
        self.name = name
        self.help = help
        self._names = tuple(labels)
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, *values: str, amount: float = 1) -> None:
        """Count `amount` for these label values, given in the order of `labels`."""
        self._values[values] = self._values.get(values, 0) + amount

    def samples(self) -> Iterator[str]:
        for values, count in sorted(self._values.items()):
            yield f"{self.name}{_labels(self._names, values)} {_number(count)}"


class Gauge(Counter):
    """A number that goes up and down."""

    kind = "gauge"

    def set(self, *values: str, to: float) -> None:
        """Make it `to` for these label values."""
        self._values[values] = to

    def clear(self) -> None:
        """Show nothing: it is not known."""
        self._values.clear()


class Histogram:
    """How often values fell at or below each of `bounds`."""

    kind = "histogram"

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 Prometheus' word
        labels: Sequence[str] = (),
        bounds: Sequence[float] = SECONDS,
    ) -> None:
        self.name = name
        self.help = help
        self._names = tuple(labels)
        self._bounds = tuple(bounds)
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, *values: str, value: float) -> None:
        """Add one `value` (seconds for durations)."""
        counts = self._counts.get(values)
        if counts is None:
            counts = self._counts[values] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[values] = self._sums.get(values, 0.0) + value

    def samples(self) -> Iterator[str]:
        names = (*self._names, "le")
        for values, counts in sorted(self._counts.items()):
            total = 0
            for bound, count in zip((*(f"{b:g}" for b in self._bounds), "+Inf"), counts, strict=True):
                total += count
                yield f"{self.name}_bucket{_labels(names, (*values, bound))} {total}"
            labels = _labels(self._names, values)
            yield f"{self.name}_sum{labels} {_number(self._sums[values])}"
            yield f"{self.name}_count{labels} {total}"


Counted = Iterable[tuple[tuple[str, ...], float]]
"""Label values and the number of each."""


class Read:
    """Numbers that somebody else keeps, read when they are shown: for what is counted too often for more than an addition."""

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 Prometheus' word
        labels: Sequence[str],
        read: Callable[[], Counted],
        *,
        kind: str,
    ) -> None:
        self.name = name
        self.help = help
        self.kind = kind
        self._names = tuple(labels)
        self._read = read

    def samples(self) -> Iterator[str]:
        for values, number in sorted(self._read()):
            yield f"{self.name}{_labels(self._names, values)} {_number(number)}"


def _number(value: float) -> str:
    """All of its digits: rates are differences of large numbers."""
    return str(int(value)) if float(value).is_integer() else repr(value)


class Registry:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._metrics: list[Metric] = []

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:  # noqa: A002
        """A new counter that `render` shows."""
        metric = Counter(name, help, labels)
        self._metrics.append(metric)
        return metric

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:  # noqa: A002
        """A new gauge that `render` shows."""
        metric = Gauge(name, help, labels)
        self._metrics.append(metric)
        return metric

    def histogram(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Sequence[str] = (),
        bounds: Sequence[float] = SECONDS,
    ) -> Histogram:
        """A new histogram that `render` shows."""
        metric = Histogram(name, help, labels, bounds)
        self._metrics.append(metric)
        return metric

    def read(
        self,
        name: str,
        help: str,  # noqa: A002
        labels: Sequence[str],
        read: Callable[[], Counted],
        *,
        kind: str = "counter",
    ) -> None:
        """Show what `read` gives, whenever `render` is called."""
        self._metrics.append(Read(name, help, labels, read, kind=kind))

    def render(self) -> str:
        """Every metric in the text format, in the order of registration."""
        lines: list[str] = []
        for metric in self._metrics:
            lines.append(f"# HELP {metric.name} {metric.help}")
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            lines.extend(metric.samples())
        return "\n".join(lines) + "\n"


METRICS = Registry()
"""The process's metrics. Counting is the one thing that a module may hold on to: it has no owner to ask."""
