"""Makes the attempts of one process, with what those need that ask for more than a signed POST."""

import asyncio
import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec

from shared.core.cloudevents import Event, to_batch
from shared.core.redaction import redact_text
from shared.core.retry import Outcome, Status
from shared.http.addresses import AddressGuard
from shared.http.client import Answer, NoAnswer, OutboundClient
from shared.http.descriptors import connections
from shared.http.oauth2 import ClientTokens, NoToken
from shared.runtime.resources import Resources
from shared.sending.attempt import (
    BODY_BYTES,
    Result,
    attempt,
    detail_of,
    outcome_of,
    own_headers,
    repeated,
    replay_of,
)
from shared.sending.message import Headers, Message
from shared.sending.outgoing import Attempted, Outgoing
from shared.sending.redaction import signatures, spelled, without_secrets
from shared.sending.special import Special, Unusable

if TYPE_CHECKING:
    from shared.sending.replies import Replies
    from shared.transforms.pool import TransformPool

SENT_BYTES = 8 * 1024
"""How much is kept of a body that is not the stored event."""

OK, UNAUTHORIZED, TOO_LARGE = 200, 401, 413
EVERYWHERE = ("0.0.0.0/0", "::/0")
OPERATORS_CONNECTIONS = 1_000
"""To the sink that whoever runs Weir has named: beside those to the sinks of subscriptions."""
HIDDEN = "***"


class Unsent(Exception):
    """There is no request to be made: `outcome` says what that comes to."""

    def __init__(self, error: str, verdict: Status | None = None) -> None:
        super().__init__(error)
        self.outcome = Outcome(error=error, verdict=verdict)


@dataclass(slots=True)
class Exchange:
    """One request as it was made, and what came back."""

    started: float
    duration_us: int
    answer: Answer | None
    failed: NoAnswer | None
    sent: dict[str, Any]
    verdict: Status | None = None
    secrets: Sequence[bytes] = ()
    error: str | None = None
    repeated: Mapping[str, Any] = field(default_factory=dict)

    def result(
        self, url: str, outcome: Outcome | None = None, reply: Mapping[str, Any] | None = None
    ) -> Result:
        """What this comes to: `outcome`, or what the answer says. Nothing of it has a secret of the request."""
        answer = None if self.answer is None else without_secrets(self.answer, self.secrets)
        error = self.error or (None if self.failed is None else str(self.failed))
        outcome = outcome or outcome_of(answer, error, self.started, self.verdict)
        if outcome.error is not None:
            outcome = msgspec.structs.replace(outcome, error=redact_text(outcome.error, self.secrets))
        more: dict[str, Any] = {"sent": self.sent, **self.repeated}
        if reply is not None:
            more["reply"] = reply
        detail = detail_of(url, answer, more, failed=self.failed)
        attempted = Attempted(self.started, self.duration_us, outcome.status_code, outcome.error, detail)
        return Result(outcome, attempted, b"" if answer is None else answer.body)


class Sender:
    """`client` makes the requests to sinks that users have named."""

    def __init__(self, resources: Resources, client: OutboundClient) -> None:
        self._resources = resources
        self._client = client
        self._tokens = ClientTokens(client.post)
        self._operators: OutboundClient | None = None
        self._transforms: TransformPool | None = None
        self._replies: Replies | None = None

    async def attempt(self, job: Outgoing) -> Result:
        """Make one attempt. Raises nothing that has to do with the sink or what its subscription asks for."""
        special = job.subscription.special
        if special is None or job.dead_letter is not None:
            # A dead letter is the event as it came, and its sink has no part in the subscription's credentials.
            return await attempt(self._client, job)
        started = time.time()
        try:
            message = await self._message(job, special)
            content = message.encoded(job.subscription.policy.format)
            exchange = await self._exchange(job, str(job.delivery_id), message.event, content)
        except Unsent as reason:
            return unsent(reason.outcome, started)
        if special.rewrites:
            exchange.sent |= shown_body(content[1])
        url = str(job.subscription.url)
        if special.replies and exchange.answer is not None and exchange.answer.status == OK:
            return exchange.result(url, *await self._take(job, special, exchange.answer))
        return exchange.result(url)

    async def attempt_batch(self, jobs: Sequence[Outgoing]) -> list[Result]:
        """Make one attempt of each of `jobs`, which are of one subscription, by one request.

        What is refused as too large goes at once in halves, as part of the same attempt.
        """
        special = jobs[0].subscription.special
        assert special is not None
        started = time.time()
        prepared = await asyncio.gather(
            *(self._message(job, special) for job in jobs), return_exceptions=True
        )
        results: dict[int, Result] = {}
        # A batch has events of one version of CloudEvents (JSON format, section 4).
        versions: dict[str, list[tuple[int, Message]]] = {}
        for index, message in enumerate(prepared):
            if isinstance(message, Unsent):
                results[index] = unsent(message.outcome, started)
            elif isinstance(message, BaseException):
                raise message
            else:
                versions.setdefault(message.event.specversion, []).append((index, message))
        parts = list(versions.values())
        while parts:
            part = parts.pop()
            result = await self._post_batch([(jobs[index], message) for index, message in part])
            if result.outcome.status_code == TOO_LARGE and len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                continue
            results |= dict.fromkeys((index for index, _ in part), result)
        return [results[index] for index in range(len(jobs))]

    async def close(self) -> None:
        """End what is under way, and let go of everything but the client."""
        await self._tokens.close()
        if self._operators is not None:
            await self._operators.close()
        if self._transforms is not None:
            await self._transforms.close()

    async def _message(self, job: Outgoing, special: Special) -> Message:
        """The event as this subscription wants it. Raises Unsent."""
        if special.fault is not None:
            raise Unsent(special.fault)
        event = job.message.event
        if special.transform is not None:
            from shared.transforms.event import transformed
            from shared.transforms.pool import TransformFault, TransformLimit

            try:
                made = await transformed(self._pool(), special.transform, event)
            except TransformFault as fault:
                raise Unsent(f"the transform failed: {fault}", "dead") from None
            except TransformLimit as limit:
                raise Unsent(str(limit)) from None
            if made is None:
                raise Unsent("the transform gave nothing, so the event was not sent", "cancelled")
            event = made
        if special.extensions:
            event = replace(event, extensions={**event.extensions, **dict(special.extensions)})
        return job.message if event is job.message.event else Message(job.message.uid, event)

    async def _post_batch(self, members: Sequence[tuple[Outgoing, Message]]) -> Result:
        started = time.time()
        content = to_batch([message.event for _, message in members])
        identity = batch_id([job.delivery_id for job, _ in members])
        job, first = members[0]
        event = first.event if len(members) == 1 else None
        try:
            exchange = await self._exchange(job, identity, event, content)
        except Unsent as reason:
            return unsent(reason.outcome, started)
        exchange.sent["batchSize"] = len(members)
        special = job.subscription.special
        if special is not None and special.shows_body:
            exchange.sent |= shown_body(content[1])
        return exchange.result(str(job.subscription.url))

    async def _exchange(
        self, job: Outgoing, identity: str, event: Event | None, content: tuple[Headers, bytes]
    ) -> Exchange:
        """One request, and a second one with another token where the sink does not take the first. Raises Unsent."""
        special = job.subscription.special
        assert special is not None
        try:
            token = None if special.grant is None else await self._tokens.get(special.grant)
            tls = special.tls
        except NoToken as error:
            raise Unsent(str(error)) from None
        except Unusable as error:
            raise Unsent(str(error), "dead") from None
        started = time.time()
        subscription = job.subscription
        headers, body = content
        own = own_headers(subscription.secrets, identity, event, int(started), body, replay=replay_of(job))
        headers = [*headers, *own, *special.headers]
        client = self._operator_client() if special.operator else self._client
        clock = time.perf_counter()

        async def post(token: str | None) -> Exchange:
            answer, failed = None, None
            sent = headers if token is None else [*headers, ("authorization", f"Bearer {token}")]
            try:
                answer = await client.post(
                    subscription.url,
                    sent,
                    body,
                    timeout_seconds=subscription.policy.timeout_seconds,
                    body_bytes=self._taker().body_bytes if special.replies else BODY_BYTES,
                    tls=tls,
                )
            except NoAnswer as problem:
                failed = problem
            duration_us = int((time.perf_counter() - clock) * 1_000_000)
            if special.operator:
                answer, failed = _elsewhere(answer), _elsewhere(failed)
            shown = {"headers": shown_headers(sent, special.hidden)}
            return Exchange(
                started,
                duration_us,
                answer,
                failed,
                shown,
                secrets=self._secrets(job, sent, token),
                repeated=repeated(job),
            )

        exchange = await post(token)
        if token is not None and exchange.answer is not None and exchange.answer.status == UNAUTHORIZED:
            assert special.grant is not None
            try:
                return await post(await self._tokens.renew(special.grant, token))
            except NoToken as error:
                # Not the sink's last word: with a token that is good it might have taken the event.
                exchange.error, exchange.verdict = str(error), "retrying"
        return exchange

    def _secrets(self, job: Outgoing, sent: Headers, token: str | None) -> list[bytes]:
        """What nobody is shown of a request with these headers, wherever it is found."""
        special = job.subscription.special
        assert special is not None
        known = (*special.secrets, *job.subscription.secrets, *(() if token is None else (token,)))
        signature = next((value for name, value in sent if name == "webhook-signature"), "")
        return [*signatures(signature), *spelled(known)]

    async def _take(
        self, job: Outgoing, special: Special, answer: Answer
    ) -> tuple[Outcome | None, dict[str, Any] | None]:
        """Store the reply in a 200, if there is one: where that fails, so has the delivery (K5.3, K5.4)."""
        from shared.sending.replies import LoopCut, ReplyRefused

        try:
            stored = await self._taker().take(
                answer, job.message.event, job.subscription.project_id, special.name
            )
        except LoopCut as cut:
            return Outcome(OK, str(cut), verdict="delivered"), None
        except ReplyRefused as refused:
            return Outcome(OK, str(refused), verdict="retrying"), None
        if stored is None:
            return None, None
        return None, {"uid": str(stored.uid), "duplicate": stored.duplicate}

    def _operator_client(self) -> OutboundClient:
        """For the sink that whoever runs Weir has named: it may be anywhere."""
        if self._operators is None:
            most = connections(OPERATORS_CONNECTIONS, part=1 / 8)
            self._operators = OutboundClient(AddressGuard(EVERYWHERE), connections=most)
        return self._operators

    def _pool(self) -> "TransformPool":
        if self._transforms is None:
            from shared.transforms.pool import TransformPool
            from shared.transforms.settings import TransformSettings

            self._transforms = TransformPool(TransformSettings())
        return self._transforms

    def _taker(self) -> "Replies":
        if self._replies is None:
            from shared.sending.replies import Replies

            self._replies = Replies(self._resources)
        return self._replies


def batch_id(deliveries: Sequence[UUID]) -> str:
    """The `webhook-id` of a request with these deliveries: of one its own id, of more `batch-` and a digest of all."""
    if len(deliveries) == 1:
        return str(deliveries[0])
    digest = blake2b(b"".join(sorted(one.bytes for one in deliveries)), digest_size=16)
    return f"batch-{digest.hexdigest()}"


Came = TypeVar("Came", Answer | None, NoAnswer | None)


def _elsewhere(came: Came) -> Came:
    """What came of a request to the sink of whoever runs Weir, whose address is nobody else's business."""
    if isinstance(came, Answer):
        return msgspec.structs.replace(came, address=None)
    if came is not None:
        came.address = None
    return came


def shown_headers(headers: Headers, hidden: frozenset[str]) -> dict[str, str]:
    """Headers as they may be kept: without signature and credentials."""
    return {name.lower(): HIDDEN if name.lower() in hidden else value for name, value in headers}


def shown_body(body: bytes) -> dict[str, Any]:
    """The beginning of a body that was sent, as text where it is one: `{"body", "encoding"?, "truncated"}`."""
    part = body[:SENT_BYTES]
    shown: dict[str, Any] = {"truncated": len(body) > SENT_BYTES}
    # A cut may go through a character.
    text = part.decode(errors="ignore" if shown["truncated"] else "replace")
    if "\ufffd" in text or len(text.encode()) < len(part) - 3:
        return shown | {"body": base64.b64encode(part).decode(), "encoding": "base64"}
    return shown | {"body": text}


def unsent(outcome: Outcome, started: float) -> Result:
    """What it comes to when nothing was sent, decided on since `started` (Unix time)."""
    duration_us = int((time.time() - started) * 1_000_000)
    return Result(outcome, Attempted(started, max(0, duration_us), None, outcome.error, None), b"")
