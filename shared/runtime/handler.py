"""What an event handler is."""

from collections.abc import Mapping
from typing import Any, Protocol

OwnEvent = Mapping[str, Any]
"""An event of Weir's own as handlers see it: `id`, `source`, `type`, and `data` as the JSON value that was sent."""


class Handler(Protocol):
    """What `create(resources)` of an event handler returns.

    `handle` does what one event asks for and may be called many times at once; an exception means that
    the event should come again. `drain` is called once when the process was told to end: claim no more
    work, and return when what is under way is finished or given back.
    """

    async def handle(self, event: OwnEvent) -> None:
        """Do what `event` asks for."""

    async def drain(self) -> None:
        """Come to an end."""
