"""Hints of replays, and ticks."""

from shared.contracts.tick import Tick
from shared.db.ticks import note_tick
from shared.runtime.handler import CloudEvent, Handler
from shared.runtime.resources import Resources


class Replay:
    """Handles `dev.weir.replay` and `dev.weir.tick`."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def handle(self, event: CloudEvent) -> None:
        """Work on what is to be done. Raises when the database is away; the next tick tries again."""
        if event["type"] == Tick.TYPE:
            await note_tick(await self._resources.pg(), "replay")

    async def drain(self) -> None:
        """Nothing is left under way."""


def create(resources: Resources) -> Handler:
    """The handler of this function."""
    return Replay(resources)
