"""Objects by their keys: what `folder` and `bucket` keep each in its way."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class MissingObject(Exception):
    """There is no object of that key."""


class StoreFailed(Exception):
    """The store did not do what was asked; it may at another time. The text says what it answered."""


class Store(Protocol):
    """Keeps bytes by keys such as `a/b/c`. Every method raises StoreFailed; what reads also MissingObject."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep `content` in place of what there was: when this returns, it is on disk."""

    async def get(self, key: str) -> bytes:
        """All of an object."""

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` on."""

    def stream(self, key: str) -> AsyncIterator[bytes]:
        """An object in pieces."""

    async def keys(self, prefix: str) -> list[str]:
        """The keys below `prefix`, which ends with a slash."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget objects; one that is not there is no error."""
