"""What every `dev.weir.*` event has in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Contract(BaseModel):
    """The data of one type of event. Members that are not known are ignored: senders may be newer."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    TYPE: ClassVar[str]
