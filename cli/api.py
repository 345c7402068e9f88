"""Calls to Weir's HTTP API as whoever a context names: in its project, with its key or its session."""

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote, urlencode

from cli import sessions
from cli.connection import Connection, NoConnectionError
from cli.contexts import Context

PIECE_BYTES = 64 * 1024


class Api:
    """One context's API. Paths begin at the project: `/events` is `/v1/projects/{p}/events`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._connection = Connection(context.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.__exit__(*exception)

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """The JSON at `path`. Raises CommandError; query values that are None are left out, lists repeated."""
        return self.call("GET", path, query=query)

    def call(
        self, method: str, path: str, body: object = None, query: Mapping[str, object] | None = None
    ) -> Any:
        """Send JSON, get JSON (None for 204). Raises CommandError."""
        headers = {}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body).encode()
        return self.raw(method, self._target(path, query), headers, data)

    def stream(
        self, path: str, query: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> Iterator[bytes]:
        """What is at `path`, a piece at a time, whatever it is. Raises CommandError, also where it breaks off."""
        target = self._target(path, query)
        sent = {"accept": "*/*", **(headers or {})}
        bearer = self._bearer()
        answer = self._connection.begin("GET", target, sent, None, bearer)
        if answer.status == 401 and self.context.session:
            answer.read()
            answer = self._connection.begin("GET", target, sent, None, self._bearer(refused=bearer))
        if answer.status >= 400:
            raise self._connection.refusal(answer.status, answer.read())
        try:
            while piece := answer.read1(PIECE_BYTES):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise NoConnectionError(f"the answer of {self.context.url} broke off: {error}") from error
        finally:
            self._connection.close()

    def pages(self, path: str, query: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            answer = self.get(path, {**query, "limit": 500, "cursor": cursor})
            yield from answer["items"]
            cursor = answer["next"]
            if cursor is None:
                return

    def raw(self, method: str, target: str, headers: Mapping[str, str], data: bytes | None) -> Any:
        """The same for any target and body. Raises CommandError."""
        bearer = self._bearer()
        status, body = self._connection.exchange(method, target, headers, data, bearer)
        if status == 401 and self.context.session:
            # The token may have been ended before its time: a fresh one tells whether the session was.
            refreshed = self._bearer(refused=bearer)
            status, body = self._connection.exchange(method, target, headers, data, refreshed)
        return self._connection.read(status, body)

    def _target(self, path: str, query: Mapping[str, object] | None) -> str:
        asked = [
            (name, str(one))
            for name, value in (query or {}).items()
            for one in (value if isinstance(value, list | tuple) else (value,))
            if one is not None
        ]
        target = f"/v1/projects/{quote(self.context.project, safe='')}{path}"
        return target + (f"?{urlencode(asked)}" if asked else "")

    def _bearer(self, *, refused: str | None = None) -> str:
        if self.context.session:
            return sessions.access_token(self.context.url, refused=refused)
        return self.context.api_key
