"""Microseconds to match an event with a CESQL expression, and to parse one, beside a plain Python function.

    python -m tests.bench.cesql

The processor's time of this process, the best of the rounds: whatever else runs matters less. Prints a table.
"""

import time
from collections.abc import Callable, Mapping

from shared.core.cesql import parse

ROUNDS, REPEATS, PARSED = 9, 100_000, 500

EVENT = {
    "specversion": "1.0",
    "id": "01a21c7f-7069-7130-9e75-95971ba7405d",
    "source": "/shop/eu-west/orders",
    "type": "com.acme.order.created",
    "subject": "A-48213",
    "time": "2026-11-27T10:00:00.123456Z",
    "datacontenttype": "application/json",
    "region": "eu-west",
    "attempt": "3",
}
EXPRESSIONS = (
    "type = 'com.acme.order.created'",
    "type = 'com.acme.order.created' AND subject LIKE 'A-%'",
    "type = 'com.acme.order.paid' AND subject LIKE 'A-%'",
    "tenant = 'acme' AND subject LIKE 'A-%'",
    "type IN ('com.acme.order.paid', 'com.acme.order.sent', 'com.acme.order.created')",
    "type = 'a' OR type = 'b' OR type = 'com.acme.order.created'",
    "type LIKE '%order%' AND NOT (region = 'us-east')",
    "type LIKE 'com.%.order_created'",
    "attempt < 5",
    "LOWER(region) = 'eu-west'",
    "LENGTH(CONCAT(subject, region)) % 2 = 0 XOR EXISTS tenant",
)


def plain(attributes: Mapping[str, str]) -> bool:
    """The second expression as one would write it."""
    subject = attributes.get("subject")
    return (
        attributes.get("type") == "com.acme.order.created"
        and subject is not None
        and subject.startswith("A-")
    )


def microseconds(work: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(repeats):
            work()
        best = min(best, (time.process_time() - began) / repeats * 1e6)
    return best


def main() -> None:
    empty = microseconds(lambda: None, REPEATS)
    print("| µs a match | µs to parse | expression |\n|---:|---:|---|")
    for text in EXPRESSIONS:
        matches = parse(text).matches
        took = microseconds(lambda matches=matches: matches(EVENT), REPEATS) - empty  # type: ignore[misc]
        parsed = microseconds(lambda text=text: parse(text), PARSED)  # type: ignore[misc]
        print(f"| {took:.2f} | {parsed:.0f} | `{text}` |")
    print(
        f"| {microseconds(lambda: plain(EVENT), REPEATS) - empty:.2f} | | the second one, as a Python function |"
    )


if __name__ == "__main__":
    main()
