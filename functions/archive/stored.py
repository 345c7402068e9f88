"""The archive of this deployment, opened when somebody asks for it; and what to answer where it fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from shared.archive.opening import NoArchive, open_store
from shared.archive.reading import Damaged
from shared.archive.settings import ArchiveSettings
from shared.archive.store import MissingObject, Store, StoreFailed
from shared.core.problems import CONFLICT, INTERNAL, UNAVAILABLE, Problem

logger = logging.getLogger("weir.archive")


class Stored:
    """The store of one process."""

    def __init__(self) -> None:
        self._settings = ArchiveSettings()
        self._store: Store | None = None

    @property
    def kind(self) -> Literal["bucket", "folder", "none"]:
        """What it is."""
        url = self._settings.archive_url
        return "none" if url is None else "folder" if url.startswith("file:") else "bucket"

    def open(self) -> Store:
        """The store. Raises Problem 409 where none is configured."""
        if self._store is None:
            try:
                self._store = open_store(self._settings)
            except NoArchive as error:
                raise Problem(
                    CONFLICT, "No archive is configured here. Whoever runs Weir sets WEIR_ARCHIVE_URL."
                ) from error
        return self._store


@contextmanager
def told() -> Iterator[None]:
    """What reading the archive raises, as a problem: 503 where another time may do, 500 where something is lost."""
    try:
        yield
    except StoreFailed as error:
        raise Problem(
            UNAVAILABLE, "The archive does not answer.", internal=str(error), headers={"Retry-After": "10"}
        ) from error
    except (MissingObject, Damaged) as error:
        logger.exception("the archive is not whole")
        raise Problem(
            INTERNAL,
            "The archive is not whole there: `weir archive verify` says what is wrong.",
            internal=str(error),
        ) from error
