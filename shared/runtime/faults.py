"""What pydantic finds wrong with a request, in words and at places that whoever sent it knows."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shared.core.problems import Fault

Place = tuple[str | int, ...]

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_unicode": "must be a text of Unicode: it has half of a surrogate pair",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "uuid_type": "must be an id, which is a UUID",
    "uuid_parsing": "must be an id, which is a UUID",
    "string_pattern_mismatch": "must be of the form {pattern}",
    "literal_error": "must be {expected}",
    "date_from_datetime_parsing": "is no such day or time: {error}",
    "datetime_from_date_parsing": "is no such day or time: {error}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}

# What a value is told by those readings of it that it was not meant as.
_OTHER_KIND = frozenset(
    kind for kind in _WORDS if kind.endswith(("_type", "_parsing")) or kind == "int_from_float"
)


def faults_of(found: Sequence[Any], body: Any) -> list[Fault]:
    """What `found`, pydantic's errors of a request with this `body`, comes to.

    Where a member may be one of several things, such as a value or a list of them, pydantic names what is wrong with it as
    each of these. Told is what is wrong with it as what it looks like.
    """
    plain: list[tuple[str, str]] = []
    readings: dict[str, list[tuple[Place, dict[str, Any]]]] = {}
    for fault in found:
        place, choice = _place(fault, body)
        if choice is None:
            plain.append((pointer(place), _sentence(fault)))
        else:
            readings.setdefault(pointer(choice), []).append((place, fault))
    for several in readings.values():
        plain.extend(_meant(several))
    return [Fault(where, words) for where, words in plain]


def _meant(readings: list[tuple[Place, dict[str, Any]]]) -> Iterable[tuple[str, str]]:
    """The faults of the reading that fits best: not of another kind, and wrong as deep inside as can be."""
    fitting = [one for one in readings if one[1]["type"] not in _OTHER_KIND] or readings
    depth = max(len(place) for place, _ in fitting)
    told: dict[str, str] = {}
    for place, fault in fitting:
        if len(place) == depth:
            told.setdefault(pointer(place), _sentence(fault))
    return told.items()


def _place(fault: Any, body: Any) -> tuple[Place, Place | None]:
    """Where the fault is, and the first member on the way there that may be one of several things, if there is one.

    pydantic puts what it took such a member for into the location, as if it were a member below it. The body tells
    the two apart.
    """
    location: Place = fault["loc"]
    if not location or location[0] != "body":
        return location, None
    here: Any = body
    place: Place = location[:1]
    choice: Place | None = None
    for index, part in enumerate(location[1:], 2):
        key = _key(here, part)
        if key is not None:
            here = here[key]
            place += (part,)
        elif index == len(location) and fault["type"] == "missing":
            place += (part,)
        else:
            choice = place if choice is None else choice
    return place, choice


def _key(value: Any, part: str | int) -> str | int | None:
    """How the member `part` is reached in `value`: a body may have our own spelling of a name too."""
    if isinstance(value, list):
        return part if isinstance(part, int) and part < len(value) else None
    if not isinstance(value, dict):
        return None
    own = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in str(part))
    return next((key for key in (part, own) if key in value), None)


def _sentence(fault: Any) -> str:
    """What is wrong, in words that a person who fills a form can use: of common faults our own, else pydantic's."""
    limits, kind = fault.get("ctx", {}), fault["type"]
    # Of a secret text pydantic says "items", as if it were a list.
    if isinstance(fault.get("input"), str) and kind in {"too_short", "too_long"}:
        kind = f"string_{kind}"
    if kind in {"too_short", "string_too_short"} and limits["min_length"] == 1:
        return "must not be empty"
    words = _WORDS.get(kind)
    return str(fault["msg"]).removeprefix("Value error, ") if words is None else words.format_map(limits)


def pointer(location: Place) -> str:
    """The JSON pointer (RFC 6901) of a place in the body; `/query/limit` for a parameter that is not in it."""

    def parts() -> Iterator[str]:
        for part in location[1:] if location and location[0] == "body" else location:
            yield str(part).replace("~", "~0").replace("/", "~1")

    return "".join(f"/{part}" for part in parts())
