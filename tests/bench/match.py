"""What it costs to decide which subscriptions an event goes to, from 10 subscriptions to 10,000.

    python -m tests.bench.match [--events 4000] [--sizes 10,100,1000,10000]

Each mix has filters of one sort; an event matches a hundredth of them. `repeated` events have one of 500
subjects, `unique` ones each their own. `cold` forgets what was remembered before every event: the first event
of its kind after a change. `loop` asks one filter after the other, as a reference. Times are microseconds of
processor time per event. Prints JSON.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from shared.core.cloudevents import DataKind
from shared.core.filters import Attributes, EventData, Filter, compile_filters
from shared.core.matching import MatchIndex

HUNDRED = 100
SUBJECTS = 500
ROUNDS = 5
DATA = EventData(json.dumps({"total": 150, "currency": "EUR"}).encode(), DataKind.JSON)

Make = Callable[[int], list[dict[str, Any]]]


def _type(number: int) -> str:
    return f"com.example.area{number % HUNDRED:02}.created"


def _mixed(number: int) -> list[dict[str, Any]]:
    return list(MIXES.values())[number // HUNDRED % (len(MIXES) - 1)](number)


MIXES: dict[str, Make] = {
    "exact type": lambda n: [{"exact": {"type": _type(n)}}],
    "prefix of type": lambda n: [{"prefix": {"type": f"com.example.area{n % HUNDRED:02}."}}],
    "type and source": lambda n: [{"exact": {"type": _type(n), "source": "/shops/eu"}}],
    "any of three types": lambda n: [
        {"any": [{"exact": {"type": t}} for t in (_type(n), "com.example.other", f"com.example.rare{n % 7}")]}
    ],
    "type, and not a subject of its own": lambda n: [
        {"exact": {"type": _type(n)}},
        {"not": {"exact": {"subject": f"/blocked/{n}"}}},
    ],
    "prefix of subject": lambda n: [{"prefix": {"subject": f"/tenants/{n % HUNDRED:02}/"}}],
    "CESQL, simple": lambda n: [{"sql": f"type = '{_type(n)}' AND source LIKE '/shops/%'"}],
    "CESQL of its own, with a function": lambda n: [
        {"sql": f"type = '{_type(n)}' AND LENGTH(subject) > {n // HUNDRED % 10}"}
    ],
    "CEL on data": lambda n: [{"cel": f'type == "{_type(n)}" && data.total > {n // HUNDRED}'}],
    "all of these": _mixed,
}


def _events(count: int, *, unique: bool) -> list[Attributes]:
    dice = random.Random(7)
    events: list[Attributes] = []
    for number in range(count):
        subject = number if unique else number % SUBJECTS
        area = dice.randrange(HUNDRED)
        events.append(
            {
                "specversion": "1.0",
                "id": f"{number}",
                "source": "/shops/eu",
                "type": _type(area),
                "subject": f"/tenants/{area:02}/orders/{subject:09}",
                "time": "2026-11-27T10:00:00Z",
                "datacontenttype": "application/json",
            }
        )
    return events


def _measured(match: Callable[[Attributes], object], events: list[Attributes]) -> float:
    """Microseconds per event: the median of some rounds."""
    each = max(1, len(events) // ROUNDS)
    found = []
    for start in range(0, each * ROUNDS, each):
        part = events[start : start + each]
        before = time.process_time()
        for event in part:
            match(event)
        found.append((time.process_time() - before) / max(1, len(part)) * 1e6)
    return statistics.median(found)


def measure(make: Make, size: int, events: int) -> dict[str, float]:
    """The figures of one mix with so many subscriptions."""
    filters: list[Filter] = [compile_filters(make(number)) for number in range(size)]
    before = time.process_time()
    index: MatchIndex[int] = MatchIndex()
    for number, filter_ in enumerate(filters):
        index.put(number, number, filter_)
    index.match(_events(1, unique=False)[0], DATA)
    built = time.process_time() - before
    repeated, unique = _events(events, unique=False), _events(events, unique=True)

    def match(event: Attributes) -> object:
        return index.match(event, EventData(b'{"total": 150, "currency": "EUR"}', DataKind.JSON))

    def cold(event: Attributes) -> object:
        index.forget()
        return match(event)

    def loop(event: Attributes) -> object:
        data = EventData(b'{"total": 150, "currency": "EUR"}', DataKind.JSON)
        return [number for number, filter_ in enumerate(filters) if filter_.matches(event, data)]

    sample = repeated[:50]
    matched = sum(len(index.match(event, DATA).members) for event in sample) / len(sample)
    assert [list(index.match(e, DATA).members) for e in sample[:5]] == [loop(e) for e in sample[:5]] or all(
        sorted(index.match(e, DATA).members) == loop(e) for e in sample[:5]
    )
    for event in repeated[:1000]:
        match(event)
    few = max(ROUNDS, min(events, 400_000 // size))
    return {
        "matches": matched,
        "repeated": _measured(match, repeated),
        "unique": _measured(match, unique),
        "cold": _measured(cold, unique[: min(events, max(100, few))]),
        "loop": _measured(loop, repeated[:few]),
        "buildMs": built * 1000,
    }


def figures(sizes: list[int], events: int) -> dict[str, Any]:
    """Every mix at every size, and how much the cost of an event grows from the smallest to the largest."""
    found: dict[str, Any] = {}
    for name, make in MIXES.items():
        by_size = {str(size): measure(make, size, events) for size in sizes}
        least, most = by_size[str(sizes[0])], by_size[str(sizes[-1])]
        found[name] = {
            "sizes": by_size,
            "growth": {way: most[way] / least[way] for way in ("repeated", "unique", "cold", "loop")},
        }
        print(f"{name}: {found[name]['growth']}", file=sys.stderr)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The cost of matching, by the number of subscriptions.")
    parser.add_argument("--events", type=int, default=4000)
    parser.add_argument("--sizes", default="10,100,1000,10000")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    print(json.dumps({"match": figures(sizes, arguments.events)}, indent=2))


if __name__ == "__main__":
    main()
