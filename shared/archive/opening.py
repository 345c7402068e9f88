"""From the settings to the store that they name."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.archive.folder import FolderStore
from shared.archive.settings import ArchiveSettings
from shared.archive.store import Store


class NoArchive(Exception):
    """No archive is configured. The text says what to set."""


def open_store(settings: ArchiveSettings | None = None) -> Store:
    """The store that the settings name. Raises NoArchive."""
    settings = settings or ArchiveSettings()
    if settings.archive_url is None:
        raise NoArchive(
            "no archive is configured: set WEIR_ARCHIVE_URL to s3://BUCKET/PREFIX or file:///FOLDER"
        )
    parts = urlsplit(settings.archive_url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    # Here, and not above: a folder needs nothing of S3's client.
    from shared.archive.bucket import BucketStore

    return BucketStore(
        parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        endpoint=settings.archive_endpoint,
        region=settings.archive_region,
    )
