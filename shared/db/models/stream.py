"""Events and what became of them: partitioned by day."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model, Xid8

LINKS = (
    ("causation", "left(extensions ->> 'causationid', 255)", "extensions ? 'causationid'"),
    ("correlation", "left(extensions ->> 'correlationid', 255)", "extensions ? 'correlationid'"),
    ("trace", "substr(extensions ->> 'traceparent', 4, 32)", "extensions ? 'traceparent'"),
)
"""By what one event names another, as it is indexed: an entry has a size limit, an extension has none."""


class Event(Model):
    """One CloudEvent as stored, and its own outbox entry. Never updated.

    `uid` is a UUIDv7; its milliseconds are the time of receipt. `data_kind` is `core.cloudevents.DataKind`.
    `identity` is `core.ids.identity(project, source, id)`: each daily partition has a unique index on it.
    A digest, because an index entry has a size limit and a CloudEvents id has none. `facets` has the values at
    the JSON pointers that its type declared; `schema_fault` says what a schema that only warns had against it, and
    `schema_version` which one it was held against. `taken_us` is from the request until it waited for its commit,
    which stored `commit_events` of them. Days that are over get further indexes, each its own (`index_days`).
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "shard", "xid", "uid"),
        Index(None, "project_id", "uid"),
        Index("ix_events_project_id_type", "project_id", text("left(type, 255)"), "uid"),
        Index(
            "ix_events_facets",
            "facets",
            postgresql_using="gin",
            postgresql_ops={"facets": "jsonb_path_ops"},
            postgresql_where=text("facets IS NOT NULL"),
        ),
        Index(
            "ix_events_schema_fault",
            "project_id",
            "uid",
            postgresql_where=text("schema_fault IS NOT NULL"),
        ),
        *(
            Index(f"ix_events_{name}", "project_id", text(value), "uid", postgresql_where=text(where))
            for name, value, where in LINKS
        ),
        # Of ranges of pages: next to nothing for whoever stores an event (migration 0015).
        Index(
            "ix_events_lookup",
            "subject",
            "id",
            "source",
            postgresql_using="brin",
            postgresql_ops=dict.fromkeys(("subject", "id", "source"), "text_bloom_ops"),
            postgresql_with={"pages_per_range": 32},
        ),
        {"postgresql_partition_by": "RANGE (uid)"},
    )

    uid: Mapped[UUID] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("stream_xid()"))
    project_id: Mapped[UUID]
    shard: Mapped[int] = mapped_column(SmallInteger)
    data_kind: Mapped[int] = mapped_column(SmallInteger)
    identity: Mapped[UUID]
    id: Mapped[str]
    source: Mapped[str]
    type: Mapped[str]
    specversion: Mapped[str]
    subject: Mapped[str | None]
    time: Mapped[str | None]
    datacontenttype: Mapped[str | None]
    dataschema: Mapped[str | None]
    extensions: Mapped[dict[str, Any] | None]
    data: Mapped[bytes | None]
    producer: Mapped[str | None]
    facets: Mapped[dict[str, Any] | None]
    schema_fault: Mapped[str | None]
    schema_version: Mapped[int | None]
    taken_us: Mapped[int | None]
    commit_events: Mapped[int | None]


class Delivery(Model):
    """One event for one subscription. `id` is derived from both, with the event's milliseconds.

    The first attempt is kept in the row; later ones are in `attempts`. `next_attempt_at` is when the
    shard's owner has to act: null for `held` rows, which wait for their subscription to be active again,
    for those behind the first of their `order_key`, and for ended ones. `dead_letter` is how far the
    delivery of a dead letter to its own sink has come (`{"status", "attempts", "dest", …}`); a dead row is due while that
    is under way. `replay_id` is the replay that made the row or opened it last; retries are counted from the attempt after
    `attempts_before` on.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'retrying', 'delivered', 'dead', 'cancelled')", name="status"),
        Index(None, "project_id", "id"),
        Index(None, "subscription_id", "id"),
        Index(
            "ix_deliveries_alive_due",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL AND status <> 'dead'"),
        ),
        Index(
            "ix_deliveries_dead_letters_due",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL AND status = 'dead'"),
        ),
        Index("ix_deliveries_held", "subscription_id", postgresql_where=text("held")),
        Index(
            "ix_deliveries_not_delivered",
            "project_id",
            "status",
            "id",
            postgresql_where=text("status <> 'delivered'"),
        ),
        Index(
            "ix_deliveries_ordered",
            "subscription_id",
            "order_key",
            "position",
            "event_uid",
            postgresql_where=text("order_key IS NOT NULL AND status IN ('pending', 'retrying')"),
        ),
        Index(
            "ix_deliveries_repeats_due",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text(
                "replay_id IS NOT NULL AND next_attempt_at IS NOT NULL AND status <> 'dead'"
            ),
        ),
        Index("ix_deliveries_repeats", "replay_id", "id", postgresql_where=text("replay_id IS NOT NULL")),
        Index(
            "ix_deliveries_repeats_not_delivered",
            "replay_id",
            "status",
            postgresql_where=text("replay_id IS NOT NULL AND status <> 'delivered'"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    event_uid: Mapped[UUID]
    subscription_id: Mapped[UUID]
    subscription_version: Mapped[int]
    shard: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    attempt_count: Mapped[int] = mapped_column(server_default=text("0"))
    held: Mapped[bool] = mapped_column(server_default=text("false"))
    next_attempt_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    order_key: Mapped[str | None]
    position: Mapped[int | None] = mapped_column(BigInteger)
    last_status_code: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None]
    first_started_at: Mapped[datetime | None]
    first_duration_us: Mapped[int | None]
    first_status_code: Mapped[int | None] = mapped_column(SmallInteger)
    first_error: Mapped[str | None]
    first_detail: Mapped[dict[str, Any] | None]
    dead_letter: Mapped[dict[str, Any] | None]
    replay_id: Mapped[UUID | None]
    attempts_before: Mapped[int] = mapped_column(server_default=text("0"))


class Attempt(Model):
    """One request to a sink after the first, and what came back. `detail` has the response's head and body."""

    __tablename__ = "attempts"
    __table_args__ = ({"postgresql_partition_by": "RANGE (delivery_id)"},)

    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    started_at: Mapped[datetime]
    duration_us: Mapped[int]
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None]
