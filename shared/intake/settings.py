"""How much is taken in, from producers and as replies."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class IntakeSettings(FromEnvironment):
    """`event_max_bytes` is an event's data.

    `queue_max_events` and `queue_max_bytes` bound what waits for the database in one process; past them
    the answer is 503 at once.
    """

    event_max_bytes: int = Field(default=1024 * 1024, ge=64 * 1024)
    queue_max_events: int = Field(default=20_000, ge=1)
    queue_max_bytes: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)


def structured_bytes(event_bytes: int) -> int:
    """How long a structured event may be whose data has at most `event_bytes`: in base64, with its attributes."""
    return (event_bytes + 2) // 3 * 4 + 64 * 1024
