"""Templates: text in which `{…}` stands for a value of the request.

| expression | value |
|---|---|
| `{header:NAME}` | a request header |
| `{form:NAME}` | a field of a form |
| `{/json/pointer}` | a text, number or boolean in the JSON body (RFC 6901) |
| `{id}`, `{timestamp}` | what the signature covers under these names |
| `{digest}` | SHA-256 of the body, in hex |
| `{received}` | the time of receipt |
| `{unique}` | a new id for each request |
| `{name}`, `{project}` | of the source |

After a bar comes what is done with it: `time` (seconds since 1970, or RFC 3339, becomes RFC 3339), `dots` (every `/`
becomes a dot), `lower`, `uri` (percent-encoded). So a pointer cannot lead through a member with a bar or a brace in its
name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from shared.core.cloudevents.rules import is_timestamp
from shared.core.pointers import InvalidPointer, read_pointer

_EXPRESSION = re.compile(r"\{([^{}]*)\}")
WORDS = frozenset({"id", "timestamp", "digest", "received", "unique", "name", "project"})


class InvalidTemplate(ValueError):
    """A template that cannot be read; the text says what is wrong with it."""


class Values(Protocol):
    """Where a template's values come from; each is None for what is not there."""

    def header(self, name: str) -> str | None:
        """A header, by its name in lower case."""
        ...

    def form(self, name: str) -> str | None:
        """A field of a form."""
        ...

    def at(self, pointer: tuple[str, ...]) -> Any:
        """What is at a JSON pointer, given as its reference tokens; `MISSING` for nothing."""
        ...

    def word(self, name: str) -> str | None:
        """One of `WORDS`."""
        ...


@dataclass(frozen=True, slots=True)
class _Expression:
    origin: str
    name: str
    pointer: tuple[str, ...]
    filters: tuple[Callable[[str], str | None], ...]

    def value(self, values: Values) -> str | None:
        found: Any
        if self.origin == "header":
            found = values.header(self.name)
        elif self.origin == "form":
            found = values.form(self.name)
        elif self.origin == "pointer":
            found = values.at(self.pointer)
        else:
            found = values.word(self.name)
        text = text_of(found)
        for do in self.filters:
            if text is None:
                return None
            text = do(text)
        return text


class Template:
    """A template that was read. Raises InvalidTemplate for one that cannot be."""

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        parts: list[str | _Expression] = []
        position = 0
        for match in _EXPRESSION.finditer(text):
            parts += (_literal(text[position : match.start()]), _read(match[1]))
            position = match.end()
        parts.append(_literal(text[position:]))
        self._parts = tuple(part for part in parts if part != "")

    def fill(self, values: Values) -> str | None:
        """The text with its values; None when one of them is not there or empty."""
        filled: list[str] = []
        for part in self._parts:
            found = part if isinstance(part, str) else part.value(values)
            if not found:
                return None
            filled.append(found)
        return "".join(filled)

    @property
    def constant(self) -> bool:
        """Whether it says the same of every request."""
        return all(isinstance(part, str) for part in self._parts)


def text_of(value: Any) -> str | None:
    """A text, number or boolean as text; None for anything else that JSON has."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int | float):
        try:
            return str(value)
        except ValueError:  # an integer with more digits than Python writes
            return None
    return None


def rfc3339(seconds: float) -> str | None:
    """Seconds since 1970 as RFC 3339 in UTC, None outside the years 1 to 9999."""
    try:
        text = datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
    return text.replace("+00:00", "Z")


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise InvalidTemplate("a brace is not closed, or was not opened")
    return text


def _read(text: str) -> _Expression:
    text, *names = text.split("|")
    if unknown := [name for name in names if name not in _FILTERS]:
        raise InvalidTemplate(
            f"there is no |{unknown[0][:40]}, only {', '.join(f'|{name}' for name in _FILTERS)}"
        )
    filters = tuple(_FILTERS[name] for name in names)
    origin, _, name = text.partition(":")
    if text.startswith("/"):
        try:
            return _Expression("pointer", "", read_pointer(text), filters)
        except InvalidPointer as error:
            raise InvalidTemplate(f"{text!a} {error}") from None
    if name and origin in {"header", "form"}:
        return _Expression(origin, name.lower() if origin == "header" else name, (), filters)
    if text in WORDS:
        return _Expression("word", text, (), filters)
    raise InvalidTemplate(
        f"{{{text[:80]}}} is not known: there are {{header:NAME}}, {{form:NAME}}, {{/json/pointer}}, "
        + ", ".join(f"{{{word}}}" for word in sorted(WORDS))
    )


def _time(text: str) -> str | None:
    if is_timestamp(text):
        return text
    try:
        return rfc3339(float(text))
    except (ValueError, OverflowError):
        return None


_FILTERS: dict[str, Callable[[str], str | None]] = {
    "time": _time,
    "dots": lambda text: text.replace("/", "."),
    "lower": str.lower,
    "uri": lambda text: quote(text.encode("utf-8", "replace"), safe=""),
}
