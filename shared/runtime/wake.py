"""Telling dispatch that shards have work. A wake is a hint: losing one delays, never loses."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.runtime.resources import Resources


class Wake:
    """Wakes by the shortest way there is: this process, Redis, then the broker."""

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources

    def shards(self, shards: Iterable[int]) -> None:
        """Say that `shards` have new work. Returns at once and never raises."""

    async def close(self) -> None:
        """Wait for what is under way."""
