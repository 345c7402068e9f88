"""A broker for one process: hands events to the handlers that run beside their sender."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from shared.runtime.handler import Handler, OwnEvent

logger = logging.getLogger("weir")


class LocalBroker:
    """Events go at once to every handler whose `on` has their type; a failure is logged, not repeated.

    That is enough for hints: the tick comes again within a minute.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}
        self._closed = False
        self._under_way: set[asyncio.Task[None]] = set()

    def subscribe(self, handler: Handler, types: Iterable[str]) -> None:
        """From now on `handler` gets events of these `types`."""
        for kind in types:
            self._handlers.setdefault(kind, []).append(handler)

    def send(self, event: OwnEvent) -> bool:
        """Hand `event` on; returns at once. False when nobody handles its type (any more)."""
        handlers = () if self._closed else self._handlers.get(event["type"], ())
        for handler in handlers:
            name = f"{type(handler).__name__}, handling {event['type']},"
            task = asyncio.get_running_loop().create_task(self._handle(handler, event), name=name)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return bool(handlers)

    def stop(self) -> None:
        """Hand on no more from here on."""
        self._closed = True

    async def close(self, timeout_seconds: float) -> None:
        """Hand on no more, and wait for the handlers that are at work; cancel those that last longer."""
        self.stop()
        if self._under_way:
            _, lasting = await asyncio.wait(self._under_way, timeout=timeout_seconds)
            for task in lasting:
                # No fault: what handlers do is done again at the next tick, and each step of it is a transaction.
                logger.warning(
                    "%s did not end within %s s and is left to the next tick",
                    task.get_name(),
                    timeout_seconds,
                )
                task.cancel()
            if lasting:
                await asyncio.wait(lasting)

    async def _handle(self, handler: Handler, event: Mapping[str, object]) -> None:
        if self._closed:  # since it was sent
            return
        try:
            await handler.handle(event)
        except Exception:
            logger.exception("handling %s failed", event["type"])
