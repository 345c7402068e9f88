"""Producers and a receiver on this machine, beside a test that waits for kubectl."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, Self, TypeVar
from uuid import uuid4

from tests.knative.cluster import Cluster
from tests.knative.subscribing import subscribed
from tests.knative.waiting import eventually
from tests.support.projects import Project
from tests.torture.load import Load
from tests.torture.sinks import OrderedReceiver

T = TypeVar("T")
UNPACED = 100_000.0


class Beside:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 120) -> T:
        """The outcome of `work`, done there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)


class Traffic:
    """`with Traffic(weir, project) as traffic`: one subscription whose order counts, and its receiver.

    The receiver answers each request after `work_seconds`, and one event in forty with 503 the first time: those
    behind it have to wait for its retry.
    """

    def __init__(
        self, weir: Cluster, project: Project, *, work_seconds: float = 0.01, **delivery: object
    ) -> None:
        self._weir = weir
        self._project = project
        self._delivery = {
            "ordering": "partitionkey",
            "backoffDelay": "PT0.2S",
            "timeout": "PT10S",
            **delivery,
        }
        self._beside = Beside()
        self._open = ExitStack()
        self._load: Load | None = None
        self.receiver = OrderedReceiver(work_seconds)

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(self._beside)
            self._beside.run(self.receiver.__aenter__())
            opening.callback(lambda: self._beside.run(self.receiver.__aexit__()))
            sink = opening.enter_context(self._weir.exposed(self.receiver.url))
            opening.enter_context(subscribed(self._weir, self._project, sink, **self._delivery))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def load(self) -> Load:
        """What is being sent."""
        assert self._load is not None
        return self._load

    def send(self, events: int | None = None, *, rate: float = UNPACED) -> None:
        """Send from now on: so many, or until `whole`."""
        load = self._load = Load(
            f"{self._weir.gateway}/in/{self._project.name}",
            self._project.key,
            rate,
            limit=events,
            host=self._weir.host("ingest"),
            source=f"/tests/{uuid4()}",  # the events of another test would be copies of these
        )

        async def start() -> None:
            load.start()

        self._beside.run(start())

    def whole(self, seconds: float = 120) -> int:
        """Wait until all have been acknowledged that were to be sent; how many that are."""
        work = self.load.whole() if self.load.is_bounded else self.load.end()
        self._beside.run(work, seconds)
        return len(self.load.acknowledged)

    def delivered(self, seconds: float) -> None:
        """Wait until all that was acknowledged has been accepted by the receiver: nothing is lost."""

        def check() -> bool:
            return self.load.acknowledged.keys() <= self.receiver.arrived.keys()

        try:
            eventually("every event", check, seconds)
        except AssertionError as error:
            missing = self.load.acknowledged.keys() - self.receiver.arrived.keys()
            raise AssertionError(f"{error}: {len(missing)} are missing, as {sorted(missing)[:5]}") from error
