"""Shares of workers: even, with as few moves as can be, the same for all who look."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.shares import moves, targets

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
