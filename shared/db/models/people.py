"""Tenants, people and their credentials."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class Project(Model):
    """The tenant. `version` grows with every change to its subscriptions, so that caches can tell.

    `intake_version` does the same for what ingest goes by: the settings here, producers, sources and event
    types. `rate_per_second` and `burst` are the limit of each producer that has none of its own; null is
    none. No `allowed_origins` means any. Events are kept for `retention_days` after the day of their receipt, null
    is for ever; then in the archive, for `archive_days` in all: null is for ever, 0 not at all.
    """

    __tablename__ = "projects"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    intake_version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    rate_per_second: Mapped[int | None]
    burst: Mapped[int | None]
    allowed_origins: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    retention_days: Mapped[int | None]
    archive_days: Mapped[int | None]


class User(Model):
    """A person. No password means that they sign in by link only."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


_BUILT_IN = "'owner', 'admin', 'operator', 'viewer'"


class Role(Model):
    """A role of a project's own. Permissions that are no longer known give nothing."""

    __tablename__ = "roles"
    __table_args__ = (CheckConstraint(f"name NOT IN ({_BUILT_IN})", name="name"),)

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str] = mapped_column(server_default=text("''"))
    permissions: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Member(Model):
    """What a user may do in a project: one role, built in or the project's own.

    `own_role` is the latter, so that a role which somebody has cannot go. It is checked at the end of a
    transaction, in which a role may get another name. `last_seen_at` is noted once a minute.
    """

    __tablename__ = "members"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "own_role"],
            ["roles.project_id", "roles.name"],
            name="fk_members_project_id_own_role",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(None, "user_id"),
        Index(
            "ix_members_project_id_own_role",
            "project_id",
            "own_role",
            postgresql_where=text("own_role IS NOT NULL"),
        ),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    own_role: Mapped[str | None] = mapped_column(
        Computed(f"CASE WHEN role NOT IN ({_BUILT_IN}) THEN role END", persisted=True)
    )
    joined_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    last_seen_at: Mapped[datetime | None]


class ApiKey(Model):
    """A producer's or a script's credential. Only a keyed hash of its secret is kept.

    After a rotation the secret before works until `previous_expires_at`. `created_by` is a principal, as
    `Access.principal` writes it; who is gone has no name, and no reference to keep.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        Index(None, "project_id"),
        Index("ix_api_keys_producer_id", "producer_id", postgresql_where=text("producer_id IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    producer_id: Mapped[UUID | None] = mapped_column(ForeignKey("producers.id", ondelete="CASCADE"))
    name: Mapped[str]
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[str]]
    sources: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    types: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_by: Mapped[str | None]
    last_used_from: Mapped[str | None]
    previous_hash: Mapped[bytes | None]
    previous_expires_at: Mapped[datetime | None]
    previous_used_at: Mapped[datetime | None]


class SigningKey(Model):
    """A key that signs access tokens between `signs_from` and `retired_at`. The private half is sealed.

    It is published as soon as it is there, and verifies for some time after it has retired.
    """

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    private_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    signs_from: Mapped[datetime] = mapped_column(server_default=NOW)
    retired_at: Mapped[datetime | None]


class SignInLink(Model):
    """A one-time link. Only the hash of its token is kept."""

    __tablename__ = "sign_in_links"
    __table_args__ = (Index(None, "user_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
