"""What wakes a handler on AWS, as the CloudEvent that it is everywhere else."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.datastructures import Headers

from shared.contracts.tick import Tick
from shared.runtime.handler import OwnEvent
from shared.runtime.handler_app import checked, parse

STRUCTURED = Headers({"content-type": "application/cloudevents+json"})
SCHEDULED = "Scheduled Event"
"""The `detail-type` of what a schedule of EventBridge sends: it has no other message than the time."""


class Unreadable(Exception):
    """A payload from which no event can be read; that it comes again would not change it."""


def event_of(payload: object) -> OwnEvent:
    """The event in a payload: a CloudEvent in the JSON format, or EventBridge's envelope around its type and data.

    Raises Unreadable.
    """
    if not isinstance(payload, Mapping):
        raise Unreadable("it is not a JSON object")
    try:
        if "specversion" in payload:
            return parse(STRUCTURED, msgspec.json.encode(payload))
        if "detail-type" in payload:
            return _from_bridge(payload)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    raise Unreadable("it is neither a CloudEvent nor an event of EventBridge")


def event_in(body: str) -> OwnEvent:
    """The event in a message's text. Raises Unreadable."""
    try:
        payload = json.loads(body)
    except ValueError as error:
        raise Unreadable(f"it is not JSON: {error}") from None
    return event_of(payload)


def _from_bridge(payload: Mapping[str, Any]) -> OwnEvent:
    kind = payload["detail-type"]
    attributes = {
        "specversion": "1.0",
        "id": payload["id"],
        "source": payload["source"],
        "type": Tick.TYPE if kind == SCHEDULED else kind,
    }
    return checked(attributes, None if kind == SCHEDULED else payload.get("detail"))
