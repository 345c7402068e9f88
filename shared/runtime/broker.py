"""Sending Weir's own events to `K_SINK`, which a Knative SinkBinding sets."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

ATTEMPTS = 2
HOLD_SECONDS = 65
"""How long an answer is waited for. A channel in memory answers when the subscriber has, and a dispatcher keeps
its request open while it works: hanging up would tell Knative that it is idle."""

logger = logging.getLogger("weir")


class Broker:
    """Posts CloudEvents to one address. Without an address every event is dropped, and said so once."""

    def __init__(
        self,
        sink: str | None,
        *,
        extensions: Mapping[str, str] | None = None,
        certificates: str | None = None,
    ) -> None:
        self._sink = sink
        self._extensions = dict(extensions or {})
        self._certificates = certificates
        self._said = False

    @classmethod
    def from_environment(cls) -> "Broker":
        """The broker of `K_SINK`, `K_CE_OVERRIDES` (JSON, may be empty) and `K_CA_CERTS` (PEM)."""
        overrides = os.environ.get("K_CE_OVERRIDES") or "{}"
        return cls(
            os.environ.get("K_SINK") or None,
            extensions=msgspec.json.decode(overrides).get("extensions"),
            certificates=os.environ.get("K_CA_CERTS") or None,
        )

    @property
    def can_send_now(self) -> bool:
        """Whether there is an address, and one that needs no certificates to be looked at."""
        return self._sink is not None and self._sink.lower().startswith("http://")

    def send_now(self, kind: str, data: Any, *, timeout_seconds: float) -> socket.socket:
        """Post an event of type `kind`, blocking: for a thread. `send` takes the connection on which the answer comes.

        Raises OSError when it cannot be sent.
        """
        from shared.runtime.post import send_now

        assert self._sink is not None
        return send_now(self._sink, *self._message(kind, data), timeout_seconds=timeout_seconds)

    async def send(
        self,
        kind: str,
        data: Any,
        sent: asyncio.Event | None = None,
        *,
        connection: socket.socket | None = None,
    ) -> bool:
        """Post an event of type `kind`. Whether the broker took it: a hint may be lost, so nothing is raised.

        `sent` is set when it has gone out for the first time. On `connection` it has gone out already.
        """
        if self._sink is None:
            if not self._said:
                logger.warning("K_SINK is not set: %s and what follows waits for the tick", kind)
                self._said = True
            return False
        from shared.runtime.post import answered, post

        headers, body = self._message(kind, data)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if connection is not None:
                    asked, connection = connection, None
                    status = await answered(asked, timeout_seconds=HOLD_SECONDS)
                else:
                    status = await post(
                        self._sink,
                        headers,
                        body,
                        timeout_seconds=HOLD_SECONDS,
                        certificates=self._certificates,
                        sent=sent,
                    )
            except TimeoutError:
                return True  # it was sent, and whoever has it is still at it
            except OSError as error:
                logger.warning("the broker did not take %s (attempt %d): %r", kind, attempt, error)
                continue
            if status < 300:
                return True
            logger.warning("the broker answered %d to %s", status, kind)
        return False

    def _message(self, kind: str, data: Any) -> tuple[list[tuple[str, str]], bytes]:
        from shared.core.cloudevents import DataKind, Event, to_binary

        event = Event(
            specversion="1.0",
            id=str(uuid4()),
            source=f"/weir/{os.environ.get('K_SERVICE', 'local')}",
            type=kind,
            datacontenttype="application/json",
            extensions={**self._extensions},
            data=msgspec.json.encode(data),
            data_kind=DataKind.JSON,
        )
        return to_binary(event)

    async def close(self) -> None:
        """Nothing is kept open between two events."""
