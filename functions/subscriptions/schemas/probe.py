"""A test event, and what a sink makes of it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, WithJsonSchema

from shared.runtime.schema import Request, Schema
from shared.sending.shown import ConnectionBody, GotBody, SentBody, TimingsBody


class ProbeRequest(Request):
    """What to send: `event`, or the stored one with that `uid`; without either, one that says that it is a test."""

    event: Annotated[
        dict[str, Any] | None,
        WithJsonSchema({"type": ["object", "null"], "description": "A CloudEvent in the JSON format."}),
    ] = None
    uid: UUID | None = None


class ProbeBody(Schema):
    """What came of a test event. It is no delivery: nothing of it is kept, and no retry follows."""

    delivered: bool = Field(description="Whether a delivery would count as delivered: any 2xx.")
    started_at: datetime
    duration_ms: float
    status_code: int | None
    error: str | None = Field(description="Why there is no response, or why nothing was sent.")
    timings: TimingsBody | None = Field(description="Null when nothing was sent.")
    connection: ConnectionBody | None
    advice: str | None = Field(description="What to do next; null when it was delivered.")
    event: dict[str, Any] = Field(description="The event, before what the subscription makes of it.")
    request: SentBody | None = Field(description="Null when nothing was sent.")
    response: GotBody | None
    circuit_closed: bool = Field(
        description="Whether the sink was left alone until now, and gets what waits for it because of this."
    )
