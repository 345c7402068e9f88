"""A CloudEvent as the members of an answer."""

from typing import Any

from pydantic import ConfigDict

from shared.runtime.schema import Schema


class CloudEvent(Schema):
    """A CloudEvent in the JSON format, exactly as it is stored; extensions are further members."""

    model_config = ConfigDict(extra="allow", alias_generator=None)

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: Any = None
    data_base64: str | None = None
