"""Answers that are events: taken in again as the project's own (Knative data plane, Derived (Reply) Events)."""

import asyncio
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import Field

from shared.core.cloudevents import Event, InvalidEvent, UnsupportedFormat, parse
from shared.core.problems import Problem
from shared.http.client import Answer
from shared.intake.committer import Committer
from shared.intake.rows import Stored
from shared.intake.settings import IntakeSettings, structured_bytes
from shared.intake.types import Types
from shared.runtime.environment import FromEnvironment
from shared.runtime.resources import Resources

HOPS = "weirhops"
"""The extension that counts how many replies led to an event, from the first that was none."""

MOST_INTEGER = 2**31 - 1
STORE_SECONDS = 20.0

logger = logging.getLogger("weir.dispatch")


class ReplySettings(FromEnvironment):
    """`reply_max_hops` is how many replies may follow one another before they are taken for a loop."""

    reply_max_hops: int = Field(default=16, ge=0, le=1000)


class ReplyRefused(Exception):
    """What came back says that it is an event and is not one that can be stored: the delivery has failed."""


class LoopCut(Exception):
    """The reply is one too many after one another: it is not stored, and the delivery is delivered."""


class Replies:
    """Stores the replies of one process by the commits that they share."""

    def __init__(self, resources: Resources) -> None:
        settings = IntakeSettings()
        self._committer = Committer(resources, settings)
        self._types = Types(resources)
        self._most = settings.event_max_bytes
        self._hops = ReplySettings().reply_max_hops

    @property
    def body_bytes(self) -> int:
        """How much of an answer has to be read."""
        return structured_bytes(self._most)

    async def take(self, answer: Answer, cause: Event, project_id: UUID, subscription: str) -> Stored | None:
        """Store the event in a 200 to a delivery of `cause`; None when the answer does not say that it is one.

        Raises ReplyRefused when it cannot be stored, LoopCut.
        """
        event = read_reply(answer)
        if event is None:
            return None
        if event.data is not None and len(event.data) > self._most:
            raise ReplyRefused(f"the reply has more than {self._most} bytes of data")
        event = caused(event, cause, self._hops)
        try:
            async with asyncio.timeout(STORE_SECONDS):
                notes = await self._types.note(project_id, event)
                (stored,) = await self._committer.store(project_id, f"reply:{subscription}", (event,), notes)
        except Problem as problem:
            faults = "; ".join(f"{fault.pointer} {fault.detail}" for fault in problem.errors)
            raise ReplyRefused(f"the reply was not stored: {faults or problem.detail}"[:500]) from problem
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("a reply was not stored", exc_info=error)
            raise ReplyRefused(f"the reply was not stored: {type(error).__name__}") from error
        return stored


def read_reply(answer: Answer) -> Event | None:
    """The event in an answer; None where neither Content-Type nor a `ce-` header says that there is one.

    Raises ReplyRefused for what says so and is none.
    """
    content_type = (answer.header(b"content-type") or "").lower()
    if not content_type.startswith("application/cloudevents") and not any(
        name[:3].lower() == b"ce-" for name, _ in answer.headers
    ):
        return None
    if answer.truncated:
        raise ReplyRefused("the reply is longer than an event may be")
    try:
        return parse(answer.headers, answer.body)
    except (InvalidEvent, UnsupportedFormat) as error:
        raise ReplyRefused(f"the reply is no CloudEvent: {error.detail}"[:500]) from None


def caused(event: Event, cause: Event, most: int) -> Event:
    """`event` with what made it said: the hops so far, and the cause's `id` as `causationid` if it names none.

    Raises LoopCut after `most` hops.
    """
    hops = hops_of(cause) + 1
    if hops > most:
        raise LoopCut(
            f"the reply was not taken in: it is the {hops}th after another ({HOPS}), so this is taken for a loop"
        )
    extensions: dict[str, Any] = {"causationid": cause.id, **event.extensions, HOPS: hops}
    return replace(event, extensions=extensions)


def hops_of(event: Event) -> int:
    """How many replies led to `event`; 0 where it does not say, or says nonsense."""
    said = event.extensions.get(HOPS)
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= 10:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int) or said < 0:
        return 0
    return min(said, MOST_INTEGER - 1)
