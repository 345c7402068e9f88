"""Transforms before they are used: can the expression be read, and what does it make of an event?"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.draft import refusal, transform_faults
from functions.subscriptions.schemas.trial import TransformBody, TransformProblem
from shared.auth.access import Access
from shared.core.problems import FORBIDDEN, Fault, Problem
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.core.cloudevents import Event
    from shared.transforms.pool import TransformPool

EVENTS_READ = "events:read"


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
        given = _given(event) if event is not None else await self._stored(access, uid)
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

    async def _stored(self, access: Access, uid: UUID | None) -> "Event":
        if EVENTS_READ not in access.permissions:
            raise Problem(FORBIDDEN, f"To try a stored event needs the permission {EVENTS_READ}.")
        assert uid is not None
        async with (await self._resources.pg()).acquire() as conn:
            row = await queries.event(conn, access.project_id, uid)
        if row is None:
            raise refusal([Fault("/uid", "is not an event of this project")])
        from shared.core.cloudevents import DataKind, Event

        if row["data_kind"] not in DataKind.__members__.values():
            raise refusal(
                [Fault("/uid", "is an event with data of a kind that this version of Weir does not know")]
            )
        return Event(
            row["specversion"],
            row["id"],
            row["source"],
            row["type"],
            row["subject"],
            row["time"],
            row["datacontenttype"],
            row["dataschema"],
            row["extensions"] or {},
            row["data"],
            DataKind(row["data_kind"]),
        )

    def _children(self) -> "TransformPool":
        if self._pool is None:
            from shared.transforms.pool import TransformPool
            from shared.transforms.settings import TransformSettings

            self._pool = TransformPool(TransformSettings())
            self._resources.at_close(self._pool.close)
        return self._pool


def _given(event: dict[str, Any]) -> "Event":
    from shared.core.cloudevents import InvalidEvent, parse_structured

    try:
        return parse_structured(msgspec.json.encode(event))
    except UnicodeEncodeError:
        raise refusal([Fault("/event", "has a text that is not Unicode")]) from None
    except InvalidEvent as error:
        raise refusal([Fault(f"/event{error.pointer or ''}", error.detail)]) from None
