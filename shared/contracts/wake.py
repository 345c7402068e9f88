"""`dev.weir.wake`: shards have something to route or deliver."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.contract import Contract

Shard = Annotated[int, Field(ge=0, le=32767)]


class Wake(Contract):
    """A hint to dispatch. Losing one delays, never loses: the tick comes anyway.

    With `stay_seconds` its request stays open at least so long, wherever it comes to: a dispatcher that has a lot to do
    sends such ones, for Knative counts open requests when it decides how many instances there should be.
    """

    TYPE: ClassVar[str] = "dev.weir.wake"

    shards: tuple[Shard, ...] = Field(min_length=1)
    stay_seconds: float = Field(default=0, ge=0, le=60)
