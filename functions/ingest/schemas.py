"""How the door's answers look, for the documentation: they are put together as bytes."""

from typing import Any
from uuid import UUID

from shared.runtime.schema import Schema


class Accepted(Schema):
    """One event that is on disk. A `duplicate` has the uid of the first of its kind."""

    uid: UUID
    duplicate: bool


class BatchResult(Schema):
    """One element of a batch. `problem` (RFC 9457) stands for an element that was not taken."""

    index: int
    uid: UUID | None = None
    duplicate: bool | None = None
    problem: dict[str, Any] | None = None


class BatchAccepted(Schema):
    """The elements of a batch in their order."""

    results: list[BatchResult]
