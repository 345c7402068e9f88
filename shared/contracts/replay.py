"""`dev.weir.replay`: there is a replay to work on."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.contract import Contract


class Replay(Contract):
    """A hint to `replay`. Losing one delays, never loses: the tick comes anyway."""

    TYPE: ClassVar[str] = "dev.weir.replay"

    replay: UUID
