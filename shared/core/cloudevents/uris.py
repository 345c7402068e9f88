"""URIs by the grammar of RFC 3986, not by what some parser can make of a text."""

import re
from collections.abc import Callable
from functools import cache

_PCT = r"%[0-9A-Fa-f]{2}"
_SEGMENTS = rf"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]++|{_PCT})*+"
_NO_COLON = rf"(?:[A-Za-z0-9\-._~!$&'()*+,;=@]++|{_PCT})++"
_QUERY = rf"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]++|{_PCT})*+"

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_H16 = r"[0-9A-Fa-f]{1,4}"
_LS32 = rf"(?:{_H16}:{_H16}|{_IPV4})"
_IPV6 = "|".join(
    (
        rf"(?:{_H16}:){{6}}{_LS32}",
        rf"::(?:{_H16}:){{5}}{_LS32}",
        *(rf"(?:(?:{_H16}:){{0,{n}}}{_H16})?::(?:{_H16}:){{{4 - n}}}{_LS32}" for n in range(5)),
        rf"(?:(?:{_H16}:){{0,5}}{_H16})?::{_H16}",
        rf"(?:(?:{_H16}:){{0,6}}{_H16})?::",
    )
)
_LITERAL = rf"\[(?:{_IPV6}|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]"
_REG_NAME = rf"(?:[A-Za-z0-9\-._~!$&'()*+,;=]++|{_PCT})*+"
_USERINFO = rf"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]++|{_PCT})*+@)?"
_AUTHORITY = rf"//{_USERINFO}(?:{_LITERAL}|{_REG_NAME})(?::\d*)?(?:/{_SEGMENTS})?"

_PATH_AFTER_SCHEME = rf"(?:{_AUTHORITY}|/(?!/){_SEGMENTS}|(?!/){_SEGMENTS})"
_PATH_ALONE = rf"(?:{_AUTHORITY}|/(?!/){_SEGMENTS}|{_NO_COLON}(?:/{_SEGMENTS})?|(?=[?#]|\Z))"
_SCHEME = r"[A-Za-z][A-Za-z0-9+\-.]*:"

_SIMPLE = re.compile(r"/?[A-Za-z0-9\-._~]++(?:/[A-Za-z0-9\-._~]*+)*+", re.ASCII).fullmatch
"""Paths without anything special, as most sources are: the whole grammar takes 15 ms to compile."""


@cache
def _absolute() -> Callable[[str], re.Match[str] | None]:
    return re.compile(rf"{_SCHEME}{_PATH_AFTER_SCHEME}(?:\?{_QUERY})?", re.ASCII).fullmatch


@cache
def _reference() -> Callable[[str], re.Match[str] | None]:
    return re.compile(
        rf"(?:{_SCHEME}{_PATH_AFTER_SCHEME}|{_PATH_ALONE})(?:\?{_QUERY})?(?:#{_QUERY})?", re.ASCII
    ).fullmatch


def is_uri_reference(text: str) -> bool:
    """Whether `text` is a `URI-reference` (section 4.1): `#fragment`, `/a/b` and `urn:a:b` are."""
    return _SIMPLE(text) is not None or _reference()(text) is not None


def is_absolute_uri(text: str) -> bool:
    """Whether `text` is an `absolute-URI` (section 4.3): with a scheme, without a fragment."""
    return _absolute()(text) is not None
