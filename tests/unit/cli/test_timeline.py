"""A story as lines of text."""

from datetime import UTC, datetime
from typing import Any

from cli.timeline import Axis, lines, took

NOW = datetime(2026, 11, 23, 14, 32, 30, tzinfo=UTC)


def at(seconds: float) -> str:
    return f"2026-11-23T14:32:{seconds:06.3f}Z"


def delivery(name: str, status: str, attempts: list[tuple[float, float]], **more: Any) -> dict[str, Any]:
    return {
        "subscription": name,
        "subscriptionName": name,
        "status": status,
        "held": False,
        "createdAt": at(attempts[0][0]) if attempts else at(3.3),
        "attemptCount": len(attempts),
        "nextAttemptAt": None,
        "lastStatusCode": 202 if status == "delivered" else 503,
        "lastError": None,
        "replay": None,
        "attempts": [
            {"number": n, "startedAt": at(start), "durationMs": ms}
            for n, (start, ms) in enumerate(attempts, 1)
        ],
        **more,
    }


def story(**more: Any) -> dict[str, Any]:
    return {
        "uid": "01a208d2-3387-7c3e-9b41-5f02a7d8e613",
        "receivedAt": at(3.2),
        "event": {"type": "com.acme.order.created", "source": "/shop"},
        "schemaFault": None,
        "sender": {"kind": "key", "id": "k", "name": "checkout", "producer": "storefront"},
        "intake": {"durationMs": 1.6, "commitEvents": 14, "schemaVersion": 4},
        "deliveries": [
            delivery("billing", "delivered", [(3.21, 84)]),
            delivery("crm", "retrying", [(3.29, 212), (7.9, 198)], nextAttemptAt=at(39.2)),
            delivery("held", "pending", [], held=True, lastStatusCode=None),
        ],
        "subscriptions": [
            {"subscription": "billing", "subscriptionName": "billing", "matched": True, "detail": None},
            {
                "subscription": "late",
                "subscriptionName": "late",
                "matched": True,
                "detail": "it was made later",
            },
            {"subscription": "slack", "subscriptionName": "slack", "matched": False, "detail": "type is x"},
        ],
        "replays": [],
        "related": {"items": [{"relation": "effect", "uid": "u-2", "type": "invoice.made"}]},
        **more,
    }


def test_everything_that_happened_has_a_line() -> None:
    told = list(lines(story(), width=120, now=NOW))
    text = "\n".join(told)
    assert "from storefront by key checkout, source /shop" in text
    assert "1.6 ms, schema v4" in text
    assert "a commit of 14 events" in text
    assert "2 of 3 matched" in text
    billing = next(line for line in told if line.startswith("✓ billing"))
    assert billing.endswith("202, 84 ms")
    crm = next(line for line in told if line.startswith("↻ crm"))
    assert crm.endswith("503, attempt 3 in 9.2 s")
    assert crm.index("█") < crm.index("·") < crm.rindex("█") < crm.index("□")
    assert "waits: the subscription is paused" in text
    assert "matches, it was made later" in text
    assert told[told.index("not matched, 1") + 1].endswith("type is x")
    assert told[-1].split() == ["effect", "u-2", "invoice.made"]


def test_what_is_not_known_is_not_made_up() -> None:
    bare = story(
        sender=None,
        intake={"durationMs": None, "commitEvents": None, "schemaVersion": None},
        deliveries=[],
        subscriptions=[],
        related={"items": []},
    )
    text = "\n".join(lines(bare, width=80, now=NOW))
    assert "not measured, no schema" in text
    assert "0 of 0 matched" in text
    assert "related" not in text


def test_the_axis_has_two_parts_where_something_takes_long() -> None:
    short, long = Axis(100, 40), Axis(36_000, 40)
    assert short.near == 40
    assert [short.column(ms) for ms in (-5, 0, 99, 10_000)] == [0, 0, 37, 39]
    assert long.near == 16
    assert long.column(150) == 8
    assert 16 <= long.column(301) < long.column(36_000) <= 39


def test_lengths_have_the_unit_that_fits() -> None:
    assert [took(ms) for ms in (1.64, 84, 5_000, 300_000, 9_000_000)] == [
        "1.6 ms",
        "84 ms",
        "5.0 s",
        "5 min",
        "2.5 h",
    ]
