"""The HTTP shape of a notice."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.runtime.schema import Schema


class NoticeBody(Schema):
    """Something that the user should know of their account, and where it came from."""

    id: UUID
    kind: Literal["sessionReused", "recoveryCodeUsed", "codesTried", "secondFactorRemoved"]
    at: datetime
    address: str
    browser: str
