"""JSON Schemas of event types: draft 2020-12 and draft 7, compiled for many uses."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.core.pointers import write_pointer
from shared.core.problems import Fault
from shared.core.schema_cost import visits_by_level
from shared.core.schema_graph import Unclear

if TYPE_CHECKING:
    import jsonschema_rs

MAX_SCHEMA_BYTES = 256 * 1024
MAX_PATTERNS = 200
PATTERN_BYTES = 1024 * 1024
"""How large one compiled pattern may be."""

MAX_LOOKS = 20_000_000
"""At how many values in all the subschemas of one may look for one event: about a second."""

MAX_FAULTS = 20
MAX_DETAIL = 300
EVERY_FAULT_BYTES = 16 * 1024
"""Of larger data the first fault alone is told: the validator would write a text for each of the others too."""

DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
DRAFT_7 = "http://json-schema.org/draft-07/schema"


class InvalidSchema(Exception):
    """Not a schema that can be used. Pointers in `faults` begin at the schema."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{f.pointer} {f.detail}" for f in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class SchemaText:
    """A schema as it is kept. Schemas that say the same in another order have one `digest`."""

    text: str
    digest: bytes


class CompiledSchema:
    """A schema that data can be held against."""

    __slots__ = ("_most", "_validator", "_visits")

    def __init__(self, validator: "jsonschema_rs.Validator", visits: Sequence[int]) -> None:
        self._validator = validator
        self._visits = visits
        self._most = max(visits)

    def faults(
        self, data: Any, size: int, most: int = MAX_FAULTS, *, brackets: int = sys.maxsize
    ) -> list[Fault]:
        """What is wrong with `data`, whose JSON has `size` bytes; pointers begin at the data.

        It cannot be nested deeper than it has opening `brackets`, where that is known.
        """
        may_be_much = min(size, brackets) >= len(self._visits) or size * self._most > MAX_LOOKS
        if may_be_much and (refused := self._too_much(data)) is not None:
            return [Fault("", refused)]
        try:
            if self._validator.is_valid(data):
                return []
            if size <= EVERY_FAULT_BYTES:
                return [_fault(e) for e in islice(self._validator.iter_errors(data), most)]
            self._validator.validate(data)
        except UnicodeEncodeError:
            return [Fault("", "has half of a surrogate pair in a text")]
        except ValueError as error:
            if hasattr(error, "instance_path"):
                return [_fault(error)]
            # It has judged the data already, and cannot write a number of thousands of digits into its text.
            return [Fault("", "does not fit, and has a number with more digits than can be told")]
        return []

    def _too_much(self, data: Any) -> str | None:
        """Why this data is not looked at: the validator walks it on the stack, and for as long as it takes."""
        level, looks = [data], 0
        for visits in self._visits:
            looks += len(level) * visits
            level = [
                inner
                for value in level
                for inner in (value.values() if type(value) is dict else value if type(value) is list else ())
            ]
            if not level:
                return None if looks <= MAX_LOOKS else "is too much data for a schema with so much in it"
        return f"is nested more than {len(self._visits) - 1} levels deep, which is too deep for this schema"


def read_schema(value: Any) -> SchemaText:
    """What is kept of a schema that a client sent. Raises InvalidSchema; it compiles if it does not."""
    if not isinstance(value, dict):
        raise InvalidSchema(Fault("", "must be a JSON Schema: an object"))
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
    except RecursionError:
        raise InvalidSchema(Fault("", "is nested too deep")) from None
    except ValueError:
        raise InvalidSchema(
            Fault("", "has a value that JSON has not: NaN, or half a surrogate pair")
        ) from None
    if size > MAX_SCHEMA_BYTES:
        raise InvalidSchema(Fault("", f"must have at most {MAX_SCHEMA_BYTES} bytes as compact JSON"))
    compile_schema(text)
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return SchemaText(text, blake2b(canonical.encode(), digest_size=16).digest())


def compile_schema(text: str) -> CompiledSchema:
    """The schema in a JSON text. Raises InvalidSchema.

    Nothing is fetched: what a `$ref` names has to be in the schema. Patterns are matched in linear time
    (no look-around and no back-references), so that no text can make one run away.
    """
    # 20 ms to import: left to the first schema.
    import jsonschema_rs

    try:
        schema = json.loads(text)
    except RecursionError:
        raise InvalidSchema(Fault("", "is nested too deep")) from None
    draft = schema.get("$schema", DRAFT_2020_12)
    kinds = {DRAFT_2020_12: jsonschema_rs.Draft202012Validator, DRAFT_7: jsonschema_rs.Draft7Validator}
    kind = kinds.get(draft.removesuffix("#")) if isinstance(draft, str) else None
    if kind is None:
        raise InvalidSchema(Fault("/$schema", f"must be {DRAFT_2020_12} (or absent) or {DRAFT_7}#"))
    if sum(1 for _ in _patterns(schema)) > MAX_PATTERNS:
        raise InvalidSchema(Fault("", f"must not have more than {MAX_PATTERNS} patterns"))
    options = jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES)
    try:
        validator = kind(text, pattern_options=options, offline=True)
        return CompiledSchema(validator, visits_by_level(schema))
    except Unclear as error:
        raise InvalidSchema(error.fault) from None
    except jsonschema_rs.ValidationError as error:
        raise InvalidSchema(_schema_fault(error, schema)) from None
    except ValueError as error:
        raise InvalidSchema(Fault("", _cut(str(error).removeprefix("Invalid string: ")))) from None


def _schema_fault(error: "jsonschema_rs.ValidationError", schema: dict[str, Any]) -> Fault:
    if error.instance_path:
        detail = error.message
        if detail.endswith('is not a "regex"'):
            detail += ": patterns have no look-around and no back-references here, and a limit to their size"
        return Fault(write_pointer(error.instance_path), _cut(detail))
    message = error.message
    for path, reference in _references(schema, ()):
        place, _, fragment = reference.partition("#")
        if (place and place in message) or (fragment and f"'{fragment}'" in message):
            if "retriev" in message.lower():
                message = f"{reference} is not in this schema, and nothing is fetched: put it into $defs"
            return Fault(write_pointer(path), _cut(message))
    return Fault("", _cut(message))


def _references(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every `$ref` with its place. The depth is bounded: the schema was parsed."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"$ref", "$dynamicRef"} and isinstance(value, str):
                yield (*path, key), value
            else:
                yield from _references(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _references(value, (*path, index))


def _patterns(node: Any) -> Iterator[str]:
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if isinstance(pattern := node.get("pattern"), str):
                yield pattern
            if isinstance(named := node.get("patternProperties"), dict):
                yield from named
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


def _fault(error: Any) -> Fault:
    return Fault(write_pointer(error.instance_path), _cut(error.message))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"
