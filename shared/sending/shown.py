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
