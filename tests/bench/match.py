"""What it costs to decide which subscriptions an event goes to, from 10 subscriptions to 10,000.

    python -m tests.bench.match [--events 4000] [--sizes 10,100,1000,10000]

Each mix has filters of one sort; an event matches a hundredth of them, of the later ones fewer. `repeated` events have one of 500
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
MORE: dict[str, Make] = {
    "each of these in turn": lambda n: list(MIXES.values())[n % (len(MIXES) - 1)](n // (len(MIXES) - 1)),
    "CEL, an amount and a country": lambda n: [
        {
            "cel": f'type == "{_type(n)}" && data.amount > {n // HUNDRED * 10} && data.country == "C{n // HUNDRED % 4}"'
        }
    ],
    "CEL, a customer of its own": lambda n: [{"cel": f'data.customer.id == "{n}" && data.amount >= 100'}],
    "CEL, a member of its own": lambda n: [{"cel": f'type == "{_type(n)}" && data.f{n // HUNDRED} != 1'}],
    "CESQL, three functions": lambda n: [
        {
            "sql": f"type = '{_type(n)}' AND UPPER(source) LIKE '/SHOPS/%' AND RIGHT(subject, 1) != 'x'"
            f" AND INT(id) % 100 <= {n // HUNDRED}"
        }
    ],
    "CEL that has to be asked": lambda n: [
        {"cel": f'type == "{_type(n)}" && data.lines.exists(l, l.n > {n // HUNDRED})'}
    ],
    "CESQL that has to be asked": lambda n: [
        {"sql": f"type = '{_type(n)}' AND subject LIKE '%{n // HUNDRED}%'"}
    ],
}
"""Such as people write them: events have amounts, countries and customers of their own, and pass some."""


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


def _plain(_: Attributes) -> EventData:
    return EventData(b'{"total": 150, "currency": "EUR"}', DataKind.JSON)


def _orders() -> Callable[[Attributes], EventData]:
    """Data of many sorts, told apart by the id of the event."""
    dice = random.Random(11)
    raws = [
        json.dumps(
            {
                "total": 150,
                "currency": "EUR",
                "amount": dice.randrange(1000),
                "country": f"C{dice.randrange(4)}",
                "customer": {"id": str(dice.randrange(10_000)), "name": "Ann"},
                "lines": [{"n": dice.randrange(100), "sku": "a"} for _ in range(3)],
                **{f"f{number}": dice.randrange(2) for number in range(0, HUNDRED, 10)},
            }
        ).encode()
        for _ in range(1000)
    ]
    return lambda event: EventData(raws[int(str(event["id"])) % len(raws)], DataKind.JSON)


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


def measure(
    make: Make, size: int, events: int, data_of: Callable[[Attributes], EventData]
) -> dict[str, float]:
    """The figures of one mix with so many subscriptions."""
    filters: list[Filter] = [compile_filters(make(number)) for number in range(size)]
    before = time.process_time()
    index: MatchIndex[int] = MatchIndex()
    for number, filter_ in enumerate(filters):
        index.put(number, number, filter_)
    first = _events(1, unique=False)[0]
    index.match(first, data_of(first))
    built = time.process_time() - before
    repeated, unique = _events(events, unique=False), _events(events, unique=True)

    def match(event: Attributes) -> object:
        return index.match(event, data_of(event))

    def cold(event: Attributes) -> object:
        index.forget()
        return match(event)

    def loop(event: Attributes) -> object:
        data = data_of(event)
        return [number for number, filter_ in enumerate(filters) if filter_.matches(event, data)]

    sample = repeated[:50]
    matched = sum(len(index.match(event, data_of(event)).members) for event in sample) / len(sample)
    for event in sample[:5]:
        assert sorted(index.match(event, data_of(event)).members) == loop(event)
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
    orders = _orders()
    for name, make in {**MIXES, **MORE}.items():
        data_of = orders if name in MORE else _plain
        by_size = {str(size): measure(make, size, events, data_of) for size in sizes}
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
