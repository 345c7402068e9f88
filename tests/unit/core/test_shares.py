"""Shares of workers: even, with as few moves as can be, the same for all who look."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.shares import divide, moves, targets

HELD = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.integers(0, 16), min_size=1, max_size=9
)


@given(HELD)
def test_after_all_moves_shares_differ_by_one_at_most(held: dict[str, int]) -> None:
    after = dict(held)
    moved = 0
    for giver in held:
        for heir, count in moves(held, giver).items():
            assert heir != giver
            assert count > 0
            after[giver] -= count
            after[heir] += count
            moved += count
    assert after == targets(held)
    assert sum(after.values()) == sum(held.values())
    assert max(after.values()) - min(after.values()) <= 1
    # No fewer moves could do: every shard above a target has to go.
    each, left = divmod(sum(held.values()), len(held))
    above = sorted((count for count in held.values()), reverse=True)
    fewest = sum(max(0, count - each - (place < left)) for place, count in enumerate(above))
    assert moved == fewest


@given(HELD)
def test_even_shares_stay_where_they_are(held: dict[str, int]) -> None:
    settled = targets(held)
    assert all(not moves(settled, name) for name in settled)


def test_nobody_shares_nothing() -> None:
    assert targets({}) == {}
    assert moves({"a": 5}, "a") == {}
    assert moves({"a": 16, "b": 0, "c": 0}, "a") == {"b": 5, "c": 5}


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 40), max_size=30), st.integers(0, 300))
def test_nobody_gets_less_than_another_but_who_wants_less(wanted: dict[int, int], total: int) -> None:
    given = divide(wanted, total)
    assert sum(given.values()) == min(total, sum(wanted.values()))
    assert all(0 < count <= wanted[key] for key, count in given.items())
    most = max(given.values(), default=0)
    short = [key for key in wanted if given.get(key, 0) < wanted[key]]
    assert all(given.get(key, 0) >= most - 1 for key in short)
    # What is left over of even parts goes to those who come first.
    ones = [given.get(key, 0) for key in short]
    assert ones == sorted(ones, reverse=True)
