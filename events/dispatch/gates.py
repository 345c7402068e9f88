"""The gates of all subscriptions that have something on its way."""

import time
from uuid import UUID

from events.dispatch.gate import Gate, Surroundings
from events.dispatch.subscriptions import Subscription

KNOWN = 1_000
"""With more gates than this, those of which there is nothing to remember are let go now and then."""


class Gates:
    """The gates of all subscriptions that have something on its way."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._gates: dict[UUID, Gate] = {}
        self._holds: dict[UUID, float] = {}
        self._most = KNOWN

    def of(self, subscription: Subscription) -> Gate:
        """The gate of `subscription`, which works by its newest version from now on."""
        gate = self._gates.get(subscription.id)
        if gate is None:
            if len(self._gates) > self._most:
                self._forget()
            gate = self._gates[subscription.id] = Gate(self.around, subscription)
            if (until := self._holds.get(subscription.id)) is not None:
                gate.hold(until)
        gate.follow(subscription)
        return gate

    def find(self, subscription_id: UUID) -> Gate | None:
        """The gate of that subscription, if it had anything lately."""
        return self._gates.get(subscription_id)

    def hold(self, holds: dict[UUID, float]) -> None:
        """Start nothing for these subscriptions before the moment (monotonic) that comes with each."""
        self._holds = holds
        for subscription_id, until in holds.items():
            if (gate := self._gates.get(subscription_id)) is not None:
                gate.hold(until)

    def found_well(self, moments: dict[UUID, float]) -> None:
        """The sinks of these subscriptions took a test at the moment (monotonic) that comes with each."""
        for subscription_id, moment in moments.items():
            if (gate := self._gates.get(subscription_id)) is not None:
                gate.found_well(moment)

    def held_for(self, subscription_id: UUID) -> float:
        """In how many seconds something may be started for a subscription that has no gate yet."""
        until = self._holds.get(subscription_id)
        return 0.0 if until is None else max(0.0, until - time.monotonic())

    def unwell(self) -> list[Gate]:
        """Those of which there is something to tell, or was."""
        return [gate for gate in self._gates.values() if gate.reported or not gate.health.is_plain]

    def cancel(self) -> None:
        """End everything."""
        for gate in self._gates.values():
            gate.cancel()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        for gate in list(self._gates.values()):
            await gate.settle()

    def _forget(self) -> None:
        self._gates = {key: gate for key, gate in self._gates.items() if not gate.is_idle or gate.saturated}
        self._most = max(
            KNOWN, 2 * len(self._gates)
        )  # so that each is looked at seldom, however many there are
