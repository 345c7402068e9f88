"""Which events a reader wants: values of attributes, facets, and a filter in one of the two languages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.core.facets import is_facet_name, meanings
from shared.core.problems import INVALID, Fault, Problem

if TYPE_CHECKING:
    from functions.live.entry import Entry

Test = Callable[["Entry"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All of it must hold. Two readers that want the same share one look at each event."""

    type: str | None = None
    source: str | None = None
    id: str | None = None
    subject: str | None = None
    producer: str | None = None
    facets: tuple[tuple[str, str], ...] = ()
    faulty: bool | None = None
    sql: str | None = None
    cel: str | None = None


def compile_wanted(wanted: Wanted) -> Test:
    """A test of one event. Raises Problem 422 for a filter that cannot be used."""
    tests = [
        _attribute(name, value)
        for name in ("type", "source", "id", "subject")
        if (value := getattr(wanted, name)) is not None
    ]
    if (producer := wanted.producer) is not None:
        tests.append(lambda entry: entry.producer == producer)
    if (faulty := wanted.faulty) is not None:
        tests.append(lambda entry: (entry.schema_fault is not None) is faulty)
    tests.extend(_facet(name, value) for name, value in wanted.facets)
    filters = [{name: text} for name in ("sql", "cel") if (text := getattr(wanted, name)) is not None]
    if filters:
        tests.append(_filter(filters))
    return lambda entry: all(test(entry) for test in tests)


def read_facets(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Names and values of texts such as `order:A-1`. Raises Problem 422."""
    found: list[tuple[str, str]] = []
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not is_facet_name(name):
            raise refusal("facet", "must be a facet's name, a colon and a value, such as order:A-1")
        found.append((name, value))
    return tuple(found)


def refusal(parameter: str, detail: str) -> Problem:
    """422 for one parameter."""
    return Problem(
        INVALID,
        "The request has values that cannot be used.",
        errors=[Fault(f"/query/{parameter}", detail)],
    )


def _attribute(name: str, value: str) -> Test:
    return lambda entry: getattr(entry.event, name) == value


def _facet(name: str, value: str) -> Test:
    said = tuple(meanings(value))

    def test(entry: "Entry") -> bool:
        found = entry.facets.get(name)
        return any(_same(one, meaning) for one in _each(found) for meaning in said)

    return test


def _each(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list) else (found,)


def _same(found: Any, meaning: Any) -> bool:
    """As JSON has it: `true` is no 1."""
    return isinstance(found, bool) is isinstance(meaning, bool) and found == meaning


def _filter(filters: list[dict[str, str]]) -> Test:
    from shared.core.filters import InvalidFilter, compile_filters

    compiled = []
    for clause in filters:
        try:
            compiled.append(compile_filters([clause]))
        except InvalidFilter as error:
            raise refusal(next(iter(clause)), error.detail) from None
    # An event that cannot be read is delivered to nobody: no filter lets it through.
    return lambda entry: (
        entry.fault is None and all(one.matches(entry.attributes, entry.data) for one in compiled)
    )
