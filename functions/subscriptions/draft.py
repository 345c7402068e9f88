"""From what a client said of a subscription to what can be kept: pure, and it names everything wrong at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from functions.subscriptions.credentials import KEEP
from shared.core.credentials import auth_faults
from shared.core.delivery import K_SINK, InvalidPolicy, check_sink, parse_policy, stored_policy
from shared.core.pointers import write_pointer
from shared.core.problems import INVALID, Fault, Problem
from shared.core.signing import InvalidSecret, check_secret

MAX_SINK = 2_000
MAX_EXPRESSION = 32_000
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
    auth: Any
    tls: Any
    transform: Any


def read_draft(
    *,
    name: str | None,
    filters: Any,
    sink: Any,
    delivery: Any,
    signing_secrets: Sequence[str] | None,
    auth: Any = KEEP,
    tls: Any = KEEP,
    transform: Any = KEEP,
) -> Draft:
    """The draft in these members. Raises Problem 422 with a pointer to each member that cannot be.

    `auth` and `tls` have the right shape then; whether what they leave out is there is not known yet.
    """
    faults: list[Fault] = []
    if name is not None and (fault := _name_fault(name)):
        faults.append(Fault("/name", fault))
    faults.extend(filter_faults(filters))
    try:
        if sink != K_SINK and len(check_sink(sink, "/sink")) > MAX_SINK:
            faults.append(Fault("/sink", f"must have at most {MAX_SINK} characters"))
    except InvalidPolicy as error:
        faults.append(Fault(error.pointer, error.detail))
    policy: dict[str, Any] = {}
    try:
        parsed = parse_policy(delivery)
        policy = stored_policy(parsed)
        faults.extend(_twice(dict(parsed.headers), auth))
    except InvalidPolicy as error:
        faults.append(Fault(error.pointer, error.detail))
    if auth is not None and auth is not KEEP:
        faults.extend(Fault(f"/auth{fault.pointer}", fault.detail) for fault in auth_faults(auth))
    if tls is not None and tls is not KEEP:
        from shared.core.client_certificates import tls_faults

        faults.extend(Fault(f"/tls{fault.pointer}", fault.detail) for fault in tls_faults(tls))
    faults.extend(transform_faults(transform))
    for index, secret in enumerate(signing_secrets or ()):
        try:
            check_secret(secret)
        except InvalidSecret as error:
            faults.append(Fault(f"/signingSecrets/{index}", str(error)))
    if faults:
        raise refusal(faults)
    return Draft(name, filters or [], sink, policy, tuple(signing_secrets or ()), auth, tls, transform)


def transform_faults(transform: Any) -> list[Fault]:
    """What is wrong with the shape of a `transform`; whether its expression can be read is asked elsewhere."""
    if transform is None or transform is KEEP:
        return []
    if not isinstance(transform, dict):
        return [Fault("/transform", 'must be null, or an object such as {"jsonata": "$"}')]
    unknown = [
        Fault(write_pointer(["transform", name]), "is not known; known is jsonata")
        for name in transform
        if name != "jsonata"
    ]
    text = transform.get("jsonata")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_EXPRESSION or not _is_unicode(text):
        detail = f"must be a JSONata expression of 1 to {MAX_EXPRESSION} characters"
        return [*unknown, Fault("/transform/jsonata", detail)]
    return unknown


def _is_unicode(text: str) -> bool:
    return "\0" not in text and text.encode("utf-8", "replace").decode() == text


def _twice(headers: dict[str, str], auth: Any) -> list[Fault]:
    """A header cannot be set by `delivery.headers` and by `auth`."""
    if not isinstance(auth, dict):
        return []
    name = auth.get("name") if auth.get("type") == "header" else "authorization"
    return [
        Fault(write_pointer(["delivery", "headers", given]), "is set by auth already")
        for given in headers
        if isinstance(name, str) and given.lower() == name.lower()
    ]


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
