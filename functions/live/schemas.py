"""The HTTP shapes of the tail."""

from uuid import UUID

from shared.runtime.schema import Schema


class OutcomeItem(Schema):
    """How many of an event's deliveries are in each state."""

    uid: UUID
    delivered: int
    retrying: int
    dead: int
    pending: int
    cancelled: int


class OutcomeList(Schema):
    """Events that have deliveries by now; those without any are left out."""

    items: list[OutcomeItem]
