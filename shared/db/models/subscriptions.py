"""What is to be delivered where, and how its sinks do."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class Subscription(Model):
    """Which events, to which sink, how. `version` counts its own changes from 1.

    `auth`, `tls` and `transform` are what is shown of them; the secrets of the first two are in
    `credentials_sealed` (`auth.sink_secrets`). One with a `replay_id` was made for that replay alone: it matches nothing, is in
    no list, and goes when the replay has ended.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'paused', 'disabled')", name="state"),
        Index("uq_subscriptions_project_id_name", "project_id", "name", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    filters: Mapped[list[Any]]
    sink: Mapped[str]
    delivery: Mapped[dict[str, Any]]
    signing_secrets_sealed: Mapped[bytes | None]
    auth: Mapped[dict[str, Any] | None]
    tls: Mapped[dict[str, Any] | None]
    transform: Mapped[dict[str, Any] | None]
    credentials_sealed: Mapped[bytes | None]
    state: Mapped[str] = mapped_column(server_default="active")
    state_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    replay_id: Mapped[UUID | None]


class SubscriptionVersion(Model):
    """What a subscription said at each of its versions, kept after its deletion for explanations."""

    __tablename__ = "subscription_versions"
    __table_args__ = (Index(None, "project_id"),)

    subscription_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    filters: Mapped[list[Any]]
    sink: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    deleted_at: Mapped[datetime | None]


class SinkHealth(Model):
    """What one process knows of the sink of a subscription, while there is something to tell.

    It holds for `subscription_version` alone. A row counts until `expires_at`: its owner writes it again.
    """

    __tablename__ = "sink_health"
    __table_args__ = (CheckConstraint("state IN ('closed', 'open', 'halfOpen')", name="state"),)

    subscription_id: Mapped[UUID] = mapped_column(
        ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True
    )
    owner: Mapped[str] = mapped_column(primary_key=True)
    subscription_version: Mapped[int]
    state: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    reason: Mapped[str | None]
    in_flight_limit: Mapped[int | None]
    expires_at: Mapped[datetime]
