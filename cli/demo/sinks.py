"""The sinks of the demonstration, and who subscribes to what."""

import random
from dataclasses import dataclass, field
from typing import Any

from cli.receiver import Behaviour


@dataclass(frozen=True, slots=True)
class Flaky(Behaviour):
    """Answers 503 to a share of the requests."""

    share: float = 0.4

    def status_of(self, number: int) -> int:  # noqa: ARG002 chance decides
        """503 or 200."""
        return 503 if random.random() < self.share else 200  # noqa: S311 a demonstration


@dataclass(frozen=True, slots=True)
class Slow(Behaviour):
    """Takes up to `delay` seconds."""

    def delay_of(self, _number: int) -> float:
        """Some of `delay`."""
        return random.uniform(0.1, 1.0) * self.delay  # noqa: S311


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscription and how its sink behaves; None: nobody listens there."""

    name: str
    filters: list[dict[str, Any]]
    behaviour: Behaviour | None
    delivery: dict[str, Any] = field(default_factory=dict)


def _types(*prefixes: str) -> list[dict[str, Any]]:
    return [{"any": [{"prefix": {"type": prefix}} for prefix in prefixes]}]


QUICK = {"retry": 4, "backoffDelay": "PT2S", "backoffMax": "PT1M", "timeout": "PT5S"}

SUBSCRIBERS = (
    Subscriber("audit-log", [], Behaviour()),
    Subscriber(
        "issue-tracker", _types("com.github.issues.", "com.github.issue_comment."), Behaviour(status=204)
    ),
    Subscriber(
        "review-chat",
        _types("com.github.pull_request"),
        Flaky(headers={"retry-after": "2"}),
        {**QUICK, "retry": 6},
    ),
    Subscriber(
        "build-board",
        _types("com.github.check_", "com.github.workflow_", "google.cloud.cloudbuild."),
        Slow(delay=2.0),
        QUICK,
    ),
    Subscriber(
        "billing",
        _types("com.github.sponsorship.", "com.github.marketplace_purchase.", "com.github.member"),
        Behaviour(status=422),
        QUICK,
    ),
    Subscriber(
        "release-mirror",
        [{"all": [{"prefix": {"type": "com.github."}}, {"suffix": {"type": ".published"}}]}],
        None,
        QUICK,
    ),
    Subscriber(
        "cloud-inventory",
        [{"prefix": {"type": "google."}}, {"not": {"prefix": {"type": "google.firebase.analytics"}}}],
        Behaviour(),
        {"format": "json"},
    ),
)
