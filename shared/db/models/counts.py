"""What was counted of events and deliveries, by the minute and the hour in which the event was received."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import Model

Project = Annotated[UUID, mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)]
Step = Annotated[int, mapped_column(SmallInteger, primary_key=True, autoincrement=False)]
Start = Annotated[datetime, mapped_column(primary_key=True)]
Count = Annotated[int, mapped_column(BigInteger, server_default=text("0"))]
Classes = Annotated[list[int], mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))]
Counts = Annotated[list[int], mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))]


class Traffic(Model):
    """All of a project in one minute (`step` 60) or hour (3600): events, their deliveries as they stand, attempts.

    Latencies (from receipt to delivered) and how long answers took are counted by classes
    (`shared.rollups.times`): one array has the classes, the other how many there are of each. `backlog_seconds` says
    how long the oldest delivery that waited in that minute had been waiting.
    """

    __tablename__ = "traffic"

    project_id: Mapped[Project]
    step: Mapped[Step]
    starts_at: Mapped[Start]
    events: Mapped[Count]
    pending: Mapped[Count]
    retrying: Mapped[Count]
    delivered: Mapped[Count]
    dead: Mapped[Count]
    cancelled: Mapped[Count]
    attempts: Mapped[Count]
    failed_attempts: Mapped[Count]
    latency_classes: Mapped[Classes]
    latency_counts: Mapped[Counts]
    answer_classes: Mapped[Classes]
    answer_counts: Mapped[Counts]
    backlog_seconds: Mapped[int | None] = mapped_column(BigInteger)


class EventCount(Model):
    """Events by who sent them and their type; '' is all others.

    Each counts once as what it stands at: by the first of `dead`, `retrying`, `pending`, delivered and `cancelled` that one
    of its deliveries is in, or as `unmatched`. Those that are delivered are the rest.
    """

    __tablename__ = "event_counts"

    project_id: Mapped[Project]
    step: Mapped[Step]
    starts_at: Mapped[Start]
    producer: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[Count]
    dead: Mapped[Count]
    retrying: Mapped[Count]
    pending: Mapped[Count]
    cancelled: Mapped[Count]
    unmatched: Mapped[Count]


class DeliveryCount(Model):
    """Deliveries by subscription, its version (which says the sink), who sent the event and its type."""

    __tablename__ = "delivery_counts"

    project_id: Mapped[Project]
    step: Mapped[Step]
    starts_at: Mapped[Start]
    subscription_id: Mapped[UUID] = mapped_column(primary_key=True)
    subscription_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    producer: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    pending: Mapped[Count]
    retrying: Mapped[Count]
    delivered: Mapped[Count]
    dead: Mapped[Count]
    cancelled: Mapped[Count]
    attempts: Mapped[Count]
    failed_attempts: Mapped[Count]


class DeliveryTimes(Model):
    """Latencies and answers' durations of one subscription, as in `Traffic`."""

    __tablename__ = "delivery_times"

    project_id: Mapped[Project]
    step: Mapped[Step]
    starts_at: Mapped[Start]
    subscription_id: Mapped[UUID] = mapped_column(primary_key=True)
    latency_classes: Mapped[Classes]
    latency_counts: Mapped[Counts]
    answer_classes: Mapped[Classes]
    answer_counts: Mapped[Counts]


class Rollup(Model):
    """Until when a project is counted, and how long that took the last time."""

    __tablename__ = "rollups"

    project_id: Mapped[Project]
    rolled_at: Mapped[datetime]
    took_ms: Mapped[int] = mapped_column(server_default=text("0"))


class RollupMark(Model):
    """A minute to count again: deliveries of its events were added or changed later. Written by `mark_minutes`."""

    __tablename__ = "rollup_marks"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
