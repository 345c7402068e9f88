"""Transforms before they are used: can the expression be read, and what does it make of an event?"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.subscriptions.draft import refusal, transform_faults
from functions.subscriptions.events import event_of
from functions.subscriptions.schemas.trial import TransformBody, TransformProblem
from shared.auth.access import Access
from shared.core.problems import Fault
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.transforms.pool import TransformPool


class Transforms:
    """Asks the child processes of this process, which start with the first question."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._pool: TransformPool | None = None

    async def check(self, expression: str) -> None:
        """Raise Problem 422 unless `expression` can be read, with the place where it stops."""
        from shared.transforms.pool import TransformFault, TransformLimit

        try:
            await self._children().check(expression)
        except TransformFault as fault:
            at = "" if fault.position is None else f" (character {fault.position})"
            raise refusal([Fault("/transform/jsonata", f"{fault.detail}{at}")]) from None
        except TransformLimit as limit:
            raise refusal([Fault("/transform/jsonata", f"cannot be read: {limit}")]) from None

    async def show(
        self, access: Access, transform: Any, event: dict[str, Any] | None, uid: UUID | None
    ) -> TransformBody:
        """What `transform` makes of a given event, or of the stored one with that `uid`.

        Raises Problem 422 for what cannot be used, 403 when a stored event is asked for without the permission.
        """
        faults = transform_faults(transform)
        if transform is None:
            faults.append(Fault("/transform", "must be given"))
        if (event is None) == (uid is None):
            faults.append(Fault("/event", "must be given, or else uid"))
        if faults:
            raise refusal(faults)
        expression = transform["jsonata"]
        await self.check(expression)
        given = await event_of(self._resources, access, event, uid)
        from shared.core.cloudevents import to_json
        from shared.transforms.event import transformed
        from shared.transforms.pool import TransformFault, TransformLimit

        try:
            made = await transformed(self._children(), expression, given)
        except TransformFault as fault:
            return TransformBody(
                event=None, error=TransformProblem(detail=fault.detail, position=fault.position)
            )
        except TransformLimit as limit:
            return TransformBody(event=None, error=TransformProblem(detail=str(limit), position=None))
        return TransformBody(event=None if made is None else msgspec.json.decode(to_json(made)), error=None)

    def _children(self) -> "TransformPool":
        if self._pool is None:
            from shared.transforms.pool import TransformPool
            from shared.transforms.settings import TransformSettings

            self._pool = TransformPool(TransformSettings())
            self._resources.at_close(self._pool.close)
        return self._pool
