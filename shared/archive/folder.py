"""The archive in a folder."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from shared.archive.store import MissingObject, StoreFailed

P = ParamSpec("P")
R = TypeVar("R")

PIECE = 1024 * 1024


class FolderStore:
    """An object is a file, which is there as a whole or not at all, and on disk once it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: bytes) -> None:
        """As `Store`."""
        await _do(self._put, key, content)

    async def get(self, key: str) -> bytes:
        """As `Store`."""
        return await _do(self._path(key).read_bytes)

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """As `Store`."""
        return await _do(self._get_range, key, start, length)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """As `Store`."""
        file = await _do(self._open, key)
        try:
            while piece := await _do(file.read, PIECE):
                yield piece
        finally:
            file.close()

    async def keys(self, prefix: str) -> list[str]:
        """As `Store`."""
        return await _do(self._keys, prefix)

    async def delete(self, keys: Sequence[str]) -> None:
        """As `Store`."""
        await _do(self._delete, keys)

    def _path(self, key: str) -> Path:
        return self._folder / key

    def _open(self, key: str) -> IO[bytes]:
        return self._path(key).open("rb")

    def _put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError:
            # On a disk that is full it would take the room that others are to make.
            part.unlink(missing_ok=True)
            raise
        # A file's name is its folder's content, and so is that folder's.
        folder = path.parent
        while True:
            _sync(folder)
            if folder == self._folder:
                return
            folder = folder.parent

    def _get_range(self, key: str, start: int, length: int) -> bytes:
        with self._path(key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def _keys(self, prefix: str) -> list[str]:
        found = self._path(prefix)
        # Halves that somebody who was killed left are listed too: whoever cleans up deletes them.
        files = (path for path in found.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._folder).as_posix() for path in files)

    def _delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            path = self._path(key)
            path.unlink(missing_ok=True)
            folder = path.parent
            with suppress(OSError):  # until one that is not empty
                while folder != self._folder:
                    folder.rmdir()
                    folder = folder.parent


async def _do(work: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """In a thread: a disk may be slow, and the loop has other things to do."""
    try:
        return await asyncio.to_thread(work, *arguments, **options)
    except FileNotFoundError as error:
        raise MissingObject(str(error.filename)) from error
    except OSError as error:
        raise StoreFailed(f"{error.strerror}: {error.filename}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
