"""Many stored events with what became of them, made straight in the database: the shop of the pictures, over days.

    python -m tests.bench.stored --url postgresql://… --project NAME --events 1000000 [--days 10]

What is made is the same every time, apart from ids: customers who order, pay and get parcels, eight subscriptions of
which one has failed for an hour on each day. Events have facets and extensions; the newest is of now. No dispatcher
works on them. `tests/bench/explore.py` measures on them.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from shared.core.ids import delivery_id, identity
from tests.support.stream import NOBODYS

CHUNK = 10_000
PRODUCERS = ("producer:storefront", "producer:payments", "producer:warehouse")
TYPES = (
    ("com.acme.order.created", "/shop/eu-1", 29),
    ("com.acme.order.paid", "/payments/stripe", 27),
    ("com.acme.shipment.dispatched", "/wms/ber-2", 24),
    ("com.acme.cart.abandoned", "/shop/eu-1", 17),
    ("com.acme.payment.failed", "/payments/stripe", 2),
    ("com.acme.refund.issued", "/payments/stripe", 1),
)
COUNTRIES = (("DE", 41), ("FR", 22), ("NL", 17), ("SE", 9), ("NO", 4), ("AT", 4), ("PL", 3))
SUBSCRIPTIONS = ("billing-orders", "warehouse-reserve", "analytics-all", "crm-customer")
FAILING = SUBSCRIPTIONS.index("crm-customer")
EVERY = (2, 3, 1, 4)
"""Each how manyeth event a subscription gets."""

FAILING_SHARE = 24
"""Its sink fails during one of so many parts of a day, and two of three deliveries die there."""

STORED = (
    "uid", "identity", "project_id", "shard", "data_kind", "id", "source", "type", "specversion", "subject",
    "datacontenttype", "extensions", "data", "producer", "facets",
)  # fmt: skip

DELIVERED = (
    "id", "project_id", "event_uid", "subscription_id", "subscription_version", "shard", "status", "attempt_count",
    "next_attempt_at", "created_at", "ended_at", "last_status_code", "last_error", "first_started_at",
    "first_duration_us", "first_status_code", "first_error",
)  # fmt: skip


@dataclass(slots=True)
class Made:
    """What there is to look for: a few of the values that were stored."""

    uids: list[UUID] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    dead: list[UUID] = field(default_factory=list)
    subscriptions: list[UUID] = field(default_factory=list)


class Shop:
    """Makes rows of events and deliveries in the order of their time."""

    def __init__(self, project_id: UUID, count: int, days: int, until: datetime) -> None:
        self._project = project_id
        self._random = random.Random(7)
        self._end = int(until.timestamp() * 1000)
        self._step = days * 86_400_000 / count
        self._count = count
        self._types = [kind for kind in TYPES for _ in range(kind[2])]
        self._countries = [name for name, weight in COUNTRIES for _ in range(weight)]
        self.subscriptions = [uuid4() for _ in SUBSCRIPTIONS]
        self.made = Made(subscriptions=self.subscriptions)

    def chunks(self) -> Iterator[tuple[date, list[tuple[Any, ...]], list[tuple[Any, ...]]]]:
        """Rows of events and deliveries of one day, a piece at a time, the oldest first."""
        events: list[tuple[Any, ...]] = []
        deliveries: list[tuple[Any, ...]] = []
        day = None
        for number in range(self._count):
            ms = self._end - int((self._count - 1 - number) * self._step)
            here = ms // 86_400_000
            if events and (here != day or len(events) >= CHUNK):
                yield _date(day), events, deliveries
                events, deliveries = [], []
            day = here
            events.append(self._event(number, ms))
            deliveries.extend(self._deliveries(number, ms, events[-1][0]))
        if events:
            yield _date(day), events, deliveries

    def _event(self, number: int, ms: int) -> tuple[Any, ...]:
        chance = self._random
        kind, source, _ = self._types[chance.randrange(100)]
        order, customer = f"A-{number // 4:08d}", f"C-{chance.randrange(max(self._count // 20, 1)):07d}"
        country = self._countries[chance.randrange(100)]
        uid = UUID(int=(ms << 80) | (0x7 << 76) | (number & 0xFFF) << 64 | 1 << 63 | chance.getrandbits(62))
        event_id = f"evt-{number:09d}"
        subject = f"orders/{order}"
        facets = {"order": order, "country": country, "total": chance.randrange(1_000)}
        data = {**facets, "customer": customer, "channel": "web", "note": f"gift wrap {order} " + "x" * 120}
        if number % max(self._count // 200, 1) == 0:
            self.made.uids.append(uid)
            self.made.subjects.append(subject)
            self.made.ids.append(event_id)
            self.made.customers.append(customer)
        values: dict[str, Any] = {
            "uid": uid,
            "identity": identity(self._project, source, event_id),
            "project_id": self._project,
            "shard": NOBODYS,
            "data_kind": 1,
            "id": event_id,
            "source": source,
            "type": kind,
            "specversion": "1.0",
            "subject": subject,
            "datacontenttype": "application/json",
            "extensions": {"partitionkey": customer, "traceparent": f"00-{uid.hex}-{uid.hex[:16]}-01"},
            "data": msgspec.json.encode(data),
            "producer": PRODUCERS[number % 3],
            "facets": facets,
        }
        return tuple(values[column] for column in STORED)

    def _deliveries(self, number: int, ms: int, uid: UUID) -> Iterator[tuple[Any, ...]]:
        received = datetime.fromtimestamp(ms / 1000, UTC)
        fails = (ms % 86_400_000) * FAILING_SHARE // 86_400_000 == FAILING_SHARE // 2
        for place, (subscription, every) in enumerate(zip(self.subscriptions, EVERY, strict=True)):
            if number % every:
                continue
            dead = fails and place == FAILING and number % (3 * every) != 0
            ended = received + (timedelta(minutes=5) if dead else timedelta(milliseconds=40 + number % 80))
            made = delivery_id(uid, subscription)
            if dead and len(self.made.dead) < 200:
                self.made.dead.append(made)
            code, error = (503, "upstream pool exhausted") if dead else (202, None)
            status, attempts = ("dead", 7) if dead else ("delivered", 1)
            yield (
                *(
                    made,
                    self._project,
                    uid,
                    subscription,
                    1,
                    NOBODYS,
                    status,
                    attempts,
                    None,
                    received,
                    ended,
                ),
                *(code, error, received, 30_000, code, error),
            )


async def fill(connection: asyncpg.Connection, project_id: UUID, count: int, days: int) -> Made:
    """Store them, up to now, and have the database know of them as it does when it has run for days."""
    await _set_codec(connection)
    now = datetime.now(UTC)
    shop = Shop(project_id, count, days, now)
    await connection.execute(
        "SELECT ensure_partitions($1, $2)", (now - timedelta(days=days)).date(), now.date()
    )
    for subscription, name in zip(shop.subscriptions, SUBSCRIPTIONS, strict=True):
        sink = f"http://{name}.test/"
        await connection.execute(
            "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery)"
            " VALUES ($1, $2, $3, '[]', $4, '{}')",
            subscription, project_id, name, sink,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)"
            " VALUES ($1, 1, $2, $3, '[]', $4)",
            subscription, project_id, name, sink,
        )  # fmt: skip
    for day, events, deliveries in shop.chunks():
        await connection.copy_records_to_table(f"events_p{day:%Y%m%d}", records=events, columns=STORED)
        await connection.copy_records_to_table(
            f"deliveries_p{day:%Y%m%d}", records=deliveries, columns=DELIVERED
        )
    await settle(connection, now.date())
    return shop.made


async def settle(connection: asyncpg.Connection, today: date) -> None:
    """What housekeeping and Postgres do in the course of days: index those that are over, and count."""
    await connection.execute("VACUUM (ANALYZE) events, deliveries")
    await connection.fetchval("SELECT summarize_events('2000-01-01')")
    await connection.fetchval("SELECT index_days($1, 10000)", today)


async def _set_codec(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: (
            b"\x01" + (value.encode() if isinstance(value, str) else msgspec.json.encode(value))
        ),
        decoder=lambda data: msgspec.json.decode(data[1:]),
    )


def _date(day: int | None) -> date:
    return datetime.fromtimestamp((day or 0) * 86_400, UTC).date()


async def _main(chosen: argparse.Namespace) -> None:
    connection = await asyncpg.connect(chosen.url, command_timeout=3600)
    try:
        project = await connection.fetchval("SELECT id FROM projects WHERE name = $1", chosen.project)
        if project is None:
            raise SystemExit(f"there is no project {chosen.project}")
        started = time.perf_counter()
        await fill(connection, project, chosen.events, chosen.days)
        print(f"{chosen.events:,} events in {time.perf_counter() - started:,.0f} s")
    finally:
        await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--project", required=True)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=10)
    asyncio.run(_main(parser.parse_args()))
