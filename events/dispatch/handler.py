"""Wakes and ticks: each stays open while what it took on has work."""

import asyncio
from typing import TYPE_CHECKING

from shared.contracts.tick import Tick
from shared.contracts.wake import Wake
from shared.core.ids import SHARDS
from shared.db.ticks import note_tick
from shared.runtime.handler import Handler, OwnEvent
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from events.dispatch.dispatcher import Dispatcher


class Dispatch:
    """Handles `dev.weir.wake` and `dev.weir.tick`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._dispatcher: Dispatcher | None = None

    async def handle(self, event: OwnEvent) -> None:
        """Deliver what the named shards have, or at a tick all of them. Raises when the database is away."""
        if self._dispatcher is None:
            from events.dispatch.dispatcher import Dispatcher
            from events.dispatch.settings import DispatchSettings

            linger_seconds = DispatchSettings().dispatch_linger_seconds
            self._dispatcher = Dispatcher(self._resources, linger_seconds=linger_seconds)
        if event["type"] == Tick.TYPE:
            await note_tick(await self._resources.pg(), "dispatch")
            await self._dispatcher.serve(range(SHARDS), look_back=True)
        else:
            wake = Wake.model_validate(event["data"])
            await asyncio.gather(
                self._dispatcher.serve(wake.shards), self._dispatcher.stay(wake.stay_seconds)
            )

    async def drain(self) -> None:
        """Give everything back."""
        if self._dispatcher is not None:
            await self._dispatcher.drain()


def create(resources: Resources) -> Handler:
    """The handler of this function."""
    return Dispatch(resources)
