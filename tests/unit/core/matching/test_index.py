"""The index finds exactly those that a plain loop over all filters finds."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.core.cloudevents import DataKind
from shared.core.filters import UNSURE, Attributes, Comparison, EventData, Filter, compile_filters, key_of
from shared.core.filters.cel_terms import Member
from shared.core.matching import MatchIndex
from shared.core.matching.columns import REMEMBERED_BYTES, Column, Columns, places
from shared.core.matching.tables import Beginnings

NAMES = ["type", "source", "subject", "count", "flag", "x"]
names = st.sampled_from(NAMES)
texts = st.sampled_from(["a", "ab", "abc", "b", "ba", "true", "5", "1"])
leaves = st.builds(
    lambda dialect, entries: {dialect: entries},
    st.sampled_from(["exact", "prefix", "suffix"]),
    st.dictionaries(names, texts, min_size=1, max_size=3),
)
sql = st.builds(
    lambda text: {"sql": text},
    st.builds("{} = '{}'".format, names, texts)
    | st.builds("{} LIKE '{}%'".format, names, texts)
    | st.builds("{} LIKE '%{}%'".format, names, texts)
    | st.builds("{} = '{}' AND EXISTS {}".format, names, texts, names)
    | st.builds("{} = '{}' OR {} IN ('{}', '5')".format, names, texts, names, texts)
    | st.builds("NOT {} = '{}'".format, names, texts)
    | st.builds("'{}' = {}".format, texts, names)
    | st.builds("count > {}".format, st.integers(0, 6))
    | st.builds("type = '{}' AND LENGTH({}) > {}".format, texts, names, st.integers(0, 3))
    | st.builds("UPPER({}) LIKE '{}%' AND NOT (UPPER({}) = 'AB')".format, names, texts, names)
    | st.builds("LENGTH({}) <= 2 AND {} LIKE '%{}%'".format, names, names, texts)
    | st.builds("RIGHT({}, count) != '{}' OR 6 / count = 2".format, names, texts)
    | st.builds("LOWER({}) IN ('{}', 'é') AND {} < '3'".format, names, texts, names),
)
numbers = st.sampled_from(["0", "1", "2", "1.0", "1.5", "-1", "2u", "9007199254740992.0"])
members = st.sampled_from(
    ["data.n", "data.m", "data.s", "data.o.s", "data.o.o.n", 'data["s"]', "event.count"]
)
orders = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
seen = st.one_of(
    st.builds("{} {} {}".format, members, orders, numbers),
    st.builds("{} {} {}".format, numbers, orders, members),
    st.builds('{} {} "{}"'.format, members, st.sampled_from(["==", "!="]), texts),
    st.builds('{} in ["{}", {}, null]'.format, members, texts, numbers),
    st.builds('{}.startsWith("{}")'.format, members, texts),
    st.builds('{}.endsWith("{}")'.format, members, texts),
    st.builds('{}.contains("{}")'.format, members, texts),
    st.builds("has({})".format, st.sampled_from(["data.n", "data.o.s", "event.x"])),
    st.sampled_from(["data.n == true", "data.m", "data.n == data.m", 'type == "a"', 'event.x == "é"']),
)
looked_up = st.recursive(
    seen,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "&&", "||"]), inner)
        | st.builds("!({})".format, inner)
    ),
    max_leaves=4,
)
cel = st.builds(
    lambda text: {"cel": text},
    st.builds('type == "{}" && data.n == {}'.format, texts, st.integers(0, 2))
    | st.builds('event.{} in ["{}", "{}"]'.format, names, texts, texts)
    | st.builds('event.{}.startsWith("{}") || data.n == 1'.format, names, texts)
    | st.builds('"{}" == subject && event.count == 5'.format, texts)
    | looked_up
    | st.builds('type == "{}" && {}'.format, texts, looked_up),
)
clauses = st.recursive(
    leaves | sql | cel,
    lambda inner: (
        st.builds(
            lambda d, n: {d: n}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        )
        | st.builds(lambda n: {"not": n}, inner)
    ),
    max_leaves=6,
)
filters = st.lists(clauses, max_size=3).map(compile_filters)
events = st.dictionaries(
    names, texts | st.sampled_from(["", "c", "é", "Ab"]) | st.integers(0, 6) | st.booleans(), max_size=6
)
scalars = (
    st.sampled_from([0, 1, 2, 1.0, 1.5, -1, 2**53, 2**53 + 1, 2**64, True, False, None, "é", "a\0b", ""])
    | texts
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "n": scalars,
        "m": scalars,
        "s": texts | scalars | st.lists(scalars, max_size=2),
        "o": scalars
        | st.fixed_dictionaries({}, optional={"s": scalars, "o": st.fixed_dictionaries({"n": scalars})}),
    },
)
documents: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.fixed_dictionaries({"n": st.integers(0, 2)}),
    objects,
    objects,
    st.just(b"{"),
    st.just(b'{"n": NaN}'),
)


def data_of(value: Any) -> EventData:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return EventData(raw, DataKind.JSON)


def found(index: MatchIndex[int], event: Attributes, value: Any) -> list[int]:
    matches = index.match(event, data_of(value))
    assert matches.failed == ()
    return sorted(matches.members)


def by_loop(members: dict[int, Filter], event: Attributes, value: Any) -> list[int]:
    return [number for number, f in sorted(members.items()) if f.matches(event, data_of(value))]


@settings(max_examples=400, deadline=None)
@given(st.lists(filters, max_size=12), st.lists(st.tuples(events, documents), min_size=1, max_size=8))
def test_no_match_is_lost_and_none_is_made_up(many: list[Filter], seen: list[tuple[Attributes, Any]]) -> None:
    index: MatchIndex[int] = MatchIndex()
    members = dict(enumerate(many))
    for number, filter_ in members.items():
        index.put(number, number, filter_)
    for event, value in [*seen, *seen]:
        assert found(index, event, value) == by_loop(members, event, value)


class Changes(RuleBasedStateMachine):
    """Members come, change and go, and the index is as one that was built anew."""

    def __init__(self) -> None:
        super().__init__()
        self.index: MatchIndex[int] = MatchIndex()
        self.members: dict[int, Filter] = {}

    @rule(number=st.integers(0, 7), filter_=filters)
    def put(self, number: int, filter_: Filter) -> None:
        self.members[number] = filter_
        self.index.put(number, number, filter_)

    @rule(number=st.integers(0, 7))
    def drop(self, number: int) -> None:
        self.members.pop(number, None)
        self.index.drop(number)

    @rule(event=events, value=documents)
    def match(self, event: Attributes, value: Any) -> None:
        assert found(self.index, event, value) == by_loop(self.members, event, value)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert len(self.index) == len(self.members)
        assert self.index.sees_data == any(f.sees_data for f in self.members.values())
        if not self.members:
            assert self.index.constant is not None
            assert not self.index._texts
            assert not self.index._exact
            assert not self.index._affixes
            assert not self.index._always
            assert not self.index._unplaced


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_filters_that_judge_alike_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    index: MatchIndex[int] = MatchIndex()
    spellings: list[Any] = [
        [{"exact": {"type": "a", "source": "b"}}],
        [{"exact": {"source": "b", "type": "a"}}],
        [{"all": [{"exact": {"type": "a", "source": "b"}}]}],
        [{"not": {"not": {"exact": {"type": "a", "source": "b"}}}}],
    ]
    for number, spelling in enumerate(spellings):
        index.put(number, number, compile_filters(spelling))
    asked: list[Filter] = []
    matches = Filter.matches
    monkeypatch.setattr(Filter, "matches", lambda self, *a: asked.append(self) or matches(self, *a))
    assert index.match({"type": "a", "source": "b"}).members == (0, 1, 2, 3)
    assert len(asked) == 1


def test_only_candidates_are_asked_and_a_kind_of_event_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    index: MatchIndex[int] = MatchIndex()
    for number in range(1000):
        index.put(number, number, compile_filters([{"prefix": {"subject": f"/shop/{number:04}/"}}]))
    asked: list[Filter] = []
    matches = Filter.matches
    monkeypatch.setattr(Filter, "matches", lambda self, *a: asked.append(self) or matches(self, *a))
    first = index.match({"subject": "/shop/0007/1"})
    assert first.members == (7,)
    assert len(asked) == 1
    assert index.match({"subject": "/shop/0007/2"}) is first
    assert index.match({"subject": "/elsewhere"}).members == ()
    assert len(asked) == 1


def test_one_that_raises_is_told_and_the_others_still_get_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    index: MatchIndex[str] = MatchIndex()
    index.put(1, "good", compile_filters([{"exact": {"type": "a"}}]))
    index.put(2, "bad", compile_filters([{"exact": {"type": "a"}}, {"prefix": {"source": "b"}}]))
    index.put(3, "worse", compile_filters([{"sql": "source LIKE '%b%'"}]))
    matches = Filter.matches

    def fails(self: Filter, *a: Any) -> bool:
        if self.key != compile_filters([{"exact": {"type": "a"}}]).key:
            raise RuntimeError("no verdict")
        return matches(self, *a)

    with monkeypatch.context() as patch:
        patch.setattr(Filter, "matches", fails)
        for _ in range(2):
            said = index.match({"type": "a", "source": "b"})
            assert said.members == ("good",)
            assert sorted(member for member, _ in said.failed) == ["bad", "worse"]
            assert {str(error) for _, error in said.failed} == {"no verdict"}
    assert sorted(index.match({"type": "a", "source": "b"}).members) == ["bad", "good", "worse"]


@settings(max_examples=300, deadline=None)
@given(st.lists(looked_up, min_size=1, max_size=12), st.lists(documents, min_size=1, max_size=8))
def test_what_is_looked_up_in_data_is_what_the_expressions_say(many: list[str], values: list[Any]) -> None:
    members = {n: compile_filters([{"exact": {"type": "a"}}, {"cel": text}]) for n, text in enumerate(many)}
    index: MatchIndex[int] = MatchIndex()
    for number, filter_ in members.items():
        index.put(number, number, filter_)
    event: Attributes = {"type": "a", "source": "b", "count": 1}
    for value in [*values, *values]:
        assert found(index, event, value) == by_loop(members, event, value)


def test_expressions_that_all_differ_are_looked_up_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    index: MatchIndex[int] = MatchIndex()
    texts = [
        *({"cel": f'type == "a" && data.total > {n} && data.country == "XX"'} for n in range(100)),
        *({"cel": f'data.customer.id == "c{n}" && data.total >= 50.5'} for n in range(100)),
        *({"sql": f"type = 'a' AND LENGTH(subject) >= {n}"} for n in range(100)),
    ]
    for number, text in enumerate(texts):
        index.put(number, number, compile_filters([text]))
    asked: list[Filter] = []
    matches = Filter.matches
    monkeypatch.setattr(Filter, "matches", lambda self, *a: asked.append(self) or matches(self, *a))
    value = {"total": 60, "country": "XX", "customer": {"id": "c7"}}
    event = {"type": "a", "subject": "four"}
    assert found(index, event, value) == [*range(60), 107, *range(200, 205)]
    assert found(index, event, {**value, "total": 50, "country": "YY"}) == [*range(200, 205)]
    assert found(index, {**event, "type": "b"}, value) == [107]
    assert not asked
    # What compares differently for the library than for others is asked, and only that.
    assert found(index, event, {**value, "total": 2**60}) == [*range(100), 107, *range(200, 205)]
    assert len(asked) == 101  # of customers only the one that it may be


def test_data_is_not_read_for_what_attributes_rule_out(monkeypatch: pytest.MonkeyPatch) -> None:
    index: MatchIndex[int] = MatchIndex()
    index.put(1, 1, compile_filters([{"cel": "data.n > 1 && event.count > 5"}]))
    reads: list[int] = []
    read = EventData._read
    monkeypatch.setattr(EventData, "_read", lambda self: reads.append(1) or read(self))
    assert found(index, {"count": 5}, {"n": 2}) == []
    assert reads == []
    assert found(index, {"count": 6}, {"n": 2}) == [1]
    assert reads == [1]


def test_filters_without_attributes_are_made_ready_once_for_all_kinds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index: MatchIndex[int] = MatchIndex()
    for number in range(10):
        index.put(number, number, compile_filters([{"cel": f'data.customer == "c{number}"'}]))
        index.put(number + 10, number + 10, compile_filters([{"exact": {"type": f"t{number}"}}]))
    made: list[int] = []
    create = Columns.__init__
    monkeypatch.setattr(Columns, "__init__", lambda self, rows: made.append(len(rows)) or create(self, rows))
    for number in range(10):
        assert found(index, {"type": f"t{number}"}, {"customer": "c3"}) == [3, number + 10]
    assert made == [10]
    index.drop(3)
    assert found(index, {"type": "t1"}, {"customer": "c3"}) == [11]
    assert index.constant is None


def test_without_filters_nothing_of_an_event_is_looked_at() -> None:
    index: MatchIndex[int] = MatchIndex()
    assert index.constant == index.match({})
    index.put(1, 1, compile_filters([]))
    assert index.constant is index.match({"type": "a"})
    assert index.constant.members == (1,)
    index.put(2, 2, compile_filters([{"sql": "LENGTH(type) > 0"}]))
    assert index.constant is None
    index.put(2, 2, compile_filters([{"not": {"exact": {"type": "a"}}}]))
    assert index.constant is None
    index.drop(2)
    assert index.constant is not None


comparisons = (
    st.builds(
        Comparison,
        st.sampled_from([Member(("n",)), Member(("m",)), Member(("o", "n"))]),
        st.just("in"),
        st.frozensets(scalars.map(key_of), min_size=1, max_size=2),
        st.booleans(),
    )
    | st.builds(
        Comparison,
        st.sampled_from([Member(("n",)), Member(("m",))]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.sampled_from([0, 1, 1.5, 2]),
    )
    | st.builds(
        Comparison,
        st.just(Member(("s",))),
        st.sampled_from(["prefix", "suffix"]),
        texts | st.just(""),
        st.booleans(),
    )
    | st.builds(Comparison, st.just(Member(("o", "n"))), st.sampled_from(["there", "absent"]))
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.frozensets(comparisons, min_size=1, max_size=4), max_size=8), st.lists(documents, max_size=8)
)
def test_rows_hold_when_all_their_comparisons_do(
    rows: list[frozenset[Comparison]], values: list[Any]
) -> None:
    columns = Columns(rows)
    for value in [*values, *values]:
        data = data_of(value)
        seen = [[(one, one.term.value({}, data)) for one in row] for row in rows]
        may = {n for n, row in enumerate(seen) if all(v is UNSURE or one.holds(v) for one, v in row)}
        must = {n for n, row in enumerate(seen) if all(v is not UNSURE and one.holds(v) for one, v in row)}
        sure, unsure = columns.split(columns.holding({}, data))
        assert set(places(sure)) == must
        assert set(places(unsure)) == may - must


def test_what_is_remembered_of_a_number_is_not_said_of_a_boolean() -> None:
    columns = Columns([[Comparison(Member(("n",)), ">=", 0)]])
    assert [columns.holding({}, data_of({"n": n})) for n in (0, True, 0, False)] == [1, 0, 1, 0]


@pytest.mark.parametrize("clause", [{"exact": {"x": "5"}}, {"prefix": {"x": "5"}}])
def test_what_is_remembered_of_a_string_is_not_said_of_its_number(clause: Any) -> None:
    index: MatchIndex[int] = MatchIndex()
    index.put(1, 1, compile_filters([{"cel": 'event.x == "5"'}]))
    index.put(2, 2, compile_filters([clause]))
    for _ in range(2):
        assert found(index, {"x": "5"}, None) == [1, 2]
        assert found(index, {"x": 5}, None) == [2]


def test_many_values_do_not_fill_the_memory_of_a_column() -> None:
    terms = Member(("n",))
    rows = range(5000)
    column = Column(terms, rows, [Comparison(terms, ">", n) for n in rows], len(rows))
    for n in range(500):
        column.find(n, column.told(n))
    assert 300 * (len(rows) // 8) < REMEMBERED_BYTES < 500 * (len(rows) // 8)
    assert 0 < len(column.known) * (len(rows) // 8) <= REMEMBERED_BYTES


words = st.text("ab", max_size=6)


@given(st.lists(words, max_size=20), words, st.data())
def test_the_longest_beginning_is_found(many: list[str], value: str, data: st.DataObject) -> None:
    table = Beginnings()
    for word in many:
        table.add(word)
    gone = data.draw(st.sets(st.integers(0, len(many) - 1))) if many else set()
    for number in gone:
        table.drop(many[number])
    left = {word for number, word in enumerate(many) if number not in gone}
    expected = sorted((word for word in left if value.startswith(word)), key=len, reverse=True)
    assert table.longest(value) == (expected[0] if expected else None)
    assert list(table.within(table.longest(value))) == expected
