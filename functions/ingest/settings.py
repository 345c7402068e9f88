"""What this door lets in."""

from pydantic import Field

from shared.intake.settings import IntakeSettings


class IngestSettings(IntakeSettings):
    """Sizes in bytes. Past `event_max_bytes`, `batch_max_bytes` or `batch_max_events` a request is 413.

    `bodies_max_bytes` bounds what one process holds of bodies that arrive in pieces, batches above all.
    A structured event may be longer than `event_max_bytes` by its attributes and what base64 adds, and a batch
    has room for one such event at least.
    """

    batch_max_bytes: int = Field(default=8 * 1024 * 1024, ge=256 * 1024)
    batch_max_events: int = Field(default=10_000, ge=1, le=100_000)
    bodies_max_bytes: int = Field(default=48 * 1024 * 1024, ge=1024 * 1024)
