"""What attribute names and values may be (CloudEvents 1.0, "Type System" and "Context Attributes")."""

import re
from collections.abc import Callable

from shared.core.cloudevents.event import InvalidEvent
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.uris import is_absolute_uri, is_uri_reference

_NAME = re.compile(r"[a-z0-9]+").fullmatch

# Control characters, surrogates and the 66 noncharacters of Unicode.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
).search

_TIMESTAMP = re.compile(
    r"(\d{4})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8])|02-(29))"
    r"[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
).fullmatch

INTEGERS = range(-(2**31), 2**31)
"""What an attribute of type Integer may hold."""


def is_text(value: str) -> bool:
    """Whether `value` is a String: without control characters, surrogates and noncharacters."""
    return (value.isascii() and value.isprintable()) or _FORBIDDEN(value) is None


def is_timestamp(value: str) -> bool:
    """Whether `value` is an RFC 3339 `date-time`: lower-case `t` and `z`, and second 60, are legal."""
    match = _TIMESTAMP(value)
    if match is None:
        return False
    year, leap_day = match.groups()
    if leap_day is None:
        return True
    number = int(year)
    return number % 4 == 0 and (number % 100 != 0 or number % 400 == 0)


def check_name(name: str) -> None:
    """Raise InvalidEvent unless `name` may be the name of an attribute."""
    if _NAME(name) is None:
        raise InvalidEvent(
            f"{_shown(name)} is not an attribute name: only a-z and 0-9 are allowed", _pointer(name)
        )
    if name == "data":
        raise InvalidEvent("data is not the name of an attribute", "/data")


def _is_media_type(value: str) -> bool:
    return media_type(value) is not None


_FORMS: dict[str, tuple[Callable[[str], bool], str]] = {
    "source": (is_uri_reference, "a URI-reference (RFC 3986, section 4.1)"),
    "time": (is_timestamp, "a timestamp (RFC 3339) such as 2026-03-31T15:12:00Z"),
    "datacontenttype": (_is_media_type, "a media type (RFC 2046) such as application/json"),
    "dataschema": (is_absolute_uri, "an absolute URI (RFC 3986, section 4.3)"),
}


def check_text(name: str, value: object) -> str:
    """`value` as the text of the attribute `name` of the core specification. Raises InvalidEvent."""
    if type(value) is not str:
        raise InvalidEvent(f"{name} must be a string", f"/{name}")
    if not value:
        raise InvalidEvent(f"{name} must not be empty", f"/{name}")
    form = _FORMS.get(name)
    # Each of the forms allows printable ASCII alone, so it needs no second look.
    if form is None:
        if not is_text(value):
            raise InvalidEvent(f"{name} has characters that no attribute may have", f"/{name}")
    elif not form[0](value):
        raise InvalidEvent(f"{name} must be {form[1]}, not {_shown(value)}", f"/{name}")
    return value


def check_extension(name: str, value: object) -> str | int | bool:
    """`value` as the value of the extension `name`: String, Integer or Boolean. Raises InvalidEvent."""
    check_name(name)
    kind = type(value)
    if kind is str:
        if not is_text(value):  # type: ignore[arg-type]
            raise InvalidEvent(f"{name} has characters that no attribute may have", f"/{name}")
    elif kind is int:
        if value not in INTEGERS:
            raise InvalidEvent(f"{name} must be an integer from -2147483648 to 2147483647", f"/{name}")
    elif kind is not bool:
        raise InvalidEvent(f"{name} must be a string, an integer or a boolean", f"/{name}")
    return value  # type: ignore[return-value]


def _shown(value: str) -> str:
    """`value` for an error message: short, and without what a terminal would obey."""
    return ascii(value if len(value) <= 80 else value[:80] + "…")


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
