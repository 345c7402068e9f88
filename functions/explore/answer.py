"""From rows to answers. An event's data goes into the answer byte for byte."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from starlette.responses import Response

from functions.explore.schemas import (
    AttemptBody,
    DeadLetterBody,
    DeliveryBody,
    DeliveryItem,
    EventBody,
    EventItem,
    OutcomeBody,
    ReplyBody,
)
from functions.explore.search import received_at
from shared.db.events import stored_event, unreadable
from shared.runtime.schema import Schema
from shared.sending.shown import shown_answer, shown_connection, shown_request, shown_timings

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.cloudevents import Event

_STATUSES = ("delivered", "retrying", "dead", "pending", "cancelled")


def respond(body: Schema) -> Response:
    """`body` as JSON. Members that hold `msgspec.Raw` keep their bytes."""
    # An event stands as Raw where the schema says CloudEvent: pydantic would warn of that.
    document = body.model_dump(by_alias=True, warnings=False)
    return Response(msgspec.json.encode(document), media_type="application/json")


def event_item(row: "Record", outcome: "Record | None") -> EventItem:
    """An event with how its deliveries stand; no outcome is no deliveries."""
    return EventItem.model_construct(**_event_members(row, outcome))


def event_body(row: "Record", outcome: "Record | None", deliveries: Sequence[DeliveryBody]) -> EventBody:
    """An event with its deliveries."""
    return EventBody.model_construct(
        **_event_members(row, outcome), producer=row["producer"], deliveries=list(deliveries)
    )


def _event_members(row: "Record", outcome: "Record | None") -> dict[str, Any]:
    from shared.core.cloudevents import to_json

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
        "facets": row["facets"],
        "schema_fault": row["schema_fault"],
        "fault": unreadable(row),
        "outcome": OutcomeBody(**{status: 0 if outcome is None else outcome[status] for status in _STATUSES}),
        # Clocks of two machines may differ: a latency below zero would be nonsense.
        "latency_ms": None if latency is None else max(latency, 0),
    }


def delivery_item(row: "Record", event_type: str | None, event_subject: str | None) -> DeliveryItem:
    """A delivery for a list."""
    return DeliveryItem.model_construct(**_delivery_members(row, event_type, event_subject))


def delivery_body(row: "Record", event: "Event | None", later: Sequence["Record"]) -> DeliveryBody:
    """A delivery with its attempts: the first from its own row, then those of `later`."""
    sent = _sent(row, event)
    attempts = [_attempt(row, 1, sent, "first_")] if row["first_started_at"] is not None else []
    attempts.extend(_attempt(attempt, attempt["number"], sent) for attempt in later)
    about = (None, None) if event is None else (event.type, event.subject)
    members = _delivery_members(row, *about)
    return DeliveryBody.model_construct(**members, attempts=attempts)


def _sent(row: "Record", event: "Event | None") -> dict[str, str]:
    """The headers that all attempts of a delivery have in common."""
    from shared.core.cloudevents import DataKind, to_binary, to_structured

    headers: dict[str, str] = {}
    if event is not None and row["format"] is not None:
        structured = row["format"] == "json" or event.data_kind is DataKind.NONE
        headers.update((to_structured(event) if structured else to_binary(event))[0])
    headers["webhook-id"] = str(row["id"])
    if row["signed"]:
        headers["webhook-signature"] = "***"
    return headers


def _delivery_members(row: "Record", event_type: str | None, event_subject: str | None) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event": row["event_uid"],
        "event_type": event_type,
        "event_subject": event_subject,
        "subscription": row["subscription_id"],
        "subscription_name": row["subscription_name"] or "",
        "sink": row["sink"] or "",
        "status": row["status"],
        "held": row["held"],
        "attempt_count": row["attempt_count"],
        "next_attempt_at": row["next_attempt_at"] if row["status"] in {"pending", "retrying"} else None,
        # On the happy path the row is written after its first attempt.
        "created_at": min(filter(None, (row["first_started_at"], row["created_at"]))),
        "ended_at": row["ended_at"],
        "last_status_code": row["last_status_code"],
        "last_error": row["last_error"],
        "dead_letter": None if row["dead_letter"] is None else _dead_letter(row["dead_letter"]),
        "replay": row["replay_id"],
    }


def _dead_letter(told: Mapping[str, Any]) -> DeadLetterBody:
    return DeadLetterBody.model_construct(
        status=told["status"],
        attempts=told["attempts"],
        last_status_code=told.get("lastStatusCode"),
        last_error=told.get("lastError"),
    )


def _attempt(row: "Record", number: int, sent: Mapping[str, str], prefix: str = "") -> AttemptBody:
    """The attempt in the columns of `row` that start with `prefix`."""
    detail: Mapping[str, Any] = row[f"{prefix}detail"] or {}
    started: datetime = row[f"{prefix}started_at"]
    response, replay = detail.get("response"), detail.get("replay")
    request = None
    if url := detail.get("url"):
        headers = {**sent, "webhook-timestamp": str(int(started.timestamp()))}
        if replay is not None:
            headers["weir-replay"] = replay
        request = shown_request(url, detail.get("sent") or {}, headers)
    return AttemptBody.model_construct(
        number=number,
        started_at=started,
        duration_ms=(row[f"{prefix}duration_us"] or 0) / 1000,
        status_code=row[f"{prefix}status_code"],
        error=row[f"{prefix}error"],
        replay=replay,
        timings=shown_timings(detail),
        connection=shown_connection(detail),
        request=request,
        response=None if response is None else shown_answer(response),
        reply=None if (reply := detail.get("reply")) is None else ReplyBody.model_construct(**reply),
    )


def by_delivery(rows: Sequence["Record"]) -> "dict[UUID, list[Record]]":
    """Attempts by their delivery, in the order of the rows."""
    found: dict[UUID, list[Record]] = {}
    for row in rows:
        found.setdefault(row["delivery_id"], []).append(row)
    return found
