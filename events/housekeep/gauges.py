"""What the database says of everybody's work, looked up when somebody asks for metrics.

Functions that rest at zero count nothing, and what they have counted goes with them. The state that matters is in
Postgres; this process, which the request itself wakes, shows it.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from events.housekeep import measures
from events.housekeep.settings import HousekeepSettings
from shared.core.ids import floor
from shared.runtime.metrics import METRICS, Gauge
from shared.runtime.resources import Resources

FRESH_SECONDS = 5.0
"""Who asks sooner gets the same: several scrapers cost the database as much as one."""

TIMEOUT_SECONDS = 8.0
DAY = timedelta(days=1)

UP = METRICS.gauge("weir_database_up", "Whether the figures from the database could be looked up.")
UNREAD = METRICS.gauge(
    "weir_unread_events", "Events that dispatch has not read yet, as far as 10,000 of each shard."
)
UNREAD_AGE = METRICS.gauge("weir_unread_seconds", "How long the oldest of them has been waiting.")
UNOWNED = METRICS.gauge("weir_shards_unowned", "Shards with events older than 30 s that nobody works on.")
OVERDUE = METRICS.gauge(
    "weir_overdue_seconds",
    "For how long the delivery that is most overdue has been, of those whose sink is not held against.",
)
RETRYING = METRICS.gauge("weir_deliveries_retrying", "Deliveries between attempts, as far as 100,000.")
DEAD = METRICS.gauge("weir_dead_letters_day", "Dead letters of events of the last 24 hours.")
CIRCUITS = METRICS.gauge("weir_circuits_open", "Subscriptions whose sink gets nothing for now.")
DAYS_AHEAD = METRICS.gauge("weir_partition_days_ahead", "How many days after today have their partitions.")
BYTES = METRICS.gauge("weir_database_bytes", "Size of the database.")
LIMIT = METRICS.gauge("weir_database_limit_bytes", "How large it may become: WEIR_DATABASE_LIMIT_BYTES.")
CONNECTIONS = METRICS.gauge(
    "weir_database_connections", "Connections to the server, and how many it allows.", ("state",)
)
REPLICA = METRICS.gauge(
    "weir_replica_lag_seconds", "How far the slowest replica is behind, where there is one."
)
TICK = METRICS.gauge("weir_tick_age_seconds", "Since the tick last came to a handler.", ("function",))
CERTIFICATE = METRICS.gauge(
    "weir_client_certificate_seconds", "Until the first client certificate of a subscription expires."
)
WAITING = METRICS.gauge(
    "weir_retention_waiting_days",
    "Days of projects whose retention is over and that are still there, by what they wait for.",
    ("reason",),
)
REASONS = ("archive", "store", "deliveries", "unread")
KEYS = METRICS.gauge("weir_api_keys_expiring", "API keys in use that expire within a week.")

FROM_DATABASE: tuple[Gauge, ...] = (
    *(UNREAD, UNREAD_AGE, UNOWNED, OVERDUE, RETRYING, DEAD, CIRCUITS, DAYS_AHEAD, BYTES, CONNECTIONS),
    *(REPLICA, TICK, WAITING, CERTIFICATE, KEYS),
)

logger = logging.getLogger("weir.housekeep")


class Gauges:
    """Sets the gauges above, or clears them and says that the database is not up."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._limit = HousekeepSettings().database_limit_bytes
        self._measured_at = float("-inf")
        self._measuring = asyncio.Lock()

    async def measure(self) -> None:
        """Look everything up, unless that was done right before."""
        if self._limit is not None:
            LIMIT.set(to=self._limit)
        async with self._measuring:
            if time.monotonic() - self._measured_at < FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await self._look()
            except Exception as error:
                # Whatever is wrong with the database must not hide the metrics that tell.
                logger.warning("figures cannot be looked up: %s: %s", type(error).__name__, error)
                for gauge in FROM_DATABASE:
                    gauge.clear()
                UP.set(to=0)
            else:
                UP.set(to=1)
            # Of a failure too: scrapers that wait for each other's time-outs would get nothing at all.
            self._measured_at = time.monotonic()

    async def _look(self) -> None:
        now = datetime.now(UTC)
        async with (await self._resources.pg()).acquire(timeout=2) as connection:
            unread = await measures.unread(connection)
            server = await measures.server(connection)
            OVERDUE.set(to=await measures.overdue_seconds(connection))
            RETRYING.set(to=await measures.retrying(connection))
            DEAD.set(to=await measures.dead_since(connection, floor(int((now - DAY).timestamp() * 1000))))
            ticks = await measures.ticks(connection)
            days = await measures.partition_days(connection)
            waiting = await measures.waiting(connection)
            certificates = await measures.certificates(connection)
        UNREAD.set(to=sum(row["unread"] for row in unread))
        oldest = [row["seconds"] for row in unread if row["seconds"] is not None]
        UNREAD_AGE.set(to=max(oldest, default=0.0))
        UNOWNED.set(to=sum(not row["owned"] and (row["seconds"] or 0) > 30 for row in unread))
        CIRCUITS.set(to=server["circuits"])
        BYTES.set(to=server["bytes"])
        CONNECTIONS.set("used", to=server["connections"])
        CONNECTIONS.set("limit", to=server["connection_limit"])
        KEYS.set(to=server["keys"])
        if server["replica_lag"] is not None:
            REPLICA.set(to=server["replica_lag"])
        else:
            REPLICA.clear()
        for row in ticks:
            TICK.set(row["function"], to=row["seconds"])
        for reason in REASONS:
            WAITING.set(reason, to=waiting.get(reason, 0))
        DAYS_AHEAD.set(to=_ahead(days, now))
        self._expire(certificates, now)

    @staticmethod
    def _expire(certificates: list[str], now: datetime) -> None:
        from shared.core.client_certificates import InvalidCertificate, read_certificate

        ends: list[float] = []
        for certificate in certificates:
            try:
                ends.append((read_certificate(certificate).expires_at - now).total_seconds())
            except InvalidCertificate:
                continue  # whoever uses it is told by its deliveries
        CERTIFICATE.clear()
        if ends:
            CERTIFICATE.set(to=min(ends))


def _ahead(days: set[str], now: datetime) -> int:
    """How many days after today follow one another without a gap; -1 where today's is missing."""
    ahead = -1
    while f"{now + (ahead + 1) * DAY:%Y%m%d}" in days:
        ahead += 1
    return ahead
