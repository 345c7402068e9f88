"""Delivering again: the jobs, and how far each is at each sink."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class Replay(Model):
    """A job that delivers again, or cancels what waits. `events/replay` works on those that are `running`.

    `selection` is what was asked for; `low` and `high` bound the keys, and `created_at` what had ended: all that comes later
    is no part of it. `target` is the subscription that gets new deliveries, `one_off` the address that the one
    of its own has which was made for it. `owner`, `epoch` and `lease_until` are as those of shards.
    """

    __tablename__ = "replays"
    __table_args__ = (
        CheckConstraint("kind IN ('retry', 'replay', 'cancel')", name="kind"),
        CheckConstraint("state IN ('running', 'paused', 'done', 'cancelled')", name="state"),
        Index(None, "project_id", "id"),
        Index("ix_replays_alive", "id", postgresql_where=text("state IN ('running', 'paused')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="running")
    state_reason: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    selection: Mapped[dict[str, Any]]
    low: Mapped[UUID]
    high: Mapped[UUID]
    target: Mapped[UUID | None]
    target_name: Mapped[str | None]
    one_off: Mapped[str | None]
    rate_per_second: Mapped[float | None] = mapped_column(Float(53))
    stop_failed: Mapped[int | None]
    stop_of: Mapped[int | None]
    total: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    owner: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    lease_until: Mapped[datetime | None]


class ReplaySink(Model):
    """What a replay has of one subscription, and how far it is: everything up to the key `cursor` was opened or skipped.

    `is_read` says that nothing follows.
    """

    __tablename__ = "replay_sinks"
    __table_args__ = (Index(None, "project_id"),)

    replay_id: Mapped[UUID] = mapped_column(ForeignKey("replays.id", ondelete="CASCADE"), primary_key=True)
    subscription_id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    total: Mapped[int | None] = mapped_column(BigInteger)
    cursor: Mapped[UUID]
    opened: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    skipped: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    is_read: Mapped[bool] = mapped_column(server_default=text("false"))
