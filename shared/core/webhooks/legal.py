"""What the attributes of an event may be, by name: the codec's own rules."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from shared.core.cloudevents.rules import (
    check_content_type,
    check_schema,
    check_source,
    check_text,
    check_time,
)

CHECKS: Mapping[str, Callable[[object], str]] = MappingProxyType(
    {
        "type": partial(check_text, "type"),
        "source": check_source,
        "subject": partial(check_text, "subject"),
        "id": partial(check_text, "id"),
        "time": check_time,
        "datacontenttype": check_content_type,
        "dataschema": check_schema,
    }
)
"""Each gives its value back, or raises InvalidEvent."""

REQUIRED = ("type", "source", "id")
RESERVED = frozenset({*CHECKS, "specversion", "data"})
