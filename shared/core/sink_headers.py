"""Headers that a subscription adds to its requests: which names and values may stand there."""

import re
from collections.abc import Mapping
from typing import Any

from shared.core.pointers import write_pointer
from shared.core.problems import Fault

MAX_HEADERS = 32
MAX_NAME = 100
MAX_VALUE = 2_000

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?").fullmatch

_RESERVED = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect"),
        *("host", "keep-alive", "prefer", "te", "trailer", "traceparent", "tracestate", "transfer-encoding"),
        *("upgrade", "user-agent"),
    }
)
_RESERVED_STARTS = ("ce-", "proxy-", "webhook-")
_ALLOWED = frozenset({"webhook-request-origin"})
"""For targets that want to see the origin of the hand-shake in each delivery (http-webhook.md, section 2.1)."""


def name_fault(name: object) -> str | None:
    """Why no header of a subscription can be called so; None when it can."""
    if not isinstance(name, str) or _NAME(name) is None or len(name) > MAX_NAME:
        return f"is not the name of a header: letters, digits and signs of RFC 9110, at most {MAX_NAME}"
    lower = name.lower()
    if lower in _RESERVED or (lower.startswith(_RESERVED_STARTS) and lower not in _ALLOWED):
        return "is a header that Weir sets by itself"
    return None


def value_fault(value: object, most: int = MAX_VALUE) -> str | None:
    """Why no header can have this value; None when it can."""
    if not isinstance(value, str):
        return "must be a text"
    if len(value) > most or _VALUE(value) is None:
        return (
            f"must be 1 to {most} printable ASCII characters, without line breaks "
            "and without space at its ends"
        )
    return None


def header_faults(headers: Any) -> list[Fault]:
    """What is wrong with an object of names and values; pointers begin at it."""
    if not isinstance(headers, Mapping):
        return [Fault("", "must be an object of names and values")]
    faults: list[Fault] = []
    if len(headers) > MAX_HEADERS:
        faults.append(Fault("", f"must not have more than {MAX_HEADERS} headers"))
    seen: set[str] = set()
    for name, value in headers.items():
        at = write_pointer([str(name)])
        if (fault := name_fault(name) or value_fault(value)) is not None:
            faults.append(Fault(at, fault))
        elif name.lower() in seen:
            faults.append(Fault(at, "is there twice: the case of letters does not count"))
        else:
            seen.add(name.lower())
    return faults
