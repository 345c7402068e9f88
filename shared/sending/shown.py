"""Requests and answers as they are shown, from what is kept of them (`attempt.detail_of`)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from shared.runtime.schema import Schema


class SentBody(Schema):
    """The request to the sink.

    `headers` are made again from the event and the delivery: `traceparent` is not kept, a signature is
    shown as `***`, and where the subscription is gone only those that every delivery has are there. Where its
    subscription asks for more than a signed POST they are those that were sent, credentials shown as `***`.
    """

    url: str
    headers: dict[str, str]
    body: str | None = Field(
        description="The beginning of what was sent instead of the stored event; null where that is what was sent."
    )
    body_encoding: Literal["text", "base64"]
    body_truncated: bool
    batch_size: int | None = Field(description="How many events were in the request; null without batches.")


class GotBody(Schema):
    """What the sink answered."""

    headers: dict[str, str]
    body: str
    body_encoding: Literal["text", "base64"]
    body_truncated: bool


class TimingsBody(Schema):
    """Where the time of an attempt went. The first three are null where a connection was open already.

    Without an answer, those that the request came to.
    """

    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None = Field(
        description="From the moment the request was written to the first byte of the answer."
    )
    body_ms: float | None = Field(description="From there to the end of what was read of it.")


class ConnectionBody(Schema):
    """The connection that an attempt went over."""

    address: str | None = Field(description="The address that was connected to; null where it is not told.")
    tls: str | None = Field(description="The version that was spoken, such as `TLSv1.3`; null without TLS.")
    is_new: bool = Field(description="Whether it was opened for this attempt.")


def shown_timings(detail: Mapping[str, Any]) -> TimingsBody | None:
    """Where the time went; None of an attempt of which that was not kept."""
    if (kept := detail.get("timings")) is None:
        return None
    dns, connect, tls, first_byte, body = (None if us is None else us / 1000 for us in kept)
    return TimingsBody.model_construct(
        dns_ms=dns, connect_ms=connect, tls_ms=tls, first_byte_ms=first_byte, body_ms=body
    )


def shown_connection(detail: Mapping[str, Any]) -> ConnectionBody | None:
    """The connection; None where that was not kept, or there was none."""
    timings = detail.get("timings") or ()
    if not timings and "address" not in detail:
        return None
    return ConnectionBody.model_construct(
        address=detail.get("address"),
        tls=detail.get("tls"),
        # Without timings it was not even open yet.
        is_new=not timings or any(us is not None for us in timings[:3]),
    )


def shown_request(url: str, kept: Mapping[str, Any], headers: dict[str, str]) -> SentBody:
    """The request to `url`; `headers` are those of one that kept none of its own."""
    return SentBody.model_construct(
        url=url,
        headers=kept.get("headers") or headers,
        body=kept.get("body"),
        body_encoding=kept.get("encoding", "text"),
        body_truncated=kept.get("truncated", False),
        batch_size=kept.get("batchSize"),
    )


def shown_answer(kept: Mapping[str, Any]) -> GotBody:
    """What the sink answered."""
    return GotBody.model_construct(
        headers=kept["headers"],
        body=kept["body"],
        body_encoding=kept.get("encoding", "text"),
        body_truncated=kept["truncated"],
    )
