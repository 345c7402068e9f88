"""From rows to answers. An event's data goes into the answer byte for byte."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from starlette.responses import Response

from functions.explore.schemas import (
    AttemptBody,
    DeliveryBody,
    DeliveryItem,
    EventBody,
    EventItem,
    GotBody,
    OutcomeBody,
    SentBody,
)
from functions.explore.search import received_at
from shared.core.cloudevents import DataKind, Event, to_json
from shared.runtime.schema import Schema

if TYPE_CHECKING:
    from asyncpg import Record

_STATUSES = ("delivered", "retrying", "dead", "pending", "cancelled")


def respond(body: Schema) -> Response:
    """`body` as JSON. Members that hold `msgspec.Raw` keep their bytes."""
    # An event stands as Raw where the schema says CloudEvent: pydantic would warn of that.
    document = body.model_dump(by_alias=True, warnings=False)
    return Response(msgspec.json.encode(document), media_type="application/json")


def stored_event(row: "Record") -> Event:
    """The event in a row of `events`."""
    return Event(
        row["specversion"],
        row["id"],
        row["source"],
        row["type"],
        subject=row["subject"],
        time=row["time"],
        datacontenttype=row["datacontenttype"],
        dataschema=row["dataschema"],
        extensions=row["extensions"] or {},
        data=row["data"],
        data_kind=DataKind(row["data_kind"]),
    )


def event_item(row: "Record", outcome: "Record | None") -> EventItem:
    """An event with how its deliveries stand; no outcome is no deliveries."""
    return EventItem.model_construct(**_event_members(row, outcome))


def event_body(row: "Record", outcome: "Record | None", deliveries: Sequence[DeliveryBody]) -> EventBody:
    """An event with its deliveries."""
    return EventBody.model_construct(
        **_event_members(row, outcome), producer=row["producer"], deliveries=list(deliveries)
    )


def _event_members(row: "Record", outcome: "Record | None") -> dict[str, Any]:
    written = to_json(stored_event(row))
    received = received_at(row["uid"])
    delivered_at = outcome["delivered_at"] if outcome is not None else None
    latency = None if delivered_at is None else (delivered_at - received) // timedelta(milliseconds=1)
    return {
        "uid": row["uid"],
        "received_at": received,
        "event": msgspec.Raw(written),
        "size": len(written),
        "data_size": None if row["data"] is None else len(row["data"]),
        "outcome": OutcomeBody(**{status: 0 if outcome is None else outcome[status] for status in _STATUSES}),
        # Clocks of two machines may differ: a latency below zero would be nonsense.
        "latency_ms": None if latency is None else max(latency, 0),
    }


def delivery_item(row: "Record", event_type: str | None) -> DeliveryItem:
    """A delivery for a list."""
    return DeliveryItem.model_construct(**_delivery_members(row, event_type))


def delivery_body(row: "Record", event_type: str | None, later: Sequence["Record"]) -> DeliveryBody:
    """A delivery with its attempts: the first from its own row, then those of `later`."""
    attempts = [_attempt(row, 1, "first_")] if row["first_started_at"] is not None else []
    attempts.extend(_attempt(attempt, attempt["number"]) for attempt in later)
    return DeliveryBody.model_construct(**_delivery_members(row, event_type), attempts=attempts)


def _delivery_members(row: "Record", event_type: str | None) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event": row["event_uid"],
        "event_type": event_type,
        "subscription": row["subscription_id"],
        "subscription_name": row["subscription_name"] or "",
        "sink": row["sink"] or "",
        "status": row["status"],
        "held": row["held"],
        "attempt_count": row["attempt_count"],
        "next_attempt_at": row["next_attempt_at"] if row["status"] in {"pending", "retrying"} else None,
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
        "last_status_code": row["last_status_code"],
        "last_error": row["last_error"],
    }


def _attempt(row: "Record", number: int, prefix: str = "") -> AttemptBody:
    """The attempt in the columns of `row` that start with `prefix`."""
    detail: Mapping[str, Any] = row[f"{prefix}detail"] or {}
    response = detail.get("response")
    url = detail.get("url")
    return AttemptBody.model_construct(
        number=number,
        started_at=row[f"{prefix}started_at"],
        duration_ms=(row[f"{prefix}duration_us"] or 0) / 1000,
        status_code=row[f"{prefix}status_code"],
        error=row[f"{prefix}error"],
        request=SentBody.model_construct(url=url, headers=detail.get("headers") or {}) if url else None,
        response=None
        if response is None
        else GotBody.model_construct(
            headers=response.get("headers") or {},
            body=response.get("body") or "",
            body_truncated=bool(response.get("truncated")),
        ),
    )


def by_delivery(rows: Sequence["Record"]) -> "dict[UUID, list[Record]]":
    """Attempts by their delivery, in the order of the rows."""
    found: dict[UUID, list[Record]] = {}
    for row in rows:
        found.setdefault(row["delivery_id"], []).append(row)
    return found
