"""Delivering events of the stream to an address of this machine, as a subscription would."""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import click
import msgspec

from cli.tailing import Message, clock, plain

Form = Literal["binary", "json"]
KEPT = 500
"""Of how many events the bodies are kept, to be sent again."""


class _Item(msgspec.Struct):
    """What the stream says of an event; the event stays as it was written."""

    uid: str
    receivedAt: str  # noqa: N815 JSON's
    event: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Target:
    """Where to. Raises ValueError for what is no address."""

    secure: bool
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, text: str) -> "Target":
        """`localhost:3000/hook` means http."""
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{text!r} is no address such as localhost:3000/hook")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme == "https", parts.hostname, parts.port, path)

    def connect(self, timeout_seconds: float) -> http.client.HTTPConnection:
        """A connection there; made at the first request."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=timeout_seconds)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one request."""

    number: int
    status: int | None
    error: str | None
    duration_ms: float

    @property
    def succeeded(self) -> bool:
        """As with every delivery: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Forwarded:
    """One event that was sent on, and how often."""

    number: int
    uid: str
    received_at: str
    type: str
    subject: str | None
    headers: list[tuple[str, str]]
    body: bytes
    attempts: list[Attempt]

    @property
    def failed(self) -> bool:
        """Whether the last attempt did."""
        return not self.attempts or not self.attempts[-1].succeeded


class Forwarder:
    """Sends events on, one after the other, and remembers the last of them."""

    def __init__(
        self, target: Target, *, form: Form, timeout_seconds: float, headers: Mapping[str, str]
    ) -> None:
        self._target = target
        self._form = form
        self._timeout_seconds = timeout_seconds
        self._headers = dict(headers)
        self._kept: dict[int, Forwarded] = {}
        self._count = 0

    def take(self, message: Message) -> Forwarded:
        """Send an event of the stream."""
        from shared.core.cloudevents import DataKind, parse_structured, to_binary, to_structured

        item = msgspec.json.decode(message.data, type=_Item)
        event = parse_structured(bytes(item.event))
        structured = self._form == "json" or event.data_kind is DataKind.NONE
        headers, body = to_structured(event) if structured else to_binary(event)
        self._count += 1
        sent = Forwarded(self._count, item.uid, item.receivedAt, event.type, event.subject, headers, body, [])
        self._kept[sent.number] = sent
        self._kept.pop(sent.number - KEPT, None)
        self.send(sent)
        return sent

    def find(self, number: int | None = None) -> Forwarded | None:
        """That of a number, or the last one."""
        return self._kept.get(self._count if number is None else number)

    def failed(self) -> list[Forwarded]:
        """Those that are kept whose last attempt failed."""
        return [sent for sent in self._kept.values() if sent.failed]

    def send(self, sent: Forwarded) -> Attempt:
        """One more attempt."""
        headers = {**dict(sent.headers), "weir-event": sent.uid, **self._headers}
        started = time.monotonic()
        status, error = None, None
        connection = self._target.connect(self._timeout_seconds)
        try:
            connection.request("POST", self._target.path, body=sent.body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except TimeoutError:
            error = f"no answer within {self._timeout_seconds:g} s"
        except (OSError, http.client.HTTPException) as failure:
            error = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
        finally:
            connection.close()
        attempt = Attempt(len(sent.attempts) + 1, status, error, (time.monotonic() - started) * 1000)
        sent.attempts.append(attempt)
        return attempt


def attempt_line(sent: Forwarded, attempt: Attempt) -> str:
    """An attempt in one line for people."""
    if attempt.succeeded:
        outcome = click.style(f"✓ {attempt.status}", fg="green")
    else:
        outcome = click.style(f"✗ {attempt.status or attempt.error}", fg="red")
    again = f" attempt {attempt.number}" if attempt.number > 1 else ""
    what = plain("  ".join(part for part in (sent.type, sent.subject or "") if part))
    return (
        f"#{sent.number:<4} {clock(sent.received_at)}  {what}  {outcome} {attempt.duration_ms:.0f} ms{again}"
    )


def attempt_json(sent: Forwarded, attempt: Attempt) -> dict[str, Any]:
    """The same for programs."""
    return {
        "number": sent.number,
        "uid": sent.uid,
        "type": sent.type,
        "subject": sent.subject,
        "attempt": attempt.number,
        "statusCode": attempt.status,
        "error": attempt.error,
        "durationMs": round(attempt.duration_ms, 1),
    }
