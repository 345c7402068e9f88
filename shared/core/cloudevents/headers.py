"""Attribute values in HTTP headers: quoting and percent-encoding (http-protocol-binding.md, 3.1.3.2)."""

import re

from shared.core.cloudevents.event import InvalidEvent

# Space, the double quote, the percent sign, and everything outside U+0021 to U+007E.
_TO_ENCODE = re.compile(r"[^!#$&-~]")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def encode(value: str) -> str:
    """`value` as a header has it: printable ASCII, the rest percent-encoded as UTF-8 in upper-case hex."""
    if _TO_ENCODE.search(value) is None:
        return value
    return _TO_ENCODE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), value)


def decode(name: str, value: bytes) -> str:
    """The attribute value in a header: quoted strings undone, then one round of percent-decoding.

    Senders exist that do not encode at all (cloudevents/spec#1397), so a `%` that starts no
    percent-encoding, a quote that is not closed, spaces and UTF-8 are taken as they are. Raises InvalidEvent
    where percent-encoded bytes are not UTF-8 (H22).
    """
    text = decode_quoted(name, value)
    if "%" not in text:
        return text
    try:
        return _PERCENT.sub(_percent, text)
    except UnicodeDecodeError:
        raise InvalidEvent(f"{name} has percent-encoded bytes that are not UTF-8", f"/{name}") from None


def decode_quoted(name: str, value: bytes) -> str:
    """The header value with its quoted strings undone (RFC 7230, section 3.2.6), still percent-encoded."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise InvalidEvent(f"{name} is neither percent-encoded nor UTF-8", f"/{name}") from None
    return _unquote(text) if '"' in text else text


def _percent(match: re.Match[str]) -> str:
    return bytes.fromhex(match[0].replace("%", "")).decode()


def _unquote(text: str) -> str:
    parts: list[str] = []
    position = 0
    while (start := text.find('"', position)) >= 0:
        quoted = _QUOTED.match(text, start)
        if quoted is None:
            break
        parts += (text[position:start], _ESCAPED.sub(r"\1", quoted[1]))
        position = quoted.end()
    return "".join((*parts, text[position:]))
