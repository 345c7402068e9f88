"""The gates of all subscriptions that have something on its way."""

import time
from uuid import UUID

from events.dispatch.gate import Gate, Surroundings
from events.dispatch.subscriptions import Subscription
from events.dispatch.work import Job

KNOWN = 1_000
"""With more gates than this, those of which there is nothing to remember are let go now and then."""


class Gates:
    """The gates of all subscriptions that have something on its way."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.around_dead_letters = Surroundings(around.run, around.share)
        self._gates: dict[UUID, Gate] = {}
        self._of_dead_letters: dict[UUID, Gate] = {}
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

    def of_dead_letters(self, subscription: Subscription) -> Gate:
        """The gate of its dead letters: they go to another sink, which has nothing to do with what is known of the first."""
        gate = self._of_dead_letters.get(subscription.id)
        if gate is None:
            if len(self._of_dead_letters) > self._most:
                self._forget()
            gate = self._of_dead_letters[subscription.id] = Gate(self.around_dead_letters, subscription)
        gate.follow(subscription)
        return gate

    def of_job(self, job: Job) -> Gate:
        """The gate that `job` goes through."""
        return (
            self.of(job.subscription) if job.dead_letter is None else self.of_dead_letters(job.subscription)
        )

    def find(self, subscription_id: UUID, *, dead_letters: bool = False) -> Gate | None:
        """The gate of that subscription, or of its dead letters, if it had anything lately."""
        return (self._of_dead_letters if dead_letters else self._gates).get(subscription_id)

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
        """Those of subscriptions of which there is something to tell, or was."""
        return [gate for gate in self._gates.values() if gate.reported or not gate.health.is_plain]

    def cancel(self) -> None:
        """End everything."""
        for gate in self._all():
            gate.cancel()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        for gate in self._all():
            await gate.settle()

    def _all(self) -> list[Gate]:
        return [*self._gates.values(), *self._of_dead_letters.values()]

    def _forget(self) -> None:
        self._gates, self._of_dead_letters = _known(self._gates), _known(self._of_dead_letters)
        # So that each is looked at seldom, however many there are.
        self._most = max(KNOWN, 2 * len(self._gates), 2 * len(self._of_dead_letters))


def _known(gates: dict[UUID, Gate]) -> dict[UUID, Gate]:
    return {key: gate for key, gate in gates.items() if not gate.is_idle or gate.saturated}
