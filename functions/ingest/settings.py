"""What this door lets in."""

from pydantic import Field

from shared.runtime.environment import FromEnvironment


class IngestSettings(FromEnvironment):
    """Sizes in bytes. Past `event_max_bytes`, `batch_max_bytes` or `batch_max_events` a request is 413.

    `bodies_max_bytes` bounds what one process holds of bodies that arrive in pieces, batches above all.
    `event_max_bytes` is an event's data. A structured event may be longer by its attributes and what base64
    adds, and a batch has room for one such event at least.

    `queue_max_events` and `queue_max_bytes` bound what waits for the database in one process; past them
    the answer is 503 at once.
    """

    event_max_bytes: int = Field(default=1024 * 1024, ge=64 * 1024)
    batch_max_bytes: int = Field(default=8 * 1024 * 1024, ge=256 * 1024)
    batch_max_events: int = Field(default=10_000, ge=1, le=100_000)
    bodies_max_bytes: int = Field(default=48 * 1024 * 1024, ge=1024 * 1024)
    queue_max_events: int = Field(default=20_000, ge=1)
    queue_max_bytes: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)
