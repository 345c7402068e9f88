"""What a project says of an event type, and which of its schemas an event is held against: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.core.facets import Facets, read_facets

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.cloudevents import Event


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a type's schema, without its text. `digest` is what it is known by where it is compiled."""

    number: int
    dataschema: str | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class Rules:
    """What is done with events of one type. No `versions` where schemas are off or there are none."""

    rejects: bool
    facets: Facets
    versions: tuple[Version, ...]


def read_rules(rows: "Iterable[Record]") -> Mapping[str, Rules]:
    """Rules by type, of rows with a version each, in the order of both."""
    found: dict[str, Rules] = {}
    versions: dict[str, list[Version]] = {}
    for row in rows:
        of_type = versions.setdefault(row["type"], [])
        if row["version"] is not None:
            of_type.append(Version(row["version"], row["dataschema"], row["digest"]))
        if row["type"] not in found:
            found[row["type"]] = Rules(row["schema_mode"] == "reject", read_facets(row["facets"]), ())
    return {
        name: Rules(rules.rejects, rules.facets, tuple(versions[name]))
        for name, rules in found.items()
        if rules.facets or versions[name]
    }


def version_for(event: "Event", versions: tuple[Version, ...]) -> Version | None:
    """The version in force for `event`; None when it names one that there is not.

    The one whose URI the event names; the newest where it names none, or no version has a URI.
    """
    named = event.dataschema
    if named is None and event.specversion == "0.3":
        named = event.extensions.get("schemaurl")  # type: ignore[assignment]  # what 0.3 calls it; a string
    if named is not None:
        for version in versions:
            if version.dataschema == named:
                return version
        if any(version.dataschema is not None for version in versions):
            return None
    return versions[-1]
