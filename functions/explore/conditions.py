"""From what is looked for to conditions of SQL. Values go beside the text, never into it."""

# ruff: noqa: S608 statements are put together from constants of this file alone

from dataclasses import dataclass, field

from functions.explore.search import OUTCOMES, OfDeliveries, Search, by_name
from shared.core.facets import meanings

TEXT_BYTES = 64 * 1024
"""How much of each payload a search for text looks at."""

# `escape` shows every payload as a text of its ASCII characters, so no payload makes the statement fail.
_TEXT = """(
    strpos(lower(e.type), {0}) > 0 OR strpos(lower(e.source), {0}) > 0 OR strpos(lower(e.id), {0}) > 0
    OR strpos(lower(coalesce(e.subject, '')), {0}) > 0
    OR strpos(lower(encode(substring(e.data FOR {2}), 'escape')), lower(encode({1}::bytea, 'escape'))) > 0
)"""

OF_EVENT = """
    d.project_id = {project} AND d.event_uid = e.uid
    AND d.id >= (left(e.uid::text, 13) || '-0000-0000-000000000000')::uuid
    AND d.id <= (left(e.uid::text, 13) || '-ffff-ffff-ffffffffffff')::uuid
"""
"""Deliveries `d` of an event `e`; the first 13 signs of a uuid's text are its milliseconds."""

_RANKS = "ARRAY[" + ", ".join(f"'{name}'" for name in OUTCOMES) + "]"


@dataclass(slots=True)
class Values:
    """The parameters of a statement, in order."""

    given: list[object] = field(default_factory=list)

    def add(self, value: object) -> str:
        """The place of a value, such as `$3`."""
        self.given.append(value)
        return f"${len(self.given)}"


def keys(search: Search, values: Values) -> list[str]:
    """Of events or deliveries `e`: the project, and the range of keys of events."""
    return [
        f"e.project_id = {values.add(search.project_id)}",
        f"e.uid >= {values.add(search.low)}",
        f"e.uid < {values.add(search.high)}",
    ]


def attributes(search: Search, values: Values) -> list[str]:
    """On events `e`: everything but the keys, outcomes and deliveries; what costs most comes last."""
    found: list[str] = []
    if search.identity is not None:
        found.append(f"e.identity = {values.add(search.identity)}")
    for column, wanted in (
        ("type", search.types),
        ("source", search.sources),
        ("subject", search.subjects),
        ("producer", search.producers),
        ("id", () if search.id is None else (search.id,)),
    ):
        if wanted:
            found.append(f"e.{column} = ANY({values.add(list(wanted))}::text[])")
    for column, start in (
        ("type", search.type_prefix),
        ("source", search.source_prefix),
        ("subject", search.subject_prefix),
    ):
        if start is not None:
            found.append(f"starts_with(e.{column}, {values.add(start)})")
    if search.faulty is not None:
        found.append(f"e.schema_fault IS {'NOT ' if search.faulty else ''}NULL")
    found.extend(contains("extensions", pairs, values) for pairs in by_name(search.extensions).items())
    found.extend(contains("facets", pairs, values) for pairs in by_name(search.facets).items())
    return found


def contains(column: str, wanted: tuple[str, list[str]], values: Values) -> str:
    """On events `e`: that a JSON column has one of the values at a name.

    A value may be one of several, and a number or a boolean as well as a text.
    """
    name, texts = wanted
    said = [{name: v} for text in texts for meaning in meanings(text) for v in _alone_or_in(column, meaning)]
    return "(" + " OR ".join(f"e.{column} @> {values.add(document)}" for document in said) + ")"


def _alone_or_in(column: str, value: object) -> list[object]:
    # An extension attribute is never an array (CloudEvents, "Type System").
    return [value] if column == "extensions" else [value, [value]]


def text(search: Search, values: Values) -> list[str]:
    """On events `e`: that they have the text."""
    if search.text is None:
        return []
    places = [values.add(search.text.lower()), values.add(search.text.encode()), values.add(TEXT_BYTES)]
    return [_TEXT.format(*places)]


def outcomes(search: Search, values: Values, project: str) -> list[str]:
    """On events `e`: how they stand."""
    if not search.outcomes:
        return []
    return [f"{outcome_of(project)} = ANY({values.add(list(search.outcomes))}::text[])"]


def outcome_of(project: str) -> str:
    """The outcome of an event `e`; `project` is the place of the project's id."""
    return f"""({_RANKS})[coalesce((
        SELECT min(array_position({_RANKS}, d.status)) FROM deliveries d WHERE {OF_EVENT.format(project=project)}
    ), {len(OUTCOMES)})]"""


def has_delivery(asked: OfDeliveries, values: Values, project: str) -> list[str]:
    """On events `e`: that one of their deliveries is like that."""
    if not asked.is_asked:
        return []
    of_delivery = " AND ".join([OF_EVENT.format(project=project), *of_deliveries(asked, values)])
    return [f"EXISTS (SELECT FROM deliveries d WHERE {of_delivery})"]


def of_deliveries(asked: OfDeliveries, values: Values) -> list[str]:
    """On deliveries `d`."""
    found: list[str] = []
    if asked.subscriptions:
        found.append(f"d.subscription_id = ANY({values.add(list(asked.subscriptions))}::uuid[])")
    if asked.replay is not None:
        found.append(f"d.replay_id = {values.add(asked.replay)}")
    if asked.codes:
        found.append("(" + " OR ".join(_code(first, last, values) for first, last in asked.codes) + ")")
    if asked.error is not None:
        found.append(f"strpos(lower(coalesce(d.last_error, '')), {values.add(asked.error.lower())}) > 0")
    if asked.sinks:
        found.append(
            "EXISTS (SELECT FROM subscription_versions v WHERE v.subscription_id = d.subscription_id"
            f" AND v.version = d.subscription_version AND v.sink = ANY({values.add(list(asked.sinks))}::text[]))"
        )
    return found


def _code(first: int, last: int, values: Values) -> str:
    if first == 0:
        return "(d.last_status_code IS NULL AND d.attempt_count > 0)"
    return f"d.last_status_code BETWEEN {values.add(first)} AND {values.add(last)}"
