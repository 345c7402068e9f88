"""One attempt: a request to a sink, and what it came to."""

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from shared.core.cloudevents import Event
from shared.core.retry import HONOURS_RETRY_AFTER, Outcome, Status, parse_retry_after
from shared.core.signing import sign
from shared.http.answer import NO_TIMINGS, Timings
from shared.http.client import Answer, NoAnswer, OutboundClient
from shared.sending.message import Headers, Message, traceparent, user_agent
from shared.sending.outgoing import Attempted, Outgoing
from shared.sending.redaction import signatures, spelled, without_secrets

BODY_BYTES = 8 * 1024
DELIVERED_BODY_BYTES = 1024
"""How much of an answer is kept: of one that says yes, little."""

REPLAY_HEADER = "weir-replay"
"""Says of a request that a replay has it made: that the event may have been there before."""

NOTHING: Mapping[str, Any] = MappingProxyType({})

ERROR_DATA_CHARACTERS = 1024
ERROR_DATA_BYTES = ERROR_DATA_CHARACTERS // 4 * 3


class Result(msgspec.Struct):
    """What an attempt came to, for the decision and for the record. `body` is the beginning of the answer's."""

    outcome: Outcome
    attempted: Attempted
    body: bytes


async def attempt(client: OutboundClient, job: Outgoing) -> Result:
    """Make one attempt. Raises nothing that has to do with the sink; InvalidSecret if it cannot be signed."""
    subscription = job.subscription
    message, url, address = job.message, subscription.url, subscription.sink
    if job.dead_letter is not None:
        assert subscription.dead_letter_url is not None
        message, url = _dead_letter(job), subscription.dead_letter_url
        address = str(url)
    started = time.time()
    headers, body = message.encoded(subscription.policy.format)
    own = own_headers(
        subscription.secrets, str(job.delivery_id), message.event, int(started), body, replay=replay_of(job)
    )
    headers = [*headers, *own]
    clock = time.perf_counter()
    answer: Answer | None = None
    failed: NoAnswer | None = None
    try:
        answer = await client.post(
            url, headers, body, timeout_seconds=subscription.policy.timeout_seconds, body_bytes=BODY_BYTES
        )
    except NoAnswer as problem:
        failed = problem
    duration_us = int((time.perf_counter() - clock) * 1_000_000)
    if answer is not None and subscription.secrets:
        answer = without_secrets(answer, [*signatures(own[-1][1]), *spelled(subscription.secrets)])
    outcome = outcome_of(answer, None if failed is None else str(failed), started)
    detail = detail_of(address, answer, repeated(job), failed=failed)
    return Result(
        outcome,
        Attempted(started, duration_us, outcome.status_code, outcome.error, detail),
        answer.body if answer is not None else b"",
    )


def outcome_of(
    answer: Answer | None, error: str | None, now: float, verdict: Status | None = None
) -> Outcome:
    """What an answer, or that there was none, says of a delivery; `verdict` where it is decided already."""
    if answer is None:
        return Outcome(error=error, verdict=verdict)
    if 300 <= answer.status < 400:
        error = f"redirected to {answer.header(b'location') or 'nowhere'}: redirects are not followed"
    return Outcome(answer.status, error, _retry_after(answer, now), verdict)


def replay_of(job: Outgoing) -> str | None:
    """The replay that has the event delivered again; a dead letter goes to another sink, for which it is new."""
    return None if job.replay_id is None or job.dead_letter is not None else str(job.replay_id)


def repeated(job: Outgoing) -> Mapping[str, Any]:
    """What the record of an attempt says of that."""
    replay = replay_of(job)
    return NOTHING if replay is None else {"replay": replay}


def own_headers(
    secrets: Sequence[str],
    identity: str,
    event: Event | None,
    now: int,
    body: bytes,
    *,
    replay: str | None = None,
) -> Headers:
    """What Weir says of every request, its signature last: of one with several events without a trace of theirs.

    `replay` is the one that has it sent again.
    """
    headers = [
        ("webhook-id", identity),
        ("webhook-timestamp", str(now)),
        ("traceparent", traceparent(event)),
        ("user-agent", user_agent()),
    ]
    if event is not None and isinstance(state := event.extensions.get("tracestate"), str):
        headers.append(("tracestate", state))
    if replay is not None:
        headers.append((REPLAY_HEADER, replay))
    if secrets:
        headers.append(("webhook-signature", sign(secrets, identity, now, body)))
    return headers


def _retry_after(answer: Answer, now: float) -> float | None:
    if answer.status not in HONOURS_RETRY_AFTER:
        return None
    value = answer.header(b"retry-after")
    return None if value is None else parse_retry_after(value, now)


def detail_of(
    url: str, answer: Answer | None, more: Mapping[str, Any] = NOTHING, *, failed: NoAnswer | None = None
) -> str:
    """`{"url", "response": {"headers", "body", "encoding", "truncated"} | null, "address", "tls", "timings"}`.

    `timings` are the five of `Timings` in their order. `more` has `sent` and `reply` where there is more to say than
    the stored event does; `failed` says how far a request without an answer came. jsonb cannot hold U+0000.
    """
    if answer is None:
        told: dict[str, Any] = {"url": url, "response": None, **more}
        if failed is None or failed.address is None:
            return _storable(told | _timed(None if failed is None else failed.timings))
        return _storable(told | _reached(failed.address, failed.tls) | _timed(failed.timings))
    limit = DELIVERED_BODY_BYTES if answer.status < 300 else BODY_BYTES
    body, truncated = answer.body[:limit], answer.truncated or len(answer.body) > limit
    if more or len(body) > DELIVERED_BODY_BYTES:
        response = _response(answer.headers, body, truncated)
        reached = _reached(answer.address, answer.tls)
        return _storable({"url": url, "response": response, **more, **reached, **_timed(answer.timings)})
    plain = _plain_detail(url, tuple(answer.headers), body, truncated, (answer.address, answer.tls))
    return f'{plain[:-1]},"timings":{msgspec.json.encode(msgspec.structs.astuple(answer.timings)).decode()}}}'


@lru_cache(maxsize=256)
def _plain_detail(
    url: str,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    truncated: bool,  # noqa: FBT001
    way: tuple[str | None, str | None],
) -> str:
    """Remembered: a sink says the same to one delivery after the other, with another date each second."""
    return _storable({"url": url, "response": _response(headers, body, truncated), **_reached(*way)})


def _reached(address: str | None, tls: str | None) -> dict[str, Any]:
    """Where the connection led, as far as there is something to say."""
    return {name: value for name, value in (("address", address), ("tls", tls)) if value is not None}


def _timed(timings: Timings | None) -> dict[str, Any]:
    if timings is None or timings == NO_TIMINGS:
        return {}
    return {"timings": msgspec.structs.astuple(timings)}


def _response(headers: Sequence[tuple[bytes, bytes]], body: bytes, truncated: bool) -> dict[str, object]:  # noqa: FBT001
    response: dict[str, object] = {
        "headers": {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in headers},
        "body": "",
        "truncated": truncated,
    }
    try:
        response["body"] = body.decode()
    except UnicodeDecodeError:
        response["body"], response["encoding"] = base64.b64encode(body).decode(), "base64"
    return response


def _storable(detail: Mapping[str, Any]) -> str:
    text = msgspec.json.encode(detail).decode()
    return text.replace("\\u0000", "\\ufffd") if "\\u0000" in text else text


def error_data(body: bytes) -> str:
    """`knativeerrordata`: base64 of the beginning of the answer's body, at most 1,024 characters."""
    return base64.b64encode(body[:ERROR_DATA_BYTES]).decode()


def _dead_letter(job: Outgoing) -> Message:
    """The event with Knative's three extensions (knative.md K3.8)."""
    told = job.dead_letter
    assert told is not None
    event = job.message.event
    added = {
        name: told[member]
        for name, member in (
            ("knativeerrordest", "dest"),
            ("knativeerrorcode", "code"),
            ("knativeerrordata", "data"),
        )
        if told.get(member)
    }
    return Message(job.message.uid, replace(event, extensions={**event.extensions, **added}))
