"""Who sends, and what is known of what is sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class Producer(Model):
    """A credentialed sender: which `source` and `type` values it may use, and how many events a second.

    Its credentials are the API keys that name it and, where `issuer` is set, the tokens of that OIDC issuer for
    `audience` whose `sub` fits the pattern `subject`.
    """

    __tablename__ = "producers"
    __table_args__ = (Index("uq_producers_project_id_name", "project_id", "name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    sources: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    rate_per_second: Mapped[int | None]
    burst: Mapped[int | None]
    issuer: Mapped[str | None]
    audience: Mapped[str | None]
    subject: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Source(Model):
    """A third party that sends webhooks to `/in/{project}/{name}`.

    `kind` names how its signatures are made and how its requests become events; `settings` says what differs. At most
    two secrets, sealed, so that one can be exchanged for the other.
    """

    __tablename__ = "sources"
    __table_args__ = (Index("uq_sources_project_id_name", "project_id", "name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    kind: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    secrets_sealed: Mapped[bytes | None]
    rate_per_second: Mapped[int | None]
    burst: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class EventType(Model):
    """What a project knows of a `type`: whether its schemas are enforced, and its facets by name as JSON pointers."""

    __tablename__ = "event_types"
    __table_args__ = (CheckConstraint("schema_mode IN ('off', 'warn', 'reject')", name="schema_mode"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str | None]
    schema_mode: Mapped[str] = mapped_column(server_default="off")
    facets: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class EventSchema(Model):
    """A version of the JSON Schema of an event type; `dataschema` is the URI by which events name it.

    `schema` is its JSON text. Schemas that say the same have one `digest`, under which ingest keeps them compiled.
    """

    __tablename__ = "event_schemas"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "type"], ["event_types.project_id", "event_types.type"], ondelete="CASCADE"
        ),
        Index("uq_event_schemas_project_id_type_dataschema", "project_id", "type", "dataschema", unique=True),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    dataschema: Mapped[str | None]
    schema: Mapped[str]
    digest: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
