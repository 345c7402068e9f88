"""From what a client said of an event type to what can be kept: pure, and it names everything wrong at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from shared.core.facets import facet_faults
from shared.core.problems import INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from shared.core.json_schema import SchemaText

MAX_TYPE = 255
"""Characters: a longer one could not be indexed."""


@dataclass(frozen=True, slots=True)
class SchemaDraft:
    """A version to be."""

    schema: "SchemaText"
    dataschema: str | None


@dataclass(frozen=True, slots=True)
class TypeDraft:
    """A type's checked parts. `schema` None leaves the versions as they are."""

    description: str | None
    schema_mode: str
    facets: dict[str, str]
    schema: SchemaDraft | None


def type_in(segment: str) -> str:
    """The event type in a segment of a path. Raises Problem 404 for what no event's type can be."""
    # The codec's import is left to the first type: it would double what this function adds to a start.
    from shared.core.cloudevents.rules import is_text

    try:
        name = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        name = ""
    if not 0 < len(name) <= MAX_TYPE or not is_text(name):
        raise Problem(
            NOT_FOUND, f"This cannot be an event type: it has 1 to {MAX_TYPE} printable characters."
        )
    return name


def read_type(
    *, description: str | None, schema_mode: str, facets: Any, schema: Any, dataschema: str | None
) -> TypeDraft:
    """The draft in these members. Raises Problem 422 with a pointer to each member that cannot be."""
    faults: list[Fault] = []
    if description is not None and "\0" in description:
        faults.append(Fault("/description", "must not contain U+0000"))
    if facets is None:
        facets = {}
    if isinstance(facets, dict):
        faults += [Fault(f"/facets{fault.pointer}", fault.detail) for fault in facet_faults(facets)]
    else:
        faults.append(Fault("/facets", "must be an object of names and JSON pointers"))
    draft: SchemaDraft | None = None
    if schema is not None:
        found = _schema(schema, dataschema)
        if isinstance(found, SchemaDraft):
            draft = found
        else:
            faults += found
    elif dataschema is not None:
        faults.append(Fault("/dataschema", "belongs to a schema: send both, or neither"))
    if faults:
        raise refusal(faults)
    return TypeDraft(description, schema_mode, facets, draft)


def read_version(schema: Any, dataschema: str | None) -> SchemaDraft:
    """The version in these members. Raises Problem 422."""
    found = _schema(schema, dataschema)
    if isinstance(found, SchemaDraft):
        return found
    raise refusal(found)


def refusal(faults: list[Fault]) -> Problem:
    """The 422 that names `faults`."""
    return Problem(INVALID, "The request has values that cannot be used.", errors=faults)


def _schema(schema: Any, dataschema: str | None) -> SchemaDraft | list[Fault]:
    from shared.core.cloudevents.uris import is_absolute_uri
    from shared.core.json_schema import InvalidSchema, read_schema

    faults: list[Fault] = []
    if dataschema is not None and not is_absolute_uri(dataschema):
        faults.append(Fault("/dataschema", "must be an absolute URI (RFC 3986, section 4.3)"))
    try:
        text = read_schema(schema)
    except InvalidSchema as error:
        return [*faults, *(Fault(f"/schema{fault.pointer}", fault.detail) for fault in error.faults)]
    return faults or SchemaDraft(text, dataschema)
