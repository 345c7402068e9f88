"""Test events: made for one subscription, sent to its sink at once, and kept nowhere."""

import asyncio
import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import msgspec

from functions.subscriptions import queries
from functions.subscriptions.advice import advice
from functions.subscriptions.draft import refusal
from functions.subscriptions.events import event_of
from functions.subscriptions.schemas.probe import ProbeBody, ProbeRequest
from shared.auth.access import Access
from shared.cache.windows import Limit, Windows
from shared.core.delivery import K_SINK, DeliveryPolicy, InvalidPolicy, parse_policy
from shared.core.ids import uuid7
from shared.core.problems import TOO_MANY_REQUESTS, Fault, Problem
from shared.core.retry import Outcome, is_delivered
from shared.core.signing import InvalidSecret
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record
    from yarl import URL

    from shared.core.cloudevents import Event
    from shared.sending.attempt import Result
    from shared.sending.message import Message
    from shared.sending.sender import Sender
    from shared.sending.special import Special

REQUEST_SECONDS = 20.0
"""How long the sink has at most, whatever its subscription says: somebody waits for the answer."""

SECONDS = 28.0
"""How long all of it takes at most, a token included: less than what clients and proxies wait."""

CONNECTIONS = 500
"""To sinks at a time, of all that are tested: beside those of deliveries, which the same process may have."""

ONE = Limit("one", 12, 60)
ALL = Limit("all", 60, 60)
"""How many tests a subscription, and a project, may have in a minute."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """The subscription as the sender sees it."""

    project_id: UUID
    sink: str
    url: "URL"
    policy: DeliveryPolicy
    secrets: tuple[str, ...]
    special: "Special"
    dead_letter_url: None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """The event on its way."""

    subscription: Recipient
    message: "Message"
    delivery_id: UUID
    dead_letter: None = None
    replay_id: None = None


class Unusable(Exception):
    """Nothing can be sent; the text says why."""


class Probes:
    """Sends test events with the sender that deliveries have, which is made at the first."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._windows = Windows()
        self._sender: Sender | None = None

    async def probe(self, access: Access, row: "Record", wanted: ProbeRequest) -> ProbeBody:
        """Send one to the sink of the subscription in `row`, whatever its state and that of its circuit.

        Raises Problem 422 for an event that is none, 403 for a stored one without the permission to read it, 429.
        """
        if wanted.event is not None and wanted.uid is not None:
            raise refusal([Fault("/uid", "cannot be used together with event")])
        identity = uuid7()
        await self._admit(access, row["id"])
        if wanted.event is None and wanted.uid is None:
            event = test_event(access.project_name, row["id"], row["name"], identity)
        else:
            event = await event_of(self._resources, access, wanted.event, wanted.uid)
        result = await self._send(access, row, event, identity)
        outcome = result.outcome
        taken = outcome.verdict is None and is_delivered(outcome.status_code)
        closed = taken and await self._close_circuit(access, row)
        return _body(
            event,
            result,
            next_step=advice(outcome, seconds=_deliverys(row)),
            delivered=taken,
            circuit_closed=closed,
        )

    async def _admit(self, access: Access, subscription_id: UUID) -> None:
        limits = {
            f"weir:probes:{ONE.name}:{subscription_id}": ONE,
            f"weir:probes:{ALL.name}:{access.project_id}": ALL,
        }
        redis = await self._resources.redis()
        # One after the other: what is refused for the subscription is not taken from the project's others.
        for key, limit in limits.items():
            if wait := await self._windows.count(redis, {key: limit}):
                raise Problem(
                    TOO_MANY_REQUESTS,
                    f"A subscription may have {ONE.tries} test events a minute, a project {ALL.tries}."
                    f" Nothing was sent; go on in {wait} s.",
                    headers={"Retry-After": str(wait)},
                )

    async def _send(self, access: Access, row: "Record", event: "Event", identity: UUID) -> "Result":
        from shared.sending.message import Message
        from shared.sending.sender import unsent

        started = time.time()
        try:
            recipient = self._recipient(access, row)
            trial = Trial(recipient, Message(identity, event), identity)
            sender = self._opened()
            async with asyncio.timeout(SECONDS):
                if recipient.policy.batch_size > 1:
                    (result,) = await sender.attempt_batch([trial])
                else:
                    result = await sender.attempt(trial)
        except Unusable as error:
            return unsent(Outcome(error=str(error), verdict="dead"), started)
        except InvalidSecret as error:
            error_text = f"the subscription cannot be used: a signing secret {error}"
            return unsent(Outcome(error=error_text, verdict="dead"), started)
        except TimeoutError:
            return unsent(
                Outcome(error=f"no answer within {SECONDS:g} s, the most that a test waits"), started
            )
        return result

    def _recipient(self, access: Access, row: "Record") -> Recipient:
        """Raises Unusable."""
        from yarl import URL

        from shared.auth.sealing import UnsealError
        from shared.auth.sink_secrets import open_signing_secrets
        from shared.sending import special
        from shared.sending.binding import BindingSettings, read_binding

        binding = read_binding(os.environ, allowed=BindingSettings().bound_sink)
        if row["sink"] == K_SINK and binding.fault is not None:
            raise Unusable("the sink is env:K_SINK, an address that is only known where dispatch runs")
        try:
            policy = parse_policy(row["delivery"])
            secrets = open_signing_secrets(self._resources.settings.sealing, row["signing_secrets_sealed"])
            asked = special.special_of(row, policy, self._resources, binding) or special.Special(row["name"])
        except (InvalidPolicy, UnsealError, special.Unusable, msgspec.MsgspecError) as error:
            raise Unusable(f"the subscription cannot be used: {error}") from None
        sink: str = binding.url if row["sink"] == K_SINK else row["sink"]
        return Recipient(
            project_id=access.project_id,
            sink=sink,
            url=URL(sink, encoded=True),
            policy=replace(policy, timeout_seconds=min(policy.timeout_seconds, REQUEST_SECONDS)),
            secrets=secrets,
            # What it answers is shown; it is not taken in as an event of the project's.
            special=replace(asked, replies=False, shows_body=True),
        )

    async def _close_circuit(self, access: Access, row: "Record") -> bool:
        """Let dispatch know that the sink is well; whether it thought otherwise."""
        async with (await self._resources.of(access.project_id)).acquire() as conn, conn.transaction():
            if not await queries.found_well(conn, access.project_id, row["id"], row["version"]):
                return False
            shards = await queries.shards_waiting(conn, access.project_id, row["id"])
        if shards:
            self._resources.wake.shards(shards)
        return True

    def _opened(self) -> "Sender":
        if self._sender is None:
            from shared.http.addresses import AddressGuard
            from shared.http.client import OutboundClient
            from shared.http.descriptors import connections
            from shared.sending.sender import Sender

            guard = AddressGuard(self._resources.settings.sink_allow)
            client = OutboundClient(guard, connections=connections(CONNECTIONS, part=1 / 16))
            self._sender = sender = Sender(self._resources, client)

            async def close() -> None:
                await sender.close()
                await client.close()

            self._resources.at_close(close)
        return self._sender


def test_event(project: str, subscription_id: UUID, name: str, identity: UUID) -> "Event":
    """A `dev.weir.probe` of that subscription."""
    from shared.contracts.probe import Probe
    from shared.core.cloudevents import DataKind, Event

    data = Probe(project=project, subscription=str(subscription_id), name=name)
    return Event(
        "1.0",
        str(identity),
        f"/projects/{quote(project, safe='')}/subscriptions/{quote(name, safe='')}",
        Probe.TYPE,
        time=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        datacontenttype="application/json",
        data=data.model_dump_json(by_alias=True).encode(),
        data_kind=DataKind.JSON,
    )


def _deliverys(row: "Record") -> float | None:
    """How many seconds a delivery waits where that is more than a test does."""
    try:
        seconds = parse_policy(row["delivery"]).timeout_seconds
    except InvalidPolicy:
        return None
    return seconds if seconds > REQUEST_SECONDS else None


def _body(
    event: "Event", result: "Result", *, next_step: str | None, delivered: bool, circuit_closed: bool
) -> ProbeBody:
    from shared.core.cloudevents import to_json
    from shared.sending.shown import shown_answer, shown_connection, shown_request, shown_timings

    attempted = result.attempted
    detail: dict[str, Any] = msgspec.json.decode(attempted.detail) if attempted.detail else {}
    response = detail.get("response")
    return ProbeBody(
        delivered=delivered,
        started_at=datetime.fromtimestamp(attempted.started_at, UTC),
        duration_ms=attempted.duration_us / 1000,
        status_code=attempted.status_code,
        error=attempted.error,
        timings=shown_timings(detail),
        connection=shown_connection(detail),
        advice=None if delivered else next_step,
        event=msgspec.json.decode(to_json(event)),
        request=shown_request(detail["url"], detail["sent"], {}) if detail else None,
        response=None if response is None else shown_answer(response),
        circuit_closed=circuit_closed,
    )
