"""What attribute names and values may be (CloudEvents 1.0, "Type System" and "Context Attributes")."""

import re
from functools import lru_cache

from shared.core.cloudevents.event import InvalidEvent
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.uris import is_absolute_uri, is_uri_reference

_NAME = re.compile(r"[a-z0-9]+").fullmatch
_CACHED_LENGTH = 256

# Control characters, surrogates and the 66 noncharacters of Unicode.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
).search

_TIMESTAMP = re.compile(
    r"\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31|02-29)"
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
    if _TIMESTAMP(value) is None:
        return False
    if value[5:10] != "02-29":
        return True
    year = int(value[:4])
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def check_name(name: str) -> None:
    """Raise InvalidEvent unless `name` may be the name of an attribute."""
    if not (_known_name(name) if len(name) <= _CACHED_LENGTH else _is_name(name)):
        raise InvalidEvent(
            "data is not the name of an attribute"
            if name == "data"
            else f"{_shown(name)} is not an attribute name: only a-z and 0-9 are allowed",
            _pointer(name),
        )


def _is_name(name: str) -> bool:
    return _NAME(name) is not None and name != "data"


# Names, sources and schemas come again and again. Long ones are not remembered: a sender must not choose
# how much memory the caches take.
_known_name = lru_cache(maxsize=512)(_is_name)
_known_source = lru_cache(maxsize=2048)(is_uri_reference)
_known_schema = lru_cache(maxsize=512)(is_absolute_uri)


def is_source(value: str) -> bool:
    """Whether `value` may be a `source`."""
    if not value:
        return False
    return _known_source(value) if len(value) <= _CACHED_LENGTH else is_uri_reference(value)


def is_schema(value: str) -> bool:
    """Whether `value` may be a `dataschema`."""
    if not value:
        return False
    return _known_schema(value) if len(value) <= _CACHED_LENGTH else is_absolute_uri(value)


def check_source(value: object) -> str:
    """`value` as a `source`. Raises InvalidEvent."""
    if type(value) is not str or not value:
        raise _not_text("source", value)
    if not is_source(value):
        raise _bad_form("source", "a URI-reference (RFC 3986, section 4.1)", value)
    return value


def check_schema(value: object) -> str:
    """`value` as a `dataschema`. Raises InvalidEvent."""
    if type(value) is not str or not value:
        raise _not_text("dataschema", value)
    if not is_schema(value):
        raise _bad_form("dataschema", "an absolute URI (RFC 3986, section 4.3)", value)
    return value


def check_time(value: object) -> str:
    """`value` as a `time`. Raises InvalidEvent."""
    if type(value) is not str or not value:
        raise _not_text("time", value)
    if not is_timestamp(value):
        raise _bad_form("time", "a timestamp (RFC 3339) such as 2026-03-31T15:12:00Z", value)
    return value


def check_content_type(value: object) -> str:
    """`value` as a `datacontenttype`. Raises InvalidEvent."""
    if type(value) is not str or not value:
        raise _not_text("datacontenttype", value)
    if media_type(value) is None:
        raise _bad_form("datacontenttype", "a media type (RFC 2046) such as application/json", value)
    return value


def check_text(name: str, value: object) -> str:
    """`value` as the String `name` of the core specification, which is not empty. Raises InvalidEvent."""
    if type(value) is not str or not value:
        raise _not_text(name, value)
    if not (value.isascii() and value.isprintable()) and _FORBIDDEN(value) is not None:
        raise InvalidEvent(f"{name} has characters that no attribute may have", f"/{name}")
    return value


def check_extension(name: str, value: object) -> None:
    """Raise InvalidEvent unless `value` is a String, an Integer or a Boolean with a proper name."""
    check_name(name)
    if type(value) is str:
        if not is_text(value):
            raise InvalidEvent(f"{name} has characters that no attribute may have", f"/{name}")
    elif type(value) is int:
        if value not in INTEGERS:
            raise InvalidEvent(f"{name} must be an integer from -2147483648 to 2147483647", f"/{name}")
    elif type(value) is not bool:
        raise InvalidEvent(f"{name} must be a string, an integer or a boolean", f"/{name}")


def _not_text(name: str, value: object) -> InvalidEvent:
    return InvalidEvent(f"{name} must {'not be empty' if value == '' else 'be a string'}", f"/{name}")


def _bad_form(name: str, form: str, value: str) -> InvalidEvent:
    return InvalidEvent(f"{name} must be {form}, not {_shown(value)}", f"/{name}")


def _shown(value: str) -> str:
    """`value` for an error message: short, and without what a terminal would obey."""
    return ascii(value if len(value) <= 80 else value[:80] + "…")


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
