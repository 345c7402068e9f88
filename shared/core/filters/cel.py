"""The dialect `cel`: Common Expression Language on context attributes and data.

`event` is a map of the context attributes, `data` the event's data; the attributes that the CloudEvents
specification names can also be written alone (`type == "a"`). True passes; false, an error, and anything that
is not a Boolean do not. What an evaluation may cost is bounded: `cel_cost` and MAX_LENGTH.
"""

import os
import re
from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.core.filters.cel_cost import MAX_COST, cost_of
from shared.core.filters.cel_facts import data_paths, names_in, show_path
from shared.core.filters.cel_needs import needs_of
from shared.core.filters.cel_tree import Call, Const, Ident, Node, read_tree, walk
from shared.core.filters.data import NO_DATA, EventData
from shared.core.filters.verdict import MATCHED, Attributes, Verdict, fact, joined

if TYPE_CHECKING:
    from cel_expr_python.cel import Activation, Env, Expression

    from shared.core.filters.need import Needs

MAX_LENGTH = 2_000
BARE = ("id", "source", "specversion", "subject", "time", "datacontenttype", "dataschema")
"""Attributes with a variable of their own, besides `type`."""

_TYPE = "weir.type"
"""`type` is a function of CEL as well: a variable in the expression's container comes before it."""

ZONES = Path("/usr/share/zoneinfo")
"""Where a machine has the world's time zones, if it has them."""

_ERROR = re.compile(r"ERROR: <input>:(?P<line>-?\d+):(?P<column>-?\d+): (?P<text>[^\n]*)")
_UNDECLARED = re.compile(r"undeclared reference to '([a-z0-9]+)'")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""U+0000 would end the expression for the library, half a surrogate pair is no text."""

_NO_KEY = re.compile(r'^Key not found in map : "(.*)"$')
_NO_VALUE = re.compile(r'^No value with name "(?:weir\.)?(.*)" found in Activation$')
_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")


class Cel:
    """One expression. `needs` is what every event that passes has; None knows nothing."""

    __slots__ = (
        "_clause",
        "_cost",
        "_expression",
        "_names",
        "_paths",
        "_text",
        "_uses_data",
        "key",
        "needs",
        "sees_data",
    )

    def __init__(self, text: str, clause: dict[str, Any]) -> None:
        """Raises ValueError for what is no expression, or one that costs too much."""
        self._expression, tree = _compile(text)
        self._cost = cost_of(tree)
        self._text = text
        self._clause = clause
        self.key: Hashable = ("cel", text)
        names = names_in(tree, BARE, _TYPE)
        self._names = () if names is None else tuple(sorted(names))
        self._uses_data = any(isinstance(node, Ident) and node.name == "data" for node in walk(tree))
        self.sees_data = self._uses_data or names is None
        self._paths = data_paths(tree)
        self.needs: Needs | None = needs_of(
            tree, BARE, _TYPE, self._cost.most_bytes, uses_data=self._uses_data
        )

    def _judge(self, attributes: Attributes, data: EventData) -> tuple[bool, str | None]:
        """Whether the expression is true, and what went wrong."""
        cost = self._cost.of(data) if self._uses_data else 0
        if cost > MAX_COST:
            return False, (
                f"this expression on data of {data.size:,} bytes would look at up to {cost:,} bytes,"
                f" more than the {MAX_COST:,} that are allowed: say it with fewer loops over large values"
            )
        try:
            found = self._expression.eval(_activation(attributes, data, with_data=self._uses_data))
        except ValueError as error:
            return False, f"the data cannot be read: {error}"
        except RuntimeError as error:
            return False, _plain(str(error))
        value = found.value()
        if value is True or value is False:
            return value, None
        kind = found.type().name()
        if kind == "ERROR":
            return False, _plain(str(value))
        return False, f"the result is not a Boolean but a value of type {kind.lower()}"

    def matches(self, attributes: Attributes, data: EventData) -> bool:
        """Whether the expression is true."""
        return self._judge(attributes, data)[0]

    def explain(self, attributes: Attributes, data: EventData) -> Verdict:
        """The same, with the values that it looks at."""
        matched, error = self._judge(attributes, data)
        if matched:
            return MATCHED
        seen = joined([*(fact(name, attributes) for name in self._names), *self._seen(data)])
        if error is not None:
            return Verdict(
                matched=False,
                clause=self._clause,
                detail=f"error: {error}" + (f" ({seen})" if seen else ""),
                error=error,
            )
        return Verdict(matched=False, clause=self._clause, detail=seen or "the expression is false")

    def _seen(self, data: EventData) -> Iterator[str]:
        if self._paths:
            try:
                value = data.read()
            except ValueError:
                return
            for path in self._paths:
                yield show_path(path, value)

    def names(self) -> Iterator[str]:
        """The attributes it looks at."""
        return iter(self._names)


@cache
def _env() -> "Env":
    from cel_expr_python import cel

    if not (ZONES / "UTC").exists():
        # The library reads files of the machine's. A small image has none, and every zone would be an error there.
        from importlib.resources import files

        os.environ.setdefault("TZDIR", str(files("tzdata") / "zoneinfo"))
    variables = dict.fromkeys(("event", "data", _TYPE, *BARE), cel.Type.DYN)
    return cel.NewEnv(variables=variables, container="weir")


@cache
def _pattern_probe() -> "Expression":
    return _env().compile('"".matches(id)')


def _compile(text: str) -> "tuple[Expression, Node]":
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must have at most {MAX_LENGTH} characters")
    if (odd := _CONTROL.search(text)) is not None:
        raise ValueError(f"must not contain the character U+{ord(odd[0]):04X}")
    try:
        expression = _env().compile(text)
        tree = read_tree(expression.serialize())
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except RuntimeError as error:
        raise ValueError(_refusal(str(error), text)) from None
    kind = expression.return_type().name()
    if kind not in {"BOOL", "DYN"}:
        raise ValueError(f"must be true or false; this is a value of type {kind.lower()}")
    for node in walk(tree):
        if isinstance(node, Call) and node.function == "matches" and isinstance(node.arguments[-1], Const):
            pattern = node.arguments[-1].text or ""
            if _pattern_probe().eval(data={"id": pattern}).type().name() == "ERROR":
                raise ValueError(f"the pattern {pattern!r} is not a regular expression (RE2)")
    return expression, tree


def _refusal(message: str, text: str) -> str:
    """The library's complaint as one of ours: where, what, and the line with a caret below."""
    found = _ERROR.search(message)
    if found is None or int(found["line"]) < 1:
        return _plain(_ERROR.sub(r"\g<text>", message)).split("\n", 1)[0]
    line, column = int(found["line"]), int(found["column"])
    said = found["text"].replace(" (in container 'weir')", "")
    said = _STATUS.sub("", said)
    lines = text.splitlines() or [""]
    shown = lines[line - 1] if line <= len(lines) else ""
    detail = f"line {line}, column {column}: {said}"
    if name := _UNDECLARED.search(said):
        detail += f"; an extension attribute is a member of `event`: event.{name[1]}; what an event carries is `data`"
    if "has() argument must be a field selection" in said:
        detail += "; write has(event.NAME) or has(data.NAME)"
    return f"{detail}\n{shown}\n{' ' * (column - 1)}^"


def _plain(message: str) -> str:
    """An error of an evaluation without the library's own vocabulary."""
    if message[:1] in {"'", '"'} and message[-1:] == message[:1]:
        message = message[1:-1]
    message = _STATUS.sub("", _STATUS.sub("", message)).strip()
    message = _NO_KEY.sub(r"no such key: \1", message)
    return _NO_VALUE.sub(r"\1 is missing", message)


def _activation(attributes: Attributes, data: EventData, *, with_data: bool) -> "Activation":
    """The variables of one event; made once for all expressions that see as much of it.

    Raises ValueError when the data cannot be read.
    """
    bound = data.bound
    if bound is None or bound[0] is not attributes:
        bound = (attributes, {})
        if data is not NO_DATA:
            data.bound = bound
    found: Activation | None = bound[1].get(with_data)
    if found is None:
        variables: dict[str, Any] = {"event": dict(attributes), _TYPE: attributes.get("type")}
        for name in BARE:
            if name in attributes:
                variables[name] = attributes[name]
        if with_data:
            variables["data"] = data.read()
        found = bound[1][with_data] = _env().Activation(variables)
    return found
