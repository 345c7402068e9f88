"""What the sender has to be told of a delivery, and what it tells of an attempt."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import msgspec
from yarl import URL

from shared.core.delivery import DeliveryPolicy
from shared.sending.message import Message

if TYPE_CHECKING:
    from shared.sending.special import Special


class Addressee(Protocol):
    """A subscription as far as its requests go: `url` is its `sink`, read. `special` is None where a signed POST is all that is asked for."""

    @property
    def project_id(self) -> UUID: ...
    @property
    def sink(self) -> str: ...
    @property
    def url(self) -> URL: ...
    @property
    def policy(self) -> DeliveryPolicy: ...
    @property
    def secrets(self) -> tuple[str, ...]: ...
    @property
    def dead_letter_url(self) -> URL | None: ...
    @property
    def special(self) -> "Special | None": ...


class Outgoing(Protocol):
    """One event on its way to one sink. `dead_letter` makes it a request to the dead letter sink."""

    @property
    def subscription(self) -> Addressee: ...
    @property
    def message(self) -> Message: ...
    @property
    def delivery_id(self) -> UUID: ...
    @property
    def dead_letter(self) -> Mapping[str, Any] | None: ...
    @property
    def replay_id(self) -> UUID | None: ...


class Attempted(msgspec.Struct, eq=False):
    """One attempt as it is recorded. `detail` is a JSON text."""

    started_at: float
    duration_us: int
    status_code: int | None
    error: str | None
    detail: str | None
