"""Which values of an event's data become facets, and what a searched text may stand for."""

import pytest

from shared.core.facets import extract, facet_faults, meanings, read_facets


def taken(data, pointer="/v"):
    return extract(read_facets({"f": pointer}), data).get("f")


@pytest.mark.parametrize("value", ["A-1", "", 7, -0.5, True, False, 10**30, "x" * 256])
def test_scalars_are_taken_as_they_are(value):
    assert taken({"v": value}) == value
    assert taken([{"v": [value]}], "/0/v/0") == value


@pytest.mark.parametrize(
    "value", [None, {}, {"a": 1}, [], [None, {}], "x" * 257, "a\0b", "\ud800", float("inf")]
)
def test_what_cannot_be_compared_is_left_out(value):
    assert extract(read_facets({"f": "/v"}), {"v": value}) == {}


def test_an_array_gives_the_scalars_among_its_first_twenty():
    assert taken({"v": ["a", None, 1, ["b"], {"c": 1}, True, "x" * 300]}) == ["a", 1, True]
    assert taken({"v": list(range(30))}) == list(range(20))


def test_the_whole_data_can_be_a_facet():
    assert taken("A-1", "") == "A-1"


def test_a_declaration_says_everything_that_is_wrong_with_it():
    faults = facet_faults(
        {"Order": "/a", "ok_1": "/a~1b", "bad": "a", "esc": "/~2", "long": "/" * 300, "n": 7}
    )
    assert [f.pointer for f in faults] == ["/Order", "/bad", "/esc", "/long", "/n"]
    assert facet_faults({f"f{n}": "/a" for n in range(20)}) == []
    assert [f.pointer for f in facet_faults({f"f{n}": "/a" for n in range(21)})] == [""]
    assert facet_faults({"a" * 32: "/a"}) == []
    assert facet_faults({"a" * 33: "/a"}) != []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("A-1", ["A-1"]),
        ("10", ["10", 10]),
        ("1.50", ["1.50", 1.5]),
        ("true", ["true", True]),
        ("null", ["null"]),
        ("01", ["01"]),
        ("1e400", ["1e400"]),
        ("NaN", ["NaN"]),
        ("", [""]),
    ],
)
def test_a_searched_text_may_be_a_number_or_a_boolean(value, found):
    assert meanings(value) == found
