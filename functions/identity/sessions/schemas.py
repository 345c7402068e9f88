"""The HTTP shapes of one's sessions."""

from datetime import datetime
from typing import Literal

from shared.runtime.schema import Schema


class KeptSessionBody(Schema):
    """A session of the user's: what began it, when and where it was last used. `isCurrent` is the one that asks."""

    id: str
    how: Literal["password", "link", "passkey", "sso", "invitation", "device"]
    started_at: datetime
    last_used_at: datetime
    address: str
    browser: str
    is_current: bool


class SessionList(Schema):
    """All sessions of the user, the one that was used last first."""

    items: list[KeptSessionBody]
    next: None = None


class EndedSessionsBody(Schema):
    """How many sessions were ended."""

    ended: int
