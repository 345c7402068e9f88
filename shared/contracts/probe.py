"""`dev.weir.probe`: a test event, made for one subscription and sent to its sink alone."""

from typing import ClassVar

from pydantic import Field

from shared.contracts.contract import Contract


class Probe(Contract):
    """Says whose test it is. It is no event of the project: it is not stored, and nobody else gets it."""

    TYPE: ClassVar[str] = "dev.weir.probe"

    project: str
    subscription: str = Field(description="The id of the subscription whose sink is tried.")
    name: str = Field(description="The name of that subscription.")
    message: str = "This is a test event from Weir. Nothing has happened; there is nothing to be done."
