"""The event that something is tried with: given in the request, or a stored one."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.draft import refusal
from shared.auth.access import Access
from shared.core.problems import FORBIDDEN, Fault, Problem
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.core.cloudevents import Event

EVENTS_READ = "events:read"


async def event_of(
    resources: Resources, access: Access, given: dict[str, Any] | None, uid: UUID | None
) -> "Event":
    """The event that was `given`, else the stored one with that `uid`.

    Raises Problem 422 for what is none, 403 when a stored event is asked for without the permission to read it.
    """
    if given is not None:
        return _read(given)
    if EVENTS_READ not in access.permissions:
        raise Problem(FORBIDDEN, f"To try a stored event needs the permission {EVENTS_READ}.")
    assert uid is not None
    async with (await resources.of(access.project_id)).acquire() as conn:
        row = await queries.event(conn, access.project_id, uid)
    if row is None:
        raise refusal([Fault("/uid", "is not an event of this project")])
    from shared.sending.message import event_of as stored

    try:
        return stored(row)
    except ValueError:
        raise refusal(
            [Fault("/uid", "is an event with data of a kind that this version of Weir does not know")]
        ) from None


def _read(event: dict[str, Any]) -> "Event":
    from shared.core.cloudevents import InvalidEvent, parse_structured

    try:
        return parse_structured(msgspec.json.encode(event))
    except UnicodeEncodeError:
        raise refusal([Fault("/event", "has a text that is not Unicode")]) from None
    except InvalidEvent as error:
        raise refusal([Fault(f"/event{error.pointer or ''}", error.detail)]) from None
