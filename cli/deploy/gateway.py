"""Requests to functions from outside the cluster, as users send them."""

from typing import Any
from urllib.parse import urlsplit

import httpx

TIMEOUT_SECONDS = 60.0


class Gateway:
    """The way in: by the functions' own addresses, or through the gateway at `url` with their names in `Host`."""

    def __init__(self, client: httpx.AsyncClient, url: str | None) -> None:
        self._client = client
        self._url = url.rstrip("/") if url else None

    async def send(self, method: str, address: str, path: str, **options: Any) -> httpx.Response:
        """One request to the function whose address is `address`. Raises httpx.HTTPError."""
        if self._url is None:
            return await self._client.request(method, address.rstrip("/") + path, **options)
        headers = {**options.pop("headers", {}), "host": urlsplit(address).netloc}
        return await self._client.request(method, self._url + path, headers=headers, **options)
