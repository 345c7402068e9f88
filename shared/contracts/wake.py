"""`dev.weir.wake`: shards have something to route or deliver."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.contract import Contract

Shard = Annotated[int, Field(ge=0, le=32767)]


class Wake(Contract):
    """A hint to dispatch. Losing one delays, never loses: the tick comes anyway."""

    TYPE: ClassVar[str] = "dev.weir.wake"

    shards: tuple[Shard, ...] = Field(min_length=1)
