"""Identifiers: UUIDv7 that only grow, and what is derived from them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import ids
from shared.core.ids import (
    SHARDS,
    delivery_id,
    floor,
    identity,
    shard_of_key,
    shard_of_uid,
    timestamp_ms,
    uuid7,
    uuid7_block,
)


@pytest.fixture(autouse=True, scope="module")
def clock_of_these_tests() -> Iterator[None]:
    """Ids only grow: those made here, of years to come, must not be followed by those of other tests."""
    clock = ids._clock
    ids._clock = ids._Clock()
    yield
    ids._clock = clock


milliseconds = st.integers(0, 2**48 - 2)
uuids = st.uuids()


@given(st.lists(st.integers(1_700_000_000_000, 1_800_000_000_000), min_size=2, max_size=50))
def test_ids_grow_whatever_the_clock_does(clock: list[int]) -> None:
    made = [uuid7(now) for now in clock]
    assert made == sorted(set(made))
    assert all(uid.version == 7 and uid.variant == RFC_4122 for uid in made)


def test_threads_never_get_one_id_twice() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [
            uid for part in threads.map(lambda _: [uuid7() for _ in range(500)], range(8)) for uid in part
        ]
    assert len(set(made)) == len(made)


@given(milliseconds, st.binary(min_size=10, max_size=10), uuids)
def test_a_floor_is_below_its_millisecond_and_above_the_one_before(ms: int, tail: bytes, other: UUID) -> None:
    event = UUID(bytes=ms.to_bytes(6) + tail)
    made = delivery_id(event, other)
    assert timestamp_ms(made) == ms
    assert floor(ms) <= made < floor(ms + 1)


@given(uuids, uuids, uuids)
def test_a_delivery_id_depends_on_both_and_on_nothing_else(event: UUID, one: UUID, other: UUID) -> None:
    made = delivery_id(event, one)
    assert made == delivery_id(event, one)
    assert made.version == 7
    assert (made == delivery_id(event, other)) == (one == other)
    assert made != delivery_id(event, one, b"replay")


@given(uuids, st.text(max_size=20), st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_identity_is_the_pair(project: UUID, s1: str, i1: str, s2: str, i2: str) -> None:
    same = (s1, i1) == (s2, i2)
    assert (identity(project, s1, i1) == identity(project, s2, i2)) is same


def test_identity_has_room_for_ids_of_any_length() -> None:
    assert identity(UUID(int=1), "/s", "x" * 100_000) != identity(UUID(int=1), "/s", "x" * 100_001)


@given(uuids, st.text())
def test_shards_are_stable_and_in_range(project: UUID, key: str) -> None:
    assert 0 <= shard_of_key(project, key) < SHARDS
    assert shard_of_key(project, key) == shard_of_key(project, key)


def test_shards_are_used_evenly() -> None:
    project = uuid7()
    by_key, by_uid, by_block = [0] * SHARDS, [0] * SHARDS, [0] * SHARDS
    _, block = uuid7_block(1_700_000_000_000, 16_000)
    for uid in block:
        by_key[shard_of_key(project, uuid7().hex)] += 1
        by_uid[shard_of_uid(uuid7().bytes)] += 1
        by_block[shard_of_uid(uid)] += 1
    for counts in (by_key, by_uid, by_block):
        assert min(counts) > 800
        assert max(counts) < 1_200


@given(
    st.lists(st.tuples(st.integers(1_700_000_000_000, 1_800_000_000_000), st.integers(1, 50)), max_size=20)
)
def test_blocks_grow_too_and_say_their_millisecond(clock: list[tuple[int, int]]) -> None:
    made: list[bytes] = []
    for now, count in clock:
        ms, block = uuid7_block(now, count)
        assert len(block) == count
        assert {timestamp_ms(UUID(bytes=uid)) for uid in block} == {ms}
        assert ms >= now
        made += block
    assert made == sorted(set(made))
    assert all(UUID(bytes=uid).version == 7 and UUID(bytes=uid).variant == RFC_4122 for uid in made)
