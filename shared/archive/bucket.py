"""The archive in a bucket of S3, or of a store that is compatible with it."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from shared.archive.store import MissingObject, StoreFailed

TIMEOUT = timedelta(seconds=30)
PIECE = 1024 * 1024


class BucketStore:
    """An object is an object. Its client, `obstore`, tries again by itself what may succeed then."""

    def __init__(self, bucket: str, *, prefix: str, endpoint: str | None, region: str | None) -> None:
        from obstore.store import S3Store

        region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        given: dict[str, Any] = {"region": region}
        endpoint = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if endpoint is not None:
            given["endpoint"] = endpoint
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={"timeout": TIMEOUT, "allow_http": (endpoint or "").startswith("http://")},
            retry_config={"max_retries": 3, "retry_timeout": TIMEOUT},
            **given,
        )

    async def put(self, key: str, content: bytes) -> None:
        """As `Store`."""
        import obstore

        try:
            with _told(key):
                await obstore.put_async(self._store, key, content)
        except MissingObject as error:
            raise StoreFailed(f"{key}: there is no such bucket") from error

    async def get(self, key: str) -> bytes:
        """As `Store`."""
        import obstore

        with _told(key):
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """As `Store`."""
        import obstore

        with _told(key):
            return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """As `Store`."""
        import obstore

        with _told(key):
            found = await obstore.get_async(self._store, key)
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    async def keys(self, prefix: str) -> list[str]:
        """As `Store`."""
        import obstore

        with _told(prefix):
            found = await obstore.list(self._store, prefix).collect_async()
            return sorted(item["path"] for item in found)

    async def delete(self, keys: Sequence[str]) -> None:
        """As `Store`."""
        import obstore

        if keys:
            with _told(keys[0]):
                await obstore.delete_async(self._store, list(keys))


@contextmanager
def _told(key: str) -> Iterator[None]:
    """What the client raises, in the words of `Store`."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise MissingObject(key) from error
    except BaseError as error:
        first = str(error).splitlines()[0]
        raise StoreFailed(f"{key}: {first}") from error
