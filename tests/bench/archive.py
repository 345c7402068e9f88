"""What an archived event weighs and how fast it is written, read and found: `python -m tests.bench.archive`.

With pyarrow beside (`uv run --with pyarrow python -m tests.bench.archive`) Parquet is measured on the same events.
"""

import argparse
import io
import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

from shared.archive import zstd
from shared.archive.lines import write_line
from shared.archive.parts import PartWriter, lines_of, read_index
from shared.core.ids import floor

Row = dict[str, Any]
TYPES = [
    f"com.shop.{a}.{b}"
    for a in ("order", "cart", "payment", "parcel")
    for b in ("created", "changed", "gone")
]
WORDS = [
    "parcel",
    "left",
    "right",
    "customer",
    "asks",
    "for",
    "another",
    "address",
    "please",
    "ring",
    "twice",
    "thank",
    "you",
    "before",
    "noon",
    "today",
]
BECAME = {
    "status": "delivered",
    "subscriptionName": "crm",
    "attemptCount": 1,
    "lastStatusCode": 200,
    "lastError": None,
}


def rows(count: int) -> Iterator[Row]:
    """Events of a shop, about a kibibyte each."""
    chance = random.Random(1)
    for number in range(count):
        items = [
            {
                "sku": f"S{chance.randrange(5000)}",
                "qty": chance.randrange(9),
                "name": " ".join(chance.choices(WORDS, k=4)),
            }
            for _ in range(chance.randrange(1, 8))
        ]
        customer = f"c-{chance.randrange(100_000)}"
        note = " ".join(chance.choices(WORDS, k=30))
        data = {
            "order": f"A-{number}",
            "customer": customer,
            "amount": chance.randrange(10**6) / 100,
            "items": items,
            "note": note,
        }
        yield {
            "uid": UUID(int=floor(1_764_000_000_000 + number).int | 0x7 << 76 | chance.getrandbits(60)),
            "specversion": "1.0",
            "id": str(UUID(int=chance.getrandbits(128))),
            "source": f"/shop/{number % 7}",
            "type": chance.choice(TYPES),
            "subject": customer,
            "time": "2026-11-01T10:00:00Z",
            "datacontenttype": "application/json",
            "dataschema": None,
            "extensions": {
                "traceparent": f"00-{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}-01"
            },
            "data": json.dumps(data).encode(),
            "data_kind": 1,
            "producer": "key:abcdefabcdef",
            "facets": {"order": f"A-{number}"},
            "schema_fault": None,
        }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what `work` gave."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def said(name: str, count: int, size: int, write: float, read: float, find: float) -> None:
    print(f"| {name} | {size / count:.0f} | {count / write:,.0f} | {count / read:,.0f} | {find * 1000:.1f} |")


def lines(events: list[Row], level: int) -> None:
    """As Weir archives them."""
    zstd.LEVEL = level

    def write() -> list[tuple[Any, bytes]]:
        parts, writer = [], PartWriter()
        for row in events:
            text = write_line(row, "2026-11-01T10:00:00.000Z", [{**BECAME, "id": str(uuid4())}])
            writer.add(row["uid"], text, event_type=row["type"], event_id=row["id"], subject=row["subject"])
            if writer.is_full:
                parts.append(writer.end(len(parts) + 1, "key"))
                writer = PartWriter()
        return parts if writer.is_empty else [*parts, writer.end(len(parts) + 1, "key")]

    def find() -> None:
        for row in random.Random(2).choices(events, k=50):
            part, content = next(p for p in parts if p[0].first_uid <= row["uid"] <= p[0].last_uid)
            frame = next(f for f in read_index(content[part.index_at :]) if f.first <= row["uid"] <= f.last)
            assert any(
                line.uid == row["uid"] for line in lines_of(content[frame.at : frame.at + frame.length])
            )

    wrote, parts = timed(write)
    read, _ = timed(lambda: [sum(1 for _ in lines_of(content)) for _, content in parts])
    found, _ = timed(find)
    said(f"NDJSON, zstd {level}", len(events), sum(len(c) for _, c in parts), wrote, read, found / 50)


def parquet(events: list[Row], level: int, group: int) -> None:
    """The same columns as Parquet, where pyarrow is there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write() -> bytes:
        texts = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "producer")
        columns = {name: [row[name] for row in events] for name in (*texts, "data")}
        columns["uid"] = [str(row["uid"]) for row in events]
        for name in ("extensions", "facets"):
            columns[name] = [json.dumps(row[name]) for row in events]
        columns["deliveries"] = [json.dumps([{**BECAME, "id": str(uuid4())}]) for _ in events]
        into = io.BytesIO()
        pq.write_table(
            pa.table(columns), into, compression="zstd", compression_level=level, row_group_size=group
        )
        return into.getvalue()

    def find() -> None:
        for row in random.Random(2).choices(events, k=50):
            file, uid = pq.ParquetFile(io.BytesIO(content)), str(row["uid"])
            place = file.schema_arrow.names.index("uid")
            for number in range(file.num_row_groups):
                known = file.metadata.row_group(number).column(place).statistics
                if known.min <= uid <= known.max:
                    assert any(
                        one["uid"] == uid
                        for one in file.read_row_group(number, use_threads=False).to_pylist()
                    )

    wrote, content = timed(write)
    read, _ = timed(lambda: pq.read_table(io.BytesIO(content), use_threads=False).to_pylist())
    found, _ = timed(find)
    said(f"Parquet, zstd {level}, groups of {group:,}", len(events), len(content), wrote, read, found / 50)


def outcome(chance: random.Random, attempts: int = 0) -> Row:
    """What became of an event at one subscription; with its attempts, which Weir does not archive."""

    def moment() -> str:
        return (
            f"2026-11-01T10:{chance.randrange(60):02}:{chance.randrange(60):02}.{chance.randrange(1000):03}Z"
        )

    said = {
        **BECAME,
        "id": str(UUID(int=chance.getrandbits(128))),
        "subscription": str(UUID(int=chance.randrange(4))),
        "endedAt": moment(),
    }
    if attempts:
        said["attempts"] = [
            {
                "startedAt": moment(),
                "durationMs": chance.randrange(90_000) / 1000,
                "statusCode": 200 if number == attempts else 503,
                "connectMs": chance.randrange(9_999) / 1000,
                "tlsMs": chance.randrange(9_999) / 1000,
                "firstByteMs": chance.randrange(99_999) / 1000,
                "headers": {
                    "content-type": "application/json",
                    "date": "Sun, 01 Nov 2026 10:00:00 GMT",
                    "x-request-id": f"{chance.getrandbits(128):032x}",
                },
                "body": f'{{"ok": true, "id": "{chance.getrandbits(128):032x}"}}',
            }
            for number in range(1, attempts + 1)
        ]
    return said


def outcomes(events: list[Row]) -> None:
    """What it costs to archive what became of an event."""
    zstd.LEVEL = 6
    chance = random.Random(3)
    print("| deliveries in the line | bytes an event |\n|---|---:|")
    for name, deliveries, attempts in (
        ("none", 0, 0),
        ("one, how it ended", 1, 0),
        ("three, how they ended", 3, 0),
        ("one with its only attempt", 1, 1),
        ("one with three attempts", 1, 3),
    ):
        size, writer = 0, PartWriter()
        for row in events:
            became = [outcome(chance, attempts) for _ in range(deliveries)]
            text = write_line(row, "2026-11-01T10:00:00.000Z", became)
            writer.add(row["uid"], text, event_type=row["type"], event_id=row["id"], subject=row["subject"])
            if writer.is_full:
                size, writer = size + len(writer.end(1, "key")[1]), PartWriter()
        size += 0 if writer.is_empty else len(writer.end(1, "key")[1])
        print(f"| {name} | {size / len(events):.0f} |")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--outcomes", action="store_true", help="only what becomes of events, and its weight")
    given = parser.parse_args()
    events = list(rows(given.events))
    if given.outcomes:
        outcomes(events)
        return
    print(
        "| | bytes an event | written a second | read a second | one found in ms |\n|---|---:|---:|---:|---:|"
    )
    for level in (1, 3, 6, 9, 12):
        lines(events, level)
    try:
        for group in (1_000, 20_000):
            parquet(events, 6, group)
    except ImportError:
        print("Parquet is not measured: pyarrow is not here.")


if __name__ == "__main__":
    main()
