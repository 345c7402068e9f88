"""How a subscription wants its deliveries: Knative's DeliverySpec with what Weir adds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from shared.core.durations import format_duration, parse_duration
from shared.core.overrides import override_faults
from shared.core.problems import Fault
from shared.core.sink_headers import header_faults

MAX_RETRY = 1000
MAX_DURATION_SECONDS = 30 * 86400
MAX_TIMEOUT_SECONDS = 600
MAX_IN_FLIGHT = 1000
MAX_RATE = 100_000
MAX_BATCH = 1000
K_SINK = "env:K_SINK"
"""Stands for the address in the environment of dispatch (Knative's SinkBinding)."""

_AUTHORITY = re.compile(r"(\[[^\[\]\\]+\]|[^\[\]\\]+?)(:[0-9]*)?").fullmatch
"""RFC 3986, section 3.2: brackets stand around an IPv6 address and nowhere else, a backslash stands nowhere."""


class InvalidPolicy(Exception):
    """A value that a delivery cannot have; `pointer` says where (RFC 6901)."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}")
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """`retry` counts the attempts after the first. `rate_per_second` None means no limit.

    With a `batch_size` above 1 every request is a batch. `headers` and `extensions` are pairs of name and text.
    """

    retry: int = 12
    backoff_policy: Literal["exponential", "linear"] = "exponential"
    backoff_delay_seconds: float = 5.0
    backoff_max_seconds: float = 6 * 3600.0
    timeout_seconds: float = 15.0
    retry_after_max_seconds: float = 3600.0
    format: Literal["binary", "json"] = "binary"
    dead_letter_sink: str | None = None
    ordering: Literal["none", "partitionkey"] = "none"
    max_in_flight: int = 32
    rate_per_second: float | None = None
    batch_size: int = 1
    headers: tuple[tuple[str, str], ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    replies: bool = False


DEFAULT = DeliveryPolicy()


def check_sink(value: object, pointer: str) -> str:
    """`value` as the address of a sink: absolute, http or https. Raises InvalidPolicy."""
    if not isinstance(value, str):
        raise InvalidPolicy(pointer, "must be a text with an http or https URL")
    if not value.isascii() or any(c <= " " or c == "\x7f" for c in value):
        raise InvalidPolicy(pointer, "must not contain spaces, control or non-ASCII characters: encode them")
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError as error:
        raise InvalidPolicy(pointer, f"is not a URL: {error}") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise InvalidPolicy(
            pointer, "must be an absolute http or https URL such as https://example.com/events"
        )
    if _AUTHORITY(url.netloc) is None:
        raise InvalidPolicy(
            pointer, "must have a host without backslashes, and brackets only around an IPv6 address"
        )
    if url.username is not None or url.password is not None:
        raise InvalidPolicy(pointer, "must not carry a user or a password")
    if url.fragment or value.endswith("#"):
        raise InvalidPolicy(pointer, "must not have a fragment")
    if port == 0:
        raise InvalidPolicy(pointer, "must not use port 0")
    return value


def _integer(value: object, pointer: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidPolicy(pointer, f"must be a whole number from {low} to {high}")
    return value


def _duration(value: object, pointer: str, high: float, *, zero: bool) -> float:
    if not isinstance(value, str):
        raise InvalidPolicy(pointer, "must be an ISO 8601 duration such as PT5S")
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise InvalidPolicy(pointer, str(error)) from None
    if seconds == 0 and not zero:
        raise InvalidPolicy(pointer, "must be more than zero")
    if seconds > high:
        raise InvalidPolicy(pointer, f"must be at most {format_duration(high)}")
    return seconds


def _choice(value: object, pointer: str, *choices: str) -> Any:
    if value not in choices or not isinstance(value, str):
        raise InvalidPolicy(pointer, f"must be one of {', '.join(choices)}")
    return value


def _boolean(value: object, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidPolicy(pointer, "must be true or false")
    return value


def _refuse(faults: list[Fault], pointer: str) -> None:
    if faults:
        raise InvalidPolicy(pointer + faults[0].pointer, faults[0].detail)


def _rate(value: object, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_RATE:
        raise InvalidPolicy(pointer, f"must be a number above 0 and at most {MAX_RATE}")
    return float(value)


def parse_policy(value: Any, pointer: str = "/delivery") -> DeliveryPolicy:
    """The policy in a subscription's `delivery`; what is absent or null has its default.

    Raises InvalidPolicy for the first member that is not known or not valid.
    """
    if value is None:
        return DEFAULT
    if not isinstance(value, Mapping):
        raise InvalidPolicy(pointer, "must be an object")
    given: dict[str, Any] = {}
    for name, member in value.items():
        at = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
        if member is None and name in _MEMBERS:
            continue
        match name:
            case "retry":
                given["retry"] = _integer(member, at, 0, MAX_RETRY)
            case "backoffPolicy":
                given["backoff_policy"] = _choice(member, at, "exponential", "linear")
            case "backoffDelay":
                given["backoff_delay_seconds"] = _duration(member, at, MAX_DURATION_SECONDS, zero=True)
            case "backoffMax":
                given["backoff_max_seconds"] = _duration(member, at, MAX_DURATION_SECONDS, zero=True)
            case "timeout":
                given["timeout_seconds"] = _duration(member, at, MAX_TIMEOUT_SECONDS, zero=False)
            case "retryAfterMax":
                given["retry_after_max_seconds"] = _duration(member, at, MAX_DURATION_SECONDS, zero=True)
            case "format":
                given["format"] = _choice(member, at, "binary", "json")
            case "deadLetterSink":
                given["dead_letter_sink"] = check_sink(member, at)
            case "ordering":
                given["ordering"] = _choice(member, at, "none", "partitionkey")
            case "maxInFlight":
                given["max_in_flight"] = _integer(member, at, 1, MAX_IN_FLIGHT)
            case "ratePerSecond":
                given["rate_per_second"] = _rate(member, at)
            case "batchSize":
                given["batch_size"] = _integer(member, at, 1, MAX_BATCH)
            case "headers":
                _refuse(header_faults(member), at)
                given["headers"] = tuple(member.items())
            case "ceOverrides":
                _refuse(override_faults(member), at)
                given["extensions"] = tuple((member.get("extensions") or {}).items())
            case "replies":
                given["replies"] = _boolean(member, at)
            case _:
                raise InvalidPolicy(at, f"is not known; known are {', '.join(_MEMBERS)}")
    policy = DeliveryPolicy(**given)
    if policy.replies and policy.batch_size > 1:
        raise InvalidPolicy(
            f"{pointer}/replies", "cannot be used with a batchSize above 1: a batch has no reply of its own"
        )
    return policy


def policy_json(policy: DeliveryPolicy) -> dict[str, Any]:
    """The policy as the API shows it, every member with its value; `parse_policy` reads it back."""
    rate = policy.rate_per_second
    return {
        "retry": policy.retry,
        "backoffPolicy": policy.backoff_policy,
        "backoffDelay": format_duration(policy.backoff_delay_seconds),
        "backoffMax": format_duration(policy.backoff_max_seconds),
        "timeout": format_duration(policy.timeout_seconds),
        "retryAfterMax": format_duration(policy.retry_after_max_seconds),
        "format": policy.format,
        "deadLetterSink": policy.dead_letter_sink,
        "ordering": policy.ordering,
        "maxInFlight": policy.max_in_flight,
        "ratePerSecond": int(rate) if rate is not None and rate == int(rate) else rate,
        "batchSize": policy.batch_size,
        "headers": dict(policy.headers),
        "ceOverrides": {"extensions": dict(policy.extensions)},
        "replies": policy.replies,
    }


def stored_policy(policy: DeliveryPolicy) -> dict[str, Any]:
    """The policy as it is kept: what came with version 0003 of the schema only where it is not the default.

    So a dispatcher of the version before, which refuses members that it does not know, goes on with all others.
    """
    default = policy_json(DEFAULT)
    return {
        name: value
        for name, value in policy_json(policy).items()
        if name not in _LATER or value != default[name]
    }


_LATER = frozenset({"batchSize", "headers", "ceOverrides", "replies"})


_MEMBERS = tuple(policy_json(DEFAULT))
