"""Every line of the specifications that is about Weir is proven by a test or declined with a reason."""

import os

import pytest

from tests.contract.lines import MISSING, SPECS, catalogue, proofs, specified


def test_the_catalogue_has_the_lines_of_the_specifications() -> None:
    if not SPECS.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    lines, expected = catalogue(), specified()
    assert list(lines) == list(expected)
    assert {i: lines[i].level for i in expected} == {i: level for i, (level, _) in expected.items()}
    # Where a specification says nothing of roles, the catalogue says what it takes the line for.
    assert {i: lines[i].roles for i, (_, roles) in expected.items() if roles} == {
        i: roles for i, (_, roles) in expected.items() if roles
    }
    assert [i for i in expected if not lines[i].roles] == []


def test_a_test_names_lines_that_exist() -> None:
    assert sorted(proofs().keys() - catalogue().keys()) == []


def test_every_line_for_receivers_and_intermediaries_is_proven_or_declined() -> None:
    open_lines = [line.id for line in catalogue().values() if line.is_ours and not line.declined]
    assert [line for line in open_lines if line not in proofs()] == []


def test_a_line_that_is_proven_is_not_declined() -> None:
    assert [line.id for line in catalogue().values() if line.declined and line.id in proofs()] == []


def test_the_lines_are_told_in_few_words() -> None:
    assert [line.id for line in catalogue().values() if not 2 < len(line.title) <= 100] == []
