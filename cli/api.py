"""Calls to Weir's HTTP API, on the standard library so that a command starts quickly."""

import http.client
import json
import platform
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from cli import sessions
from cli.contexts import Context
from cli.errors import AUTH, FAILED, INVALID, NOT_FOUND, CommandError

TIMEOUT_SECONDS = 30.0
PIECE_BYTES = 64 * 1024


@cache
def user_agent() -> str:
    """How the command calls itself, with its version: the audit log has it."""
    from importlib.metadata import version

    return f"weir-cli/{version('weir')} ({platform.system()})"


class NoConnectionError(CommandError):
    """Nobody answered."""


_HINTS = {
    401: "`weir context show` prints the key in use; `weir up` writes a new one when it is lost; `weir login` needs none",
    403: "`weir whoami` tells what you may do; use a key with this permission: weir keys create NAME --scope …",
    404: "`weir context show` prints the project in use",
    429: "wait a moment and try again",
    503: "`weir status` tells what runs",
}


def exit_code(status: int) -> int:
    """The command's exit code for a status code of the API."""
    if status in {401, 403}:
        return AUTH
    if status in {404, 410}:
        return NOT_FOUND
    return INVALID if 400 <= status < 500 and status not in {408, 429} else FAILED


def problem_error(status: int, body: bytes) -> CommandError:
    """The error for a refusal: the problem's title and detail, and each pointer below."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return CommandError(
            f"the server answered {status}", code=exit_code(status), hint=_HINTS.get(status, "")
        )
    title, detail = problem.get("title", f"status {status}"), problem.get("detail")
    details = tuple(
        f"{fault.get('pointer') or '/'}: {fault.get('detail')}"
        for fault in problem.get("errors", [])
        if isinstance(fault, dict)
    )
    message = f"{title}: {detail}" if detail else str(title)
    return CommandError(message, code=exit_code(status), details=details, hint=_HINTS.get(status, ""))


def post(url: str, target: str, body: object) -> Any:
    """Send JSON to a Weir without a credential, get JSON. Raises CommandError."""
    with Api(Context("", url, "", "")) as api:
        return api.raw("POST", target, {"content-type": "application/json"}, json.dumps(body).encode())


class Api:
    """One context's API. Paths begin at the project: `/events` is `/v1/projects/{p}/events`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        parts = urlsplit(context.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CommandError(f"{context.url!r} is no address of a Weir", hint="see `weir context show`")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._prefix = parts.path.rstrip("/")
        self._retry_after: int | None = None
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Where another thread reads, closing alone would wait for the next that comes.
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection.close()

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
        answer = self._begin("GET", target, sent, None, bearer)
        if answer.status == 401 and self.context.session:
            answer.read()
            answer = self._begin("GET", target, sent, None, self._bearer(refused=bearer))
        if answer.status >= 400:
            error = problem_error(answer.status, answer.read())
            error.retry_after_seconds = self._retry_after
            raise error
        try:
            while piece := answer.read1(PIECE_BYTES):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise NoConnectionError(f"the answer of {self.context.url} broke off: {error}") from error
        finally:
            # An answer of which something is left would be in the way of the next one.
            self._connection.close()

    def _target(self, path: str, query: Mapping[str, object] | None) -> str:
        asked = [
            (name, str(one))
            for name, value in (query or {}).items()
            for one in (value if isinstance(value, list | tuple) else (value,))
            if one is not None
        ]
        target = f"/v1/projects/{quote(self.context.project, safe='')}{path}"
        return target + (f"?{urlencode(asked)}" if asked else "")

    def raw(self, method: str, target: str, headers: Mapping[str, str], data: bytes | None) -> Any:
        """The same for any target and body. Raises CommandError."""
        bearer = self._bearer()
        status, text = self._exchange(method, target, headers, data, bearer)
        if status == 401 and self.context.session:
            # The token may have been ended before its time: a fresh one tells whether the session was.
            status, text = self._exchange(method, target, headers, data, self._bearer(refused=bearer))
        if status >= 400:
            error = problem_error(status, text)
            error.retry_after_seconds = self._retry_after
            raise error
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise CommandError(
                f"{self.context.url} answered something that is not JSON: is it a Weir?"
            ) from error

    def _bearer(self, *, refused: str | None = None) -> str:
        if self.context.session:
            return sessions.access_token(self.context.url, refused=refused)
        return self.context.api_key

    def _exchange(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes | None, bearer: str
    ) -> tuple[int, bytes]:
        answer = self._begin(method, target, headers, data, bearer)
        try:
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._no_connection(error) from error

    def _begin(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes | None, bearer: str
    ) -> http.client.HTTPResponse:
        everything = {
            **({"authorization": f"Bearer {bearer}"} if bearer else {}),
            "accept": "application/json",
            "user-agent": user_agent(),
            **headers,
        }
        try:
            self._connection.request(method, self._prefix + target, body=data, headers=everything)
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._no_connection(error) from error
        waits = answer.getheader("retry-after", "")
        self._retry_after = int(waits) if waits.isdecimal() else None
        return answer

    def _no_connection(self, error: Exception) -> CommandError:
        self._connection.close()
        return NoConnectionError(
            f"{self.context.url} does not answer: {error}",
            hint="`weir status` tells what runs; `weir up` starts it",
        )

    def pages(self, path: str, query: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            answer = self.get(path, {**query, "limit": 500, "cursor": cursor})
            yield from answer["items"]
            cursor = answer["next"]
            if cursor is None:
                return
