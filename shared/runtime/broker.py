"""Sending Weir's own events to `K_SINK`, which a Knative SinkBinding sets."""

import asyncio
import logging
import os
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

    async def send(self, kind: str, data: Any, sent: asyncio.Event | None = None) -> bool:
        """Post an event of type `kind`. Whether the broker took it: a hint may be lost, so nothing is raised.

        `sent` is set when it has gone out for the first time.
        """
        if self._sink is None:
            if not self._said:
                logger.warning("K_SINK is not set: %s and what follows waits for the tick", kind)
                self._said = True
            return False
        from shared.core.cloudevents import DataKind, Event, to_binary
        from shared.runtime.post import post

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
        headers, body = to_binary(event)
        for attempt in range(1, ATTEMPTS + 1):
            try:
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

    async def close(self) -> None:
        """Nothing is kept open between two events."""
