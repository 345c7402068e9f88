"""Objects by their keys: in a folder, or in a bucket."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from shared.archive.settings import ArchiveSettings


class NoArchive(Exception):
    """No archive is configured. The text says what to set."""


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


def open_store(settings: ArchiveSettings | None = None) -> Store:
    """The store that the settings name. Raises NoArchive."""
    settings = settings or ArchiveSettings()
    if settings.archive_url is None:
        raise NoArchive(
            "no archive is configured: set WEIR_ARCHIVE_URL to s3://BUCKET/PREFIX or file:///FOLDER"
        )
    parts = urlsplit(settings.archive_url)
    if parts.scheme == "file":
        from shared.archive.folder import FolderStore

        return FolderStore(Path(unquote(parts.path)))
    from shared.archive.bucket import BucketStore

    return BucketStore(
        parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        endpoint=settings.archive_endpoint,
        region=settings.archive_region,
    )
