"""The CloudEvents codec: versions 1.0 and 0.3 over HTTP, in binary, structured and batch mode.

Strict where the specification says MUST, data kept byte for byte. Any invalid input is an InvalidEvent.
"""

from shared.core.cloudevents.batch_format import BatchReader, parse_batch
from shared.core.cloudevents.event import (
    DataKind,
    Event,
    InvalidEvent,
    Mode,
    OversizedBatch,
    OversizedEvent,
    UnsupportedFormat,
    Value,
)
from shared.core.cloudevents.http import (
    content_mode,
    content_type_of,
    from_parts,
    mode_of,
    parse,
    parse_in,
    to_batch,
    to_binary,
    to_structured,
)
from shared.core.cloudevents.json_format import parse_structured, to_json

__all__ = [
    "BatchReader",
    "DataKind",
    "Event",
    "InvalidEvent",
    "Mode",
    "OversizedBatch",
    "OversizedEvent",
    "UnsupportedFormat",
    "Value",
    "content_mode",
    "content_type_of",
    "from_parts",
    "mode_of",
    "parse",
    "parse_batch",
    "parse_in",
    "parse_structured",
    "to_batch",
    "to_binary",
    "to_json",
    "to_structured",
]
