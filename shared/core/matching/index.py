"""The index over the filters of a project's subscriptions.

Filters that judge alike are one group: judged once, and its members handed out together. Of each group the
index knows what an event needs to have to pass (`needs`), so only groups whose need is met are asked. What was
found is remembered by what can be told of an event by all comparisons there are (`Texts.kind_of`): events of a
kind pass the same plain filters, even when a subject or an id is new with each of them. Filters that see more
(CESQL with functions or wildcards in the middle, CEL) are asked again for each event that meets their need.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.core.filters import NO_DATA, Attributes, EventData, Filter, canonical
from shared.core.matching.memo import Memo
from shared.core.matching.needs import Atom, Need, atoms, is_plain, needs
from shared.core.matching.tables import Beginnings, Texts

T = TypeVar("T")

KINDS = 20_000
"""How much is remembered of kinds of events: each entry counts one and one for each member found."""

VALUES = 2_000
"""The same for the values that filters with more to see have been asked about."""

SIGNATURES = 64
"""How many different sets of attributes are looked up together."""


@dataclass(frozen=True, slots=True)
class Matches(Generic[T]):
    """Who an event goes to; `failed` are those whose filter raised, with what it raised."""

    members: tuple[T, ...] = ()
    failed: tuple[tuple[T, Exception], ...] = ()


@dataclass(slots=True, eq=False)
class _Group(Generic[T]):
    """Members whose filters judge alike."""

    filter: Filter
    plain: bool
    needs: list[Need] | None
    atoms: frozenset[Atom]
    names: tuple[str, ...]
    members: dict[Hashable, T] = field(default_factory=dict)
    keys: list[tuple[dict[Hashable, dict["_Group[T]", None]], Hashable]] = field(default_factory=list)
    found: tuple[T, ...] | None = None

    def all(self) -> tuple[T, ...]:
        if self.found is None:
            self.found = tuple(self.members.values())
        return self.found


@dataclass(frozen=True, slots=True, eq=False)
class _Plan(Generic[T]):
    """What is known of events of one kind: who they go to, and which groups are to be asked."""

    matches: Matches[T]
    asked: tuple[_Group[T], ...]
    names: tuple[str, ...] | None
    """The attributes those groups look at; None when one of them sees data."""


class MatchIndex(Generic[T]):
    """Members, each with a filter; finds those whose filter an event passes."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, _Group[T]] = {}
        self._group_of: dict[Hashable, _Group[T]] = {}
        self._texts: dict[str, Texts] = {}
        self._readers: list[Texts] | None = []
        self._constant: Matches[T] | None = None
        self._is_settled = False
        self._seeing = 0
        self._exact: dict[tuple[str, ...], dict[Hashable, dict[_Group[T], None]]] = {}
        self._affixes: dict[tuple[str, str], dict[Hashable, dict[_Group[T], None]]] = {}
        self._always: dict[_Group[T], None] = {}
        self._kinds: Memo[_Plan[T]] = Memo(KINDS)
        self._values: Memo[Matches[T]] = Memo(VALUES)

    def __len__(self) -> int:
        return len(self._group_of)

    def put(self, identity: Hashable, member: T, filter_: Filter) -> None:
        """Add a member, or replace the one of that identity."""
        self.drop(identity)
        group = self._groups.get(filter_.key)
        if group is None:
            group = self._groups[filter_.key] = self._added(filter_)
        group.members[identity] = member
        group.found = None
        self._group_of[identity] = group
        self.forget()

    def drop(self, identity: Hashable) -> None:
        """Take the member of that identity out, if there is one."""
        group = self._group_of.pop(identity, None)
        if group is None:
            return
        del group.members[identity]
        group.found = None
        if not group.members:
            del self._groups[group.filter.key]
            self._removed(group)
        self.forget()

    @property
    def sees_data(self) -> bool:
        """Whether a filter may look at an event's data."""
        return self._seeing > 0

    @property
    def constant(self) -> Matches[T] | None:
        """The members that every event goes to, when no filter looks at anything of it; else None."""
        if not self._is_settled:
            looks = self._texts or not all(group.plain for group in self._always)
            self._constant = None if looks else self.match({})
            self._is_settled = True
        return self._constant

    def match(self, attributes: Attributes, data: EventData = NO_DATA) -> Matches[T]:
        """The members whose filter an event with these attributes and this data passes."""
        readers = self._readers
        if readers is None:
            readers = self._readers = [texts for texts in self._texts.values() if texts]
        key = self._kind(attributes, readers)
        plan = self._kinds.get(key)
        if plan is None:
            plan = self._plan(attributes, data)
            self._kinds.put(key, plan, 1 + len(plan.matches.members) + len(plan.asked))
        if not plan.asked:
            return plan.matches
        return self._asked(plan, key, attributes, data)

    def _kind(self, attributes: Attributes, readers: list[Texts]) -> Hashable:
        """What all comparisons tell of these attributes."""
        if len(readers) > len(attributes):
            known = self._texts
            return frozenset(
                (name, known[name].kind_of(canonical(value)))
                for name, value in attributes.items()
                if name in known
            )
        kind: list[Hashable] = []
        for texts in readers:
            value = attributes.get(texts.name)
            if value is None:
                kind.append(None)
                continue
            text = value if type(value) is str else canonical(value)
            if texts.is_exact:
                kind.append(text if text in texts.exact else None)
            else:
                kind.append(texts.kind_of(text))
        return tuple(kind)

    def _plan(self, attributes: Attributes, data: EventData) -> _Plan[T]:
        found: list[_Group[T]] = []
        asked: list[_Group[T]] = []
        for group in self._candidates(attributes):
            if not group.plain:
                asked.append(group)
                continue
            try:
                if group.filter.matches(attributes, data):
                    found.append(group)
            except Exception:
                asked.append(group)
        names: tuple[str, ...] | None = None
        if not any(group.filter.sees_data for group in asked):
            names = tuple(sorted({name for group in asked for name in group.names}))
        return _Plan(Matches(_joined(found)), tuple(asked), names)

    def _asked(self, plan: _Plan[T], key: Hashable, attributes: Attributes, data: EventData) -> Matches[T]:
        seen: Hashable = None
        if plan.names is not None:
            # True, 1 and "1" are one key to a dict, but not to a filter.
            seen = (key, tuple((type(v := attributes.get(name)), v) for name in plan.names))
            known = self._values.get(seen)
            if known is not None:
                return known
        found: list[_Group[T]] = []
        failed: list[tuple[T, Exception]] = []
        for group in plan.asked:
            try:
                if group.filter.matches(attributes, data):
                    found.append(group)
            except Exception as error:
                failed.extend((member, error) for member in group.all())
        if not found and not failed:
            matches = plan.matches
        else:
            matches = Matches(plan.matches.members + _joined(found), tuple(failed))
        if plan.names is not None and not failed:
            self._values.put(seen, matches, 1 + len(matches.members))
        return matches

    def _candidates(self, attributes: Attributes) -> Iterable[_Group[T]]:
        """Groups whose need is met, each once, and those that need nothing."""
        found = dict(self._always)
        texts = {name: canonical(value) for name, value in attributes.items()}
        for names, exact in self._exact.items():
            key = texts.get(names[0]) if len(names) == 1 else tuple(texts.get(name) for name in names)
            found.update(exact.get(key, {}))
        for (name, dialect), affixes in self._affixes.items():
            text = texts.get(name)
            if text is None:
                continue
            table: Beginnings = self._texts[name].beginnings
            if dialect == "suffix":
                table, text = self._texts[name].endings, text[::-1]
            for beginning in table.within(table.longest(text)):
                found.update(affixes.get(beginning, {}))
        return found

    def _added(self, filter_: Filter) -> _Group[T]:
        plain = is_plain(filter_.root)
        found = needs(filter_.root)
        compared = set(atoms(filter_.root)) if plain else set()
        compared.update(atom for need in found or () for atom in need)
        names = () if plain else tuple(dict.fromkeys(filter_.root.names()))
        self._seeing += filter_.sees_data
        group: _Group[T] = _Group(filter_, plain, found, frozenset(compared), names)
        for name, dialect, text in group.atoms:
            self._texts.setdefault(name, Texts(name)).add(dialect, text)
        if not found:
            self._always[group] = None
            return group
        for need in found:
            table, key = self._place(need)
            table.setdefault(key, {})[group] = None
            group.keys.append((table, key))
        return group

    def _place(self, need: Need) -> tuple[dict[Hashable, dict[_Group[T], None]], Hashable]:
        """Where a need is looked up: by all its exact texts together, else by its longest beginning or end."""
        exact = sorted({name: text for name, dialect, text in need if dialect == "exact"}.items())
        if exact:
            names = tuple(name for name, _ in exact)
            if len(names) > 1 and names not in self._exact and len(self._exact) >= SIGNATURES:
                # One of them is enough: the one with the most texts tells events apart best.
                best = max(exact, key=lambda entry: len(self._texts[entry[0]].exact))
                exact, names = [best], (best[0],)
            table = self._exact.setdefault(names, {})
            return table, exact[0][1] if len(exact) == 1 else tuple(text for _, text in exact)
        name, dialect, text = max(need, key=lambda atom: (len(atom[2]), atom))
        table = self._affixes.setdefault((name, dialect), {})
        return table, text if dialect == "prefix" else text[::-1]

    def _removed(self, group: _Group[T]) -> None:
        self._seeing -= group.filter.sees_data
        for name, dialect, text in group.atoms:
            texts = self._texts[name]
            texts.drop(dialect, text)
            if not texts:
                del self._texts[name]
        self._always.pop(group, None)
        for table, key in group.keys:
            bucket = table.get(key, {})
            bucket.pop(group, None)
            if not bucket:
                table.pop(key, None)
        for names in [names for names, table in self._exact.items() if not table]:
            del self._exact[names]
        for place in [place for place, table in self._affixes.items() if not table]:
            del self._affixes[place]

    def forget(self) -> None:
        """Forget what was found for events before."""
        self._readers = None
        self._is_settled = False
        self._kinds.clear()
        self._values.clear()


def _joined(groups: list[_Group[T]]) -> tuple[T, ...]:
    if len(groups) == 1:
        return groups[0].all()
    return tuple(member for group in groups for member in group.all())
