"""The HTTP shapes of the built-in sink."""

from datetime import datetime
from typing import Literal

from shared.runtime.schema import Request, Schema

Answer = Literal["200", "503", "429", "hang"]


class AnswerRequest(Request):
    """How the sink answers from now on, for a day."""

    answer: Answer


class ReceivedBody(Schema):
    """One request as it arrived. A body that is not text is in `bodyBase64`; past 64 KiB it is cut off."""

    at: datetime
    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    body_base64: str | None
    truncated: bool


class SinkBody(Schema):
    """The built-in sink of a project: where it is, how it answers, and its last requests, newest first."""

    url: str
    answer: Answer
    requests: list[ReceivedBody]
