"""An event handler on Lambda: batches of SQS by Powertools, single events of EventBridge and schedules.

A sandbox stands still between invocations. So a handler lives for one: what it holds (leases, subscriptions,
connections to sinks) is given back before the answer, and the next one starts afresh.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from mangum.types import LambdaContext

from shared.runtime.aws.observing import Observer
from shared.runtime.aws.payloads import Unreadable, event_in, event_of
from shared.runtime.function import Function
from shared.runtime.handler import Handler, OwnEvent
from shared.runtime.resources import Resources

DRAIN_SECONDS = 25.0
"""How long before the time is up a handler is told to come to an end; at most half of the time there is."""

QUEUE = "aws:sqs"

logger = logging.getLogger("weir")


class OutOfTime(Exception):
    """An event was not done when the function's time was nearly up, and nobody else could be told of it."""


class Handling:
    """Runs one function's handler on payloads, on `loop`, which is the calling thread's current one."""

    def __init__(
        self,
        function: Function,
        resources: Resources,
        make: Callable[[], Handler],
        loop: asyncio.AbstractEventLoop,
        observer: Observer,
    ) -> None:
        self._function = function
        self._resources = resources
        self._make = make
        self._loop = loop
        self._observer = observer

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
        """Handle a payload. The answer to a batch names the messages that are to come again.

        Raises for a single event what its handler raised: then Lambda calls again.
        """
        left = context.get_remaining_time_in_millis() / 1000
        work = Work(
            self._function, self._resources, self._make(), left - min(DRAIN_SECONDS, left / 2), self._observer
        )
        try:
            records = event.get("Records") if isinstance(event, dict) else None
            if records and records[0].get("eventSource") == QUEUE:
                return self._batch(event, records, work)
            self._loop.run_until_complete(work.do(lambda: event_of(event)))
            return None
        finally:
            self._loop.run_until_complete(work.end())

    def _batch(self, event: dict[str, Any], records: list[dict[str, Any]], work: "Work") -> dict[str, Any]:
        async def one(record: SQSRecord) -> None:
            await work.do(lambda: event_in(record.body), record.message_id)

        # A queue with an order: one after the other, and after a failure nothing more of its group.
        if records[0]["eventSourceARN"].endswith(".fifo"):
            in_order = SqsFifoPartialProcessor(skip_group_on_error=True)
            in_order.raise_on_entire_batch_failure = False

            def next_one(record: SQSRecord) -> None:
                self._loop.run_until_complete(one(record))

            return dict(process_partial_response(event, next_one, in_order))
        at_once = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(async_process_partial_response(event, one, at_once))


class Work:
    """One invocation's events, and the end of its time."""

    def __init__(
        self, function: Function, resources: Resources, handler: Handler, seconds: float, observer: Observer
    ) -> None:
        self._function = function
        self._resources = resources
        self._handler = handler
        self._seconds = seconds
        self._observer = observer
        self._until: float | None = None
        self._ending: asyncio.Task[None] | None = None

    async def do(self, read: Callable[[], OwnEvent], message: str | None = None) -> None:
        """Handle the event that `read` gives; what is no event for this function is logged and done with.

        When the time is nearly up the handler is drained, and what it leaves is sent again, for another invocation.
        Raises what the handler raises, and OutOfTime.
        """
        try:
            event = read()
            if event["type"] not in self._function.on:
                raise Unreadable(f"{self._function.name} does not handle {event['type']}")  # noqa: TRY301
        except Unreadable as error:
            self._observer.count("Unreadable")
            logger.error("message %s is dropped: %s", message or "", error)  # noqa: TRY400 the place says nothing
            return
        self._observer.count("Events")
        try:
            await self._handle(event)
        except Exception:
            self._observer.count("Failures")
            logger.exception("handling %s failed, it comes again", event["type"])
            raise

    async def _handle(self, event: OwnEvent) -> None:
        loop = asyncio.get_running_loop()
        if self._until is None:
            self._until = loop.time() + self._seconds
        handling = loop.create_task(self._handler.handle(event))
        done, _ = await asyncio.wait((handling,), timeout=max(0.0, self._until - loop.time()))
        if done:
            return handling.result()
        logger.info("the time is nearly up: %s is handed over", event["type"])
        await self.end()
        if not handling.done():
            handling.cancel()
        await asyncio.wait((handling,))
        carrier = self._resources.wake.carrier
        if carrier is None or not await carrier.send(event["type"], event["data"]):
            raise OutOfTime(f"{event['type']} was not done in time: give the function more of it")
        self._observer.count("HandedOver")
        return None

    async def end(self) -> None:
        """Drain the handler, once."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._drain())
        await asyncio.shield(self._ending)

    async def _drain(self) -> None:
        try:
            await self._handler.drain()
        except Exception:
            logger.exception("the handler could not end in order")
