"""One HTTP connection to a Weir, and what its refusals mean; on the standard library so that a command starts quickly."""

import http.client
import json
import platform
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit

from cli.errors import AUTH, FAILED, INVALID, NOT_FOUND, CommandError

TIMEOUT_SECONDS = 30.0


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


class Connection:
    """To the Weir at `url`; opened by the first request, and again by the one after it broke. Raises CommandError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CommandError(f"{url!r} is no address of a Weir", hint="see `weir context show`")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url = url
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

    def close(self) -> None:
        """Let go of what is left of an answer: it would be in the way of the next one."""
        self._connection.close()

    def begin(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes | None, bearer: str
    ) -> http.client.HTTPResponse:
        """Send a request; the answer's head is there, its body is to be read."""
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

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], data: bytes | None, bearer: str
    ) -> tuple[int, bytes]:
        """Send a request and read its answer: status and body, also of a refusal."""
        answer = self.begin(method, target, headers, data, bearer)
        try:
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._no_connection(error) from error

    def refusal(self, status: int, body: bytes) -> CommandError:
        """The error for the answer that came last, with the time that it asks to wait."""
        error = problem_error(status, body)
        error.retry_after_seconds = self._retry_after
        return error

    def read(self, status: int, body: bytes) -> Any:
        """The JSON of an answer, None for one without a body."""
        if status >= 400:
            raise self.refusal(status, body)
        if not body:
            return None
        try:
            return json.loads(body)
        except ValueError as error:
            raise CommandError(f"{self._url} answered something that is not JSON: is it a Weir?") from error

    def _no_connection(self, error: Exception) -> CommandError:
        self._connection.close()
        return NoConnectionError(
            f"{self._url} does not answer: {error}",
            hint="`weir status` tells what runs; `weir up` starts it",
        )


def post(url: str, target: str, body: object) -> Any:
    """Send JSON to a Weir without a credential, get JSON. Raises CommandError."""
    headers, data = {"content-type": "application/json"}, json.dumps(body).encode()
    with Connection(url) as connection:
        return connection.read(*connection.exchange("POST", target, headers, data, ""))
