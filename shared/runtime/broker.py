"""Sending Weir's own events to `K_SINK`, which a Knative SinkBinding sets."""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from aiohttp import ClientSession

ATTEMPTS = 2
CONNECT_SECONDS = 5
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
        self._session: ClientSession | None = None
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

    async def send(self, kind: str, data: Any) -> bool:
        """Post an event of type `kind`. Whether the broker took it: a hint may be lost, so nothing is raised."""
        if self._sink is None:
            if not self._said:
                logger.warning("K_SINK is not set: %s and what follows waits for the tick", kind)
                self._said = True
            return False
        import aiohttp
        from cloudevents.core.bindings.http import to_binary_event
        from cloudevents.core.v1.event import CloudEvent

        source = f"/weir/{os.environ.get('K_SERVICE', 'local')}"
        attributes = {
            "type": kind,
            "source": source,
            "datacontenttype": "application/json",
            **self._extensions,
        }
        message = to_binary_event(CloudEvent(attributes, data))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._open().post(
                    self._sink, headers=message.headers, data=message.body
                ) as answer:
                    if answer.status < 300:
                        return True
                    logger.warning("the broker answered %d to %s", answer.status, kind)
            except (aiohttp.ClientError, OSError) as error:
                if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
                    return True  # it was sent, and whoever has it is still at it
                logger.warning("the broker did not take %s (attempt %d): %r", kind, attempt, error)
        return False

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # lets the transports say goodbye before the loop ends

    def _open(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            connector = None
            if self._certificates:
                import ssl

                context = ssl.create_default_context(cadata=self._certificates)
                connector = aiohttp.TCPConnector(ssl=context)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=HOLD_SECONDS, connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
