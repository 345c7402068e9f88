"""Microseconds to read and check one event of 1 KiB with ten attributes, Weir's codec beside the CloudEvents SDK.

    python -m tests.bench.codec

The processor's time of this process, not the clock's: whatever else runs matters less. Prints one JSON object.
"""

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event

from shared.core.cloudevents import parse, parse_batch, parse_structured

ROUNDS, REPEATS = 7, 4_000

DATA = json.dumps(
    {"order": "A-48213", "note": "x" * 480, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2.5}]},
    separators=(",", ":"),
).encode()
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "01a21c7f-7069-7130-9e75-95971ba7405d",
    "source": "/shop/eu-west/orders",
    "type": "com.acme.order.created",
    "subject": "A-48213",
    "time": "2026-11-27T10:00:00.123456Z",
    "datacontenttype": "application/json",
    "dataschema": "https://schemas.acme.example/order/7",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "region": "eu-west",
}


def structured(**format_: Any) -> bytes:
    """The event in the JSON format, padded to 1,024 bytes."""
    bare = json.dumps({**ATTRIBUTES, "data": json.loads(DATA)}, **format_)
    padded = json.loads(DATA) | {"note": "x" * (480 + 1024 - len(bare))}
    return json.dumps({**ATTRIBUTES, "data": padded}, **format_).encode()


def microseconds(work: Callable[[], object], each: int = 1) -> float:
    """Of the processor, for one event; the median of the rounds."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REPEATS // each):
            work()
        took.append((time.process_time() - began) / (REPEATS // each * each) * 1e6)
    return statistics.median(took)


def main() -> None:
    compact, spaced = structured(separators=(",", ":")), structured()
    names = {name: value for name, value in ATTRIBUTES.items() if name != "datacontenttype"}
    headers = [
        (b"host", b"weir.example"),
        (b"authorization", b"Bearer weir_aaaaaaaaaaaa_" + b"a" * 43),
        (b"content-type", b"application/json"),
        *((b"ce-" + name.encode(), value.encode()) for name, value in names.items()),
    ]
    body = DATA + b" " * (1024 - len(DATA) - sum(len(n) + len(v) for n, v in names.items()))
    mapped = {name.decode(): value.decode() for name, value in headers}
    said = {"content-type": "application/cloudevents+json"}
    batch = b"[" + b",".join([compact] * 100) + b"]"
    print(
        json.dumps(
            {
                "structured": microseconds(lambda: parse_structured(compact)),
                "spaced": microseconds(lambda: parse_structured(spaced)),
                "binary": microseconds(lambda: parse(headers, body)),
                "batch": microseconds(lambda: parse_batch(batch), each=100),
                "sdkStructured": microseconds(
                    lambda: from_http_event(HTTPMessage(headers=said, body=compact))
                ),
                "sdkBinary": microseconds(lambda: from_http_event(HTTPMessage(headers=mapped, body=body))),
            }
        )
    )


if __name__ == "__main__":
    main()
