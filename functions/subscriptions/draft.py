"""From what a client said of a subscription to what can be kept: pure, and it names everything wrong at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.core.delivery import InvalidPolicy, check_sink, parse_policy, policy_json
from shared.core.problems import INVALID, Fault, Problem
from shared.core.signing import InvalidSecret, check_secret

MAX_SINK = 2_000
MAX_FILTER_TEXTS = 100_000
"""Characters of all names and values of a filter together."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A subscription's checked parts. `name` None means that none was given."""

    name: str | None
    filters: list[Any]
    sink: str
    delivery: dict[str, Any]
    signing_secrets: tuple[str, ...]


def read_draft(
    *, name: str | None, filters: Any, sink: Any, delivery: Any, signing_secrets: Sequence[str] | None
) -> Draft:
    """The draft in these members. Raises Problem 422 with a pointer to each member that cannot be."""
    faults: list[Fault] = []
    if name is not None and (fault := _name_fault(name)):
        faults.append(Fault("/name", fault))
    faults.extend(filter_faults(filters))
    try:
        if len(check_sink(sink, "/sink")) > MAX_SINK:
            faults.append(Fault("/sink", f"must have at most {MAX_SINK} characters"))
    except InvalidPolicy as error:
        faults.append(Fault(error.pointer, error.detail))
    policy: dict[str, Any] = {}
    try:
        policy = policy_json(parse_policy(delivery))
    except InvalidPolicy as error:
        faults.append(Fault(error.pointer, error.detail))
    for index, secret in enumerate(signing_secrets or ()):
        try:
            check_secret(secret)
        except InvalidSecret as error:
            faults.append(Fault(f"/signingSecrets/{index}", str(error)))
    if faults:
        raise refusal(faults)
    return Draft(name, filters or [], sink, policy, tuple(signing_secrets or ()))


def filter_faults(filters: Any) -> list[Fault]:
    """What is wrong with a `filters` array, if anything."""
    # Left to the first filter: with the codec behind it, it would double what this function adds to a start.
    from shared.core.filters import InvalidFilter, compile_filters

    try:
        compile_filters(filters)
    except InvalidFilter as error:
        return [Fault(error.pointer, error.detail)]
    if sum(map(len, _texts(filters))) > MAX_FILTER_TEXTS:
        return [Fault("/filters", f"must have at most {MAX_FILTER_TEXTS} characters")]
    return []


def refusal(faults: Sequence[Fault]) -> Problem:
    """The 422 that names `faults`."""
    return Problem(INVALID, "The request has values that cannot be used.", errors=faults)


def derived_name(sink: str, taken: set[str]) -> str:
    """The host of `sink`, with a number behind it when that name is taken."""
    host = (urlsplit(sink).hostname or "sink")[:180]
    if host not in taken:
        return host
    number = 2
    while f"{host}-{number}" in taken:
        number += 1
    return f"{host}-{number}"


def _name_fault(name: str) -> str | None:
    if not name.strip() or name != name.strip():
        return "must not be empty, nor begin or end with a space"
    if not name.isprintable():
        return "must not contain control characters"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Every text in a filter that compiles, so its depth is bounded."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _texts(part)
