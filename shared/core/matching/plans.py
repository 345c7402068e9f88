"""What an index keeps of filters, and what it has found out for events of one kind."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.core.filters import Atom, Attributes, EventData, Filter, Need
from shared.core.matching.columns import Columns, places
from shared.core.matching.needs import atoms, is_plain, needs

T = TypeVar("T")

POINTER_BYTES = 8

MATCHES_BYTES = 120
"""What those that an event goes to take when there are none."""

PLAN_BYTES = 200
"""What a plan takes that asks nobody and decides nothing."""


@dataclass(frozen=True, slots=True)
class Matches(Generic[T]):
    """Who an event goes to; `failed` are those whose filter raised, with what it raised."""

    members: tuple[T, ...] = ()
    failed: tuple[tuple[T, Exception], ...] = ()

    @property
    def size(self) -> int:
        """The bytes of it, without the members themselves."""
        return MATCHES_BYTES + POINTER_BYTES * len(self.members)


@dataclass(frozen=True, slots=True, eq=False)
class Row(Generic[T]):
    """One alternative of what a group needs."""

    group: "Group[T]"
    need: Need


@dataclass(slots=True, eq=False)
class Group(Generic[T]):
    """Members whose filters judge alike. `complete` is whether a filter passes when a row holds, and never else."""

    filter: Filter
    plain: bool
    rows: tuple[Row[T], ...]
    complete: bool
    atoms: frozenset[Atom]
    names: tuple[str, ...]
    members: dict[Hashable, T] = field(default_factory=dict)
    keys: list[tuple[dict[Hashable, dict["Group[T]", None]], Hashable]] = field(default_factory=list)
    found: tuple[T, ...] | None = None

    @property
    def is_unplaced(self) -> bool:
        """Whether terms alone tell the events that it may pass, without any text of an attribute."""
        return bool(self.rows) and all(row.need.comparisons and not row.need.atoms for row in self.rows)

    def all(self) -> tuple[T, ...]:
        """Its members."""
        if self.found is None:
            self.found = tuple(self.members.values())
        return self.found


def group_of(filter_: Filter) -> Group[T]:
    """A group without members."""
    plain = is_plain(filter_.root)
    found = needs(filter_.root)
    alternatives = () if found is None else found.alternatives
    compared = set(atoms(filter_.root)) if plain else set()
    compared.update(atom for need in alternatives for atom in need.atoms)
    names = () if plain else tuple(dict.fromkeys(filter_.root.names()))
    complete = found is not None and found.complete
    group: Group[T] = Group(filter_, plain, (), complete, frozenset(compared), names)
    group.rows = tuple(Row(group, need) for need in alternatives)
    return group


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Open(Generic[T]):
    """Rows that terms decide."""

    rows: tuple[Row[T], ...]

    def columns(self) -> Columns:
        """What decides them, made anew."""
        return Columns([row.need.comparisons for row in self.rows])

    def decided(self, sure: int, unsure: int) -> tuple[list[Group[T]], list[Group[T]]]:
        """The groups that pass, and those to be asked, given the rows that hold and those that may."""
        passing: dict[Group[T], None] = {}
        asked: dict[Group[T], None] = {}
        for place in places(sure):
            group = self.rows[place].group
            (passing if group.complete else asked)[group] = None
        for place in places(unsure):
            group = self.rows[place].group
            if group not in passing:
                asked[group] = None
        return list(passing), list(asked)


@dataclass(frozen=True, slots=True, eq=False)
class Plan(Generic[T]):
    """What is known of events of one kind: who they go to, and what is to be found out yet."""

    matches: Matches[T]
    asked: tuple[Group[T], ...]
    names: tuple[str, ...] | None
    """The attributes those groups look at; None when one of them sees data."""
    open: Open[T] | None = None

    @property
    def size(self) -> int:
        """The bytes of it and of its rows, which other plans may have as well."""
        pointers = len(self.asked) + len(self.names or ()) + (len(self.open.rows) if self.open else 0)
        return PLAN_BYTES + POINTER_BYTES * pointers + self.matches.size

    def decided(self, passing: list[Group[T]], unsure: list[Group[T]]) -> "Plan[T]":
        """The plan for events that these groups pass as well, and those have to be asked about."""
        return plan_of(Matches(self.matches.members + joined(passing)), (*self.asked, *unsure), None)

    def ask(self, attributes: Attributes, data: EventData) -> Matches[T]:
        """Who an event of this kind goes to, when all that is left is to ask."""
        found: list[Group[T]] = []
        failed: list[tuple[T, Exception]] = []
        for group in self.asked:
            try:
                if group.filter.matches(attributes, data):
                    found.append(group)
            except Exception as error:
                failed.extend((member, error) for member in group.all())
        if not found and not failed:
            return self.matches
        return Matches(self.matches.members + joined(found), tuple(failed))


def plan_of(matches: Matches[T], asked: tuple[Group[T], ...], open_: Open[T] | None) -> Plan[T]:
    """A plan that knows what the groups that it asks look at."""
    names: tuple[str, ...] | None = None
    if not any(group.filter.sees_data for group in asked):
        names = tuple(sorted({name for group in asked for name in group.names}))
    return Plan(matches, asked, names, open_)


def joined(groups: Iterable[Group[T]]) -> tuple[T, ...]:
    """The members of all of them."""
    return tuple(member for group in groups for member in group.all())
