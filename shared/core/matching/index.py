"""The index over the filters of a project's subscriptions.

Filters that judge alike are one group: judged once, and its members handed out together. Of each group the
index knows what an event needs to have to pass (`needs`), so only groups whose need is met are looked at. What was
found is remembered by what can be told of an event by all comparisons of attributes there are (`Texts.kind_of`):
events of a kind pass the same plain filters, even when a subject or an id is new with each of them. Of filters that
see more (CESQL with functions, CEL), what they compare is worked out once for all of them and looked up again
(`Columns`). Only those that say what no comparison does are asked.
"""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from shared.core.filters import NO_DATA, Attributes, EventData, Filter, Need, canonical
from shared.core.matching.columns import Columns
from shared.core.matching.memo import Budget, Memo
from shared.core.matching.plans import Group, Matches, Open, Plan, Row, group_of, joined, plan_of
from shared.core.matching.tables import Beginnings, Texts

T = TypeVar("T")

REMEMBERED_BYTES = 24 * 1024 * 1024
"""About what a generation of all that is remembered takes; an index may share it with others."""

SIGNATURES = 64
"""How many different sets of attributes are looked up together."""


class MatchIndex(Generic[T]):
    """Members, each with a filter; finds those whose filter an event passes."""

    def __init__(self, budget: Budget | None = None) -> None:
        """`budget` is what it may remember together with other indexes."""
        budget = budget or Budget(REMEMBERED_BYTES)
        self._groups: dict[Hashable, Group[T]] = {}
        self._group_of: dict[Hashable, Group[T]] = {}
        self._texts: dict[str, Texts] = {}
        self._readers: list[Texts] | None = []
        self._constant: Matches[T] | None = None
        self._is_settled = False
        self._seeing = 0
        self._exact: dict[tuple[str, ...], dict[Hashable, dict[Group[T], None]]] = {}
        self._affixes: dict[tuple[str, str], dict[Hashable, dict[Group[T], None]]] = {}
        self._always: dict[Group[T], None] = {}
        self._unplaced: dict[Group[T], None] = {}
        self._base: tuple[Open[T], Columns] | None = None
        self._kinds: Memo[Plan[T]] = Memo(budget)
        self._values: Memo[Matches[T]] = Memo(budget)
        self._decided: Memo[Plan[T]] = Memo(budget)
        self._columns: Memo[Columns] = Memo(budget)
        self._open: WeakValueDictionary[tuple[Row[T], ...], Open[T]] = WeakValueDictionary()

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
            looks = self._texts or self._unplaced or not all(group.plain for group in self._always)
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
            self._kinds.put(key, plan, plan.size)
        own = 0 if plan.open is None else self._columns_of(plan.open).holding(attributes, data)
        others = self._everywhere()[1].holding(attributes, data) if self._unplaced else 0
        if own or others:
            decided = self._decided.get((plan, own, others))
            if decided is None:
                decided = self._decide(plan, own, others)
                self._decided.put((plan, own, others), decided, decided.size)
            plan = decided
        if not plan.asked:
            return plan.matches
        return self._asked(plan, attributes, data)

    def _kind(self, attributes: Attributes, readers: list[Texts]) -> Hashable:
        """What all comparisons tell of these attributes."""
        if len(readers) > len(attributes):
            known = self._texts
            return frozenset(
                (name, type(value), known[name].kind_of(canonical(value)))
                for name, value in attributes.items()
                if name in known
            )
        kind: list[Hashable] = []
        for texts in readers:
            value = attributes.get(texts.name)
            if value is None:
                kind.append(None)
                continue
            if type(value) is not str:
                kind.append((type(value), texts.kind_of(canonical(value))))
                continue
            text = value
            if texts.is_exact:
                kind.append(text if text in texts.exact else None)
            else:
                kind.append(texts.kind_of(text))
        return tuple(kind)

    def _plan(self, attributes: Attributes, data: EventData) -> Plan[T]:
        found: list[Group[T]] = []
        asked: list[Group[T]] = []
        rows: list[Row[T]] = []
        fits: dict[tuple[Hashable, Hashable], bool] = {}
        for group in self._candidates(attributes):
            if group.plain:
                try:
                    if group.filter.matches(attributes, data):
                        found.append(group)
                except Exception:
                    asked.append(group)
            elif not group.rows:
                asked.append(group)
            else:
                fitting = [row for row in group.rows if _fits(row.need, attributes, fits)]
                if all(map(_is_open, fitting)):
                    rows.extend(fitting)
                else:
                    (found if group.complete else asked).append(group)
        return plan_of(Matches(joined(found)), tuple(asked), self._opened(tuple(rows)))

    def _opened(self, rows: tuple[Row[T], ...]) -> Open[T] | None:
        """Kinds of events that differ in what other filters see have the same rows."""
        if not rows:
            return None
        known = self._open.get(rows)
        if known is None:
            known = self._open[rows] = Open(rows)
        return known

    def _columns_of(self, opened: Open[T]) -> Columns:
        columns = self._columns.get(opened)
        if columns is None:
            columns = opened.columns()
            self._columns.put(opened, columns, columns.size)
        return columns

    def _everywhere(self) -> tuple[Open[T], Columns]:
        """The filters that ask nothing of attributes that could be looked up first: the same for every kind of event."""
        if self._base is None:
            opened = Open(tuple(row for group in self._unplaced for row in group.rows))
            self._base = opened, opened.columns()
        return self._base

    def _decide(self, plan: Plan[T], own: int, others: int) -> Plan[T]:
        """The plan for events of which its own columns, and those of all plans, say this."""
        passing: list[Group[T]] = []
        asked: list[Group[T]] = []
        if others:
            opened, columns = self._everywhere()
            passing, asked = opened.decided(*columns.split(others))
        if own and plan.open is not None:
            more, unsure = plan.open.decided(*self._columns_of(plan.open).split(own))
            passing, asked = passing + more, asked + unsure
        return plan.decided(passing, asked)

    def _asked(self, plan: Plan[T], attributes: Attributes, data: EventData) -> Matches[T]:
        if plan.names is None:
            return plan.ask(attributes, data)
        # True, 1 and "1" are one key to a dict, but not to a filter.
        seen = (plan, tuple((type(v := attributes.get(name)), v) for name in plan.names))
        known = self._values.get(seen)
        if known is None:
            known = plan.ask(attributes, data)
            if not known.failed:
                self._values.put(seen, known, known.size)
        return known

    def _candidates(self, attributes: Attributes) -> Iterable[Group[T]]:
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

    def _added(self, filter_: Filter) -> Group[T]:
        group: Group[T] = group_of(filter_)
        self._seeing += filter_.sees_data
        for name, dialect, text in group.atoms:
            self._texts.setdefault(name, Texts(name)).add(dialect, text)
        if group.is_unplaced:
            self._unplaced[group] = None
            return group
        if not all(row.need.atoms for row in group.rows) or not group.rows:
            self._always[group] = None
            return group
        for row in group.rows:
            table, key = self._place(row.need)
            table.setdefault(key, {})[group] = None
            group.keys.append((table, key))
        return group

    def _place(self, need: Need) -> tuple[dict[Hashable, dict[Group[T], None]], Hashable]:
        """Where a need is looked up: by all its exact texts together, else by its longest beginning or end."""
        exact = sorted({name: text for name, dialect, text in need.atoms if dialect == "exact"}.items())
        if exact:
            names = tuple(name for name, _ in exact)
            if len(names) > 1 and names not in self._exact and len(self._exact) >= SIGNATURES:
                # One of them is enough: the one with the most texts tells events apart best.
                best = max(exact, key=lambda entry: len(self._texts[entry[0]].exact))
                exact, names = [best], (best[0],)
            table = self._exact.setdefault(names, {})
            return table, exact[0][1] if len(exact) == 1 else tuple(text for _, text in exact)
        name, dialect, text = max(need.atoms, key=lambda atom: (len(atom[2]), atom))
        table = self._affixes.setdefault((name, dialect), {})
        return table, text if dialect == "prefix" else text[::-1]

    def _removed(self, group: Group[T]) -> None:
        self._seeing -= group.filter.sees_data
        for name, dialect, text in group.atoms:
            texts = self._texts[name]
            texts.drop(dialect, text)
            if not texts:
                del self._texts[name]
        self._always.pop(group, None)
        self._unplaced.pop(group, None)
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
        self._base = None
        self._columns.clear()
        self._decided.clear()


def _is_open(row: Row[T]) -> bool:
    return bool(row.need.comparisons)


def _fits(need: Need, attributes: Attributes, known: dict[tuple[Hashable, Hashable], bool]) -> bool:
    """Many filters of a project have the same need of attributes."""
    key = (need.atoms, need.strings)
    found = known.get(key)
    if found is None:
        found = known[key] = need.fits(attributes)
    return found
