"""How much of what is being sent one process holds in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from shared.core.problems import UNAVAILABLE, Problem


class Room:
    """So many bytes for all bodies that arrive in pieces. Small ones come whole and go at once."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0

    @contextmanager
    def place(self) -> "Iterator[Place]":
        """A place for one body, free again afterwards."""
        place = Place(self)
        try:
            yield place
        finally:
            self._taken -= place.size

    def take(self, size: int) -> None:
        """Raise Problem 503 where there is no room for `size` bytes more."""
        if self._taken + size > self._max_bytes:
            raise Problem(
                UNAVAILABLE,
                "More is being sent than can be held. Try again in a moment.",
                headers={"Retry-After": "1"},
            )
        self._taken += size


class Place:
    """What one body takes of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def add(self, size: int) -> None:
        """Raise Problem 503 where there is no room for `size` bytes more."""
        self._room.take(size)
        self.size += size
