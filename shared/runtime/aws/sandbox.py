"""One function for as long as Lambda keeps its process: the loop, the stores, and what happens around each call."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from mangum.types import LambdaContext

from shared.runtime import load
from shared.runtime.aws.carriers import carrier_from_environment
from shared.runtime.aws.observing import Observer
from shared.runtime.browser import transport_headers
from shared.runtime.function import Function
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings

THAW_SECONDS = 5.0
"""After a pause of that length connections are looked at before they are used."""

DRIFT_SECONDS = 1.0
WAKE_SECONDS = 5.0
"""How long a queue or a bus may take to answer, and half of what is left of the time: the answer is still to go out."""

logger = logging.getLogger("weir")


@dataclass(frozen=True, slots=True)
class Moment:
    """The same moment by two clocks, in seconds: the world's, and the one that what is remembered goes by."""

    world: float
    process: float

    @classmethod
    def now(cls) -> "Moment":
        """The present one."""
        return cls(time.time(), time.monotonic())

    def until(self, later: "Moment") -> "Pause":
        """What lies between."""
        return Pause(later.world - self.world, later.process - self.process)


@dataclass(frozen=True, slots=True)
class Pause:
    """How long a sandbox stood still, by both clocks."""

    world: float
    process: float

    @property
    def was_long(self) -> bool:
        """Whether connections may have died in it."""
        return max(self.world, self.process) > THAW_SECONDS

    @property
    def was_not_noticed(self) -> bool:
        """Whether the process's clock stood still as well: then what is remembered is older than it looks."""
        return self.world - self.process > DRIFT_SECONDS


class Sandbox:
    """Calls one function. Its loop and its stores outlive a call; between two the process is frozen.

    So before the answer everything is sent that would be sent in a moment, and afterwards connections that
    died meanwhile are replaced.
    """

    def __init__(
        self, function: Function, settings: Settings, observer: Observer, base_path: str = ""
    ) -> None:
        self._function = function
        self._settings = settings
        self._observer = observer
        self._base_path = base_path
        self.loop = asyncio.new_event_loop()
        self._rested: Moment | None = None
        asyncio.set_event_loop(self.loop)  # or Mangum would make one of its own
        self._open()

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> Any:
        """Answer one invocation. Raises what is to be tried again."""
        asyncio.set_event_loop(self.loop)  # where Mangum and Powertools look for it
        if self._rested is not None:
            self._thaw(self._rested.until(Moment.now()))
        try:
            return self._observer.observe(self._call, event, context)
        finally:
            left = context.get_remaining_time_in_millis() / 1000
            self.loop.run_until_complete(self.resources.settle(min(WAKE_SECONDS, left / 2)))
            self._rested = Moment.now()

    def close(self) -> None:
        """Let go of everything."""
        self.loop.run_until_complete(self.resources.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def _open(self) -> None:
        self.resources = Resources(self._settings)
        self.resources.wake.carrier = carrier_from_environment()
        # Frozen, it could not hear; what was said meanwhile would only come late, and Redis would have to keep it.
        self.resources.cache.listens = False
        if self._function.is_handler:
            from shared.runtime.aws.handling import Handling

            self._call: Any = Handling(
                self._function,
                self.resources,
                lambda: load.handler(self._function, self.resources),
                self.loop,
                self._observer,
            )
        else:
            from shared.runtime.aws.http import Endpoint

            endpoint = Endpoint(
                load.application(self._function, self.resources),
                self._base_path,
                transport_headers(self._settings.public_url, self._settings.hsts_seconds),
            )

            def answer(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
                answered = endpoint(event, context)
                if answered["statusCode"] >= 500:
                    self._observer.count("Failures")
                return answered

            self._call = answer

    def _thaw(self, pause: Pause) -> None:
        """Make good what a pause has done."""
        if pause.was_not_noticed:
            logger.info("the clock stood still for %.0f s: starting afresh", pause.world - pause.process)
            self.loop.run_until_complete(self.resources.close())
            self._open()
            return
        # Twice: what has come is read in the first round, and a connection that was closed is gone in the second.
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(asyncio.sleep(0))
        if pause.was_long:
            self.loop.run_until_complete(self.resources.revive())
