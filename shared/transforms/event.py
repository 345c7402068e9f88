"""From an event to another one by an expression."""

from typing import Any

import msgspec

from shared.core.cloudevents import Event, InvalidEvent, parse_structured, to_json
from shared.transforms.pool import TransformFault, TransformPool

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


async def transformed(pool: TransformPool, expression: str, event: Event) -> Event | None:
    """What `expression` makes of `event` in the JSON format; None when it gives nothing.

    `specversion`, `id`, `source` and `type` are the event's where the result has none; all else is as the result
    says. Raises TransformFault, also for a result that is no CloudEvent, and TransformLimit.
    """
    result = await pool.evaluate(expression, to_json(event))
    return None if result is None else completed(event, result)


def completed(event: Event, result: bytes) -> Event:
    """The event in a JSON text. Raises TransformFault."""
    try:
        members: dict[str, Any] = _members(result)
    except msgspec.DecodeError:
        raise TransformFault("the result is not an object, so it is no CloudEvent") from None
    needed = {"specversion": event.specversion, "id": event.id, "source": event.source, "type": event.type}
    absent = {name: value for name, value in needed.items() if members.get(name, _NULL) == _NULL}
    try:
        return parse_structured(msgspec.json.encode(members | absent) if absent else result)
    except InvalidEvent as error:
        where = f"{error.pointer}: " if error.pointer else ""
        raise TransformFault(f"the result is no CloudEvent: {where}{error.detail}") from None


_NULL = msgspec.Raw(b"null")
