"""Telling others what is known of sinks that are unwell, and heeding what they know."""

import time
from datetime import UTC, datetime

from events.dispatch import queries
from events.dispatch.gate import Gate
from events.dispatch.gates import Gates
from shared.runtime.metrics import METRICS
from shared.runtime.resources import Resources

TOLD_SECONDS = 30.0
"""How long what was told counts, if the process that told it is not heard of again."""

AGAIN_SECONDS = 10.0

OPEN = METRICS.gauge("weir_sinks_open", "Sinks that get nothing for now: circuits open or half open.")
REDUCED = METRICS.gauge("weir_sinks_reduced", "Sinks that get fewer requests at once than was asked for.")
TURNS = METRICS.counter(
    "weir_sink_circuit_total", "How often circuits of sinks changed their state.", ("state",)
)


class SinkHealth:
    """Writes what this process knows to `sink_health`, and holds back what others found unwell."""

    def __init__(self, resources: Resources, owner: str, gates: Gates) -> None:
        self._resources = resources
        self._owner = owner
        self._gates = gates
        self._told_at = 0.0

    async def heed(self) -> None:
        """Learn what others know; comes before anything is sent."""
        now = time.monotonic()
        rows = await queries.holds(await self._resources.pg(), self._owner)
        self._gates.found_well(
            {row["subscription_id"]: now - ago for row in rows if (ago := row["well_ago"]) is not None}
        )
        self._gates.hold(
            {row["subscription_id"]: now + wait for row in rows if (wait := row["seconds"]) is not None}
        )

    async def exchange(self) -> None:
        """Learn what others know, and tell what has changed: not that of a sink that was found well since."""
        await self.heed()
        await self._tell()

    async def clear(self) -> None:
        """Take back what was told, but for what a sink asked for: whoever comes next must keep to that."""
        ids = [gate.subscription.id for gate in self._gates.unwell() if gate.health.state != "open"]
        if ids:
            await queries.drop_health(await self._resources.pg(), self._owner, ids)

    async def _tell(self) -> None:
        gates = self._gates.unwell()
        OPEN.set(to=sum(gate.health.state != "closed" for gate in gates))
        REDUCED.set(to=sum(gate.health.in_flight_limit is not None for gate in gates))
        again = (now := time.monotonic()) - self._told_at > AGAIN_SECONDS
        news: list[Gate] = []
        plain: list[Gate] = []
        for gate in gates:
            health = gate.health
            if (before := gate.reported) is None or before.state != health.state:
                TURNS.add(health.state)
            if health.is_plain:
                plain.append(gate)
            elif again or not health.is_like(before):
                news.append(gate)
        if again:
            self._told_at = now
        if not news and not plain:
            return
        pool = await self._resources.pg()
        if news:
            told = [(gate, gate.health) for gate in news]
            await queries.tell_health(
                pool,
                self._owner,
                [
                    (
                        gate.subscription.id,
                        gate.subscription.version,
                        health.state,
                        _moment(health.since),
                        None if health.until is None else _moment(health.until),
                        health.reason,
                        health.in_flight_limit,
                        TOLD_SECONDS,
                    )
                    for gate, health in told
                ],
            )
            for gate, health in told:
                gate.reported = health
        if plain:
            await queries.drop_health(pool, self._owner, [gate.subscription.id for gate in plain])
            for gate in plain:
                gate.reported = None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
