"""Media types: whether a text is one, and what it says about the data (RFC 2046, RFC 9110 section 8.3)."""

import re
from dataclasses import dataclass
from functools import lru_cache

# Possessive throughout, so that no text takes more than one pass; no tabs, since C11 forbids them.
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*+"'
_MEDIA_TYPE = re.compile(rf"({_WORD})/({_WORD})((?: *+; *+(?:{_WORD}=(?:{_WORD}|{_QUOTED}))?)*+)").fullmatch
_PARAMETERS = re.compile(rf"; *+({_WORD})=(?:({_WORD})|({_QUOTED}))").finditer

_UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_TEXTUAL = frozenset({"xml", "x-www-form-urlencoded", "yaml", "javascript", "graphql"})
_TEXTUAL_SUFFIXES = ("+xml", "+yaml")
_CACHED_LENGTH = 128


@dataclass(frozen=True, slots=True)
class MediaType:
    """What follows for data of a media type.

    `is_json`: `*/json` or `*/*+json` (JSON event format, section 3.1.1). `is_text`: data in this type is
    shown as text where it can be. `charset` is lower-case, None when it is UTF-8, said or not.
    """

    is_json: bool
    is_text: bool
    charset: str | None


def media_type(text: str) -> MediaType | None:
    """What `text` says, or None when it is not a media type. Names compare without regard to case."""
    # Long ones are not remembered: a sender must not choose how much memory the cache takes.
    return _remembered(text) if len(text) <= _CACHED_LENGTH else _read(text)


def _read(text: str) -> MediaType | None:
    match = _MEDIA_TYPE(text)
    if match is None:
        return None
    main, sub, parameters = match[1].lower(), match[2].lower(), match[3]
    return MediaType(
        is_json=sub == "json" or sub.endswith("+json"),
        is_text=main == "text" or sub in _TEXTUAL or sub.endswith(_TEXTUAL_SUFFIXES),
        charset=_charset(parameters),
    )


_remembered = lru_cache(maxsize=512)(_read)


def _charset(parameters: str) -> str | None:
    # One after the other: what stands in a quoted value is no parameter.
    for match in _PARAMETERS(parameters):
        if match[1].lower() == "charset":
            name = (match[2] or match[3][1:-1]).lower()
            return None if name in _UTF_8 else name
    return None
