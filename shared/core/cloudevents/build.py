"""From attributes as they came in to an event that keeps every rule."""

from typing import Any

from shared.core.cloudevents.event import DataKind, Event, InvalidEvent
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.rules import (
    check_content_type,
    check_extension,
    check_schema,
    check_source,
    check_text,
    check_time,
    is_schema,
    is_source,
    is_timestamp,
)
from shared.core.cloudevents.uris import is_uri_reference

REQUIRED = ("specversion", "id", "source", "type")
VERSIONS = frozenset({"1.0", "0.3"})


def build(attributes: dict[str, Any], data: bytes | None, kind: DataKind) -> Event:
    """The event of these attributes. `attributes` is used up: what is left in it are the extensions.

    Raises InvalidEvent: nothing is filled in that the sender left out (C02).
    """
    take = attributes.pop
    version, event_id, source, name = (
        take("specversion", None),
        take("id", None),
        take("source", None),
        take("type", None),
    )
    if version is None or event_id is None or source is None or name is None:
        missing = [
            required
            for required, value in zip(REQUIRED, (version, event_id, source, name), strict=True)
            if value is None
        ]
        raise InvalidEvent(f"{', '.join(missing)} must be present", f"/{missing[0]}")
    if type(version) is not str or version not in VERSIONS:
        raise InvalidEvent('specversion must be "1.0" or "0.3"', "/specversion")
    subject = take("subject", None)
    time = take("time", None)
    content_type = take("datacontenttype", None)
    schema = None
    if version == "1.0":
        schema = take("dataschema", None)
    else:
        _check_version_03(attributes)
    for extension, value in attributes.items():
        check_extension(extension, value)
    return Event(
        version,
        check_text("id", event_id),
        check_source(source),
        check_text("type", name),
        None if subject is None else check_text("subject", subject),
        None if time is None else check_time(time),
        None if content_type is None else check_content_type(content_type),
        None if schema is None else check_schema(schema),
        attributes,
        data,
        kind,
    )


def build_plain(attributes: dict[str, Any], data: bytes | None, kind: DataKind) -> Event | None:
    """The same where each value is a text of printable ASCII, and each name is one: most events, in half the time.

    None, and `attributes` as they were, where something is missing or is not what it must be: then `build`
    says what.
    """
    get = attributes.get
    event_id, source, name = get("id"), get("source"), get("type")
    subject, time = get("subject"), get("time")
    content_type, schema = get("datacontenttype"), get("dataschema")
    if (
        get("specversion") != "1.0"
        or not event_id
        or not name
        or source is None
        or not is_source(source)
        or subject == ""
        or (time is not None and not is_timestamp(time))
        or (content_type is not None and media_type(content_type) is None)
        or (schema is not None and not is_schema(schema))
    ):
        return None
    extensions = {key: value for key, value in attributes.items() if key not in _OWN}
    return Event("1.0", event_id, source, name, subject, time, content_type, schema, extensions, data, kind)


_OWN = frozenset({*REQUIRED, "subject", "time", "datacontenttype", "dataschema"})
"""The attributes that have a field of their own."""


def _check_version_03(attributes: dict[str, Any]) -> None:
    """What version 0.3 has and 1.0 has not: both are kept among the extensions and forwarded as they are."""
    schema = attributes.get("schemaurl")
    if schema is not None and not (isinstance(schema, str) and is_uri_reference(schema) and schema):
        raise InvalidEvent("schemaurl must be a URI-reference", "/schemaurl")
    encoding = attributes.get("datacontentencoding")
    if encoding is not None and not (isinstance(encoding, str) and encoding.lower() == "base64"):
        raise InvalidEvent('datacontentencoding must be "base64"', "/datacontentencoding")
