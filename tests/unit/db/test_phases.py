"""How far an expand goes, for every chain of migrations, database and code in service."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.db.phases import PHASES, BlockedError, Course, Migration, course

CHAIN = (
    Migration("1", "expand"),
    Migration("2", "expand"),
    Migration("3", "contract"),
    Migration("4", "contract"),
)


def test_an_empty_database_gets_everything() -> None:
    assert course(CHAIN, None, None) == Course("4")


def test_contracts_wait_for_code_that_does_not_know_them() -> None:
    assert course(CHAIN, "1", "1") == Course("2", ("3", "4"))
    assert course(CHAIN, "2", "2") == Course(None, ("3", "4"))


def test_contracts_of_which_the_code_in_service_knows_wait_for_nobody() -> None:
    assert course(CHAIN, "2", "4") == Course("4")
    assert course(CHAIN, "2", "3") == Course("3", ("4",))


def test_of_unknown_code_everything_is_needed_and_newer_code_needs_nothing() -> None:
    assert course(CHAIN, "2", None) == Course(None, ("3", "4"))
    assert course(CHAIN, "2", "9") == Course("4")


def test_at_the_end_there_is_nothing_to_do() -> None:
    assert course(CHAIN, "4", None) == Course(None)


def test_an_expand_behind_a_contract_that_must_wait_says_what_to_deploy_first() -> None:
    chain = (*CHAIN, Migration("5", "expand"))
    with pytest.raises(
        BlockedError, match=r"migration 5 .* after 3, .* deploy the version that brought 3 first"
    ):
        course(chain, "2", "2")
    assert course(chain, "2", "4") == Course("5")


@given(st.data())
def test_nothing_that_the_code_in_service_needs_is_taken_away(data: st.DataObject) -> None:
    phases = data.draw(st.lists(st.sampled_from(PHASES), min_size=1, max_size=8))
    chain = tuple(Migration(str(n), phase) for n, phase in enumerate(phases))
    names = [m.revision for m in chain]
    current = data.draw(st.sampled_from(names))
    running = data.draw(st.sampled_from([None, *names]))
    try:
        found = course(chain, current, running)
    except BlockedError:
        return
    start = names.index(current) + 1
    end = start if found.target is None else names.index(found.target) + 1
    for migration in chain[start:end]:
        known = running is not None and int(migration.revision) <= int(running)
        assert migration.phase == "expand" or known
    assert list(found.waiting) == names[end:]
    assert all(m.phase == "contract" for m in chain[end:])
