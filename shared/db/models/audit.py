"""Who changed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import Model


class Audit(Model):
    """One change. Rows are added and never changed or removed, which the database itself refuses.

    `chain` is the project's id, or the nil UUID for what concerns none (sign-ins). `chain`, `sequence`, `at`,
    `prev_hash` and `hash` are set by the trigger `audit_append`, whatever is given. `actor_name`, `role` and
    `thing_name` are as they were then.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("uq_audit_chain_sequence", "chain", "sequence", unique=True),
        Index(None, "chain", "id"),
        Index(None, "chain", "actor_id", "id"),
        Index(None, "chain", "thing_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID | None]
    chain: Mapped[UUID]
    sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    actor_name: Mapped[str]
    role: Mapped[str | None]
    via: Mapped[str]
    agent: Mapped[str | None]
    address: Mapped[str | None]
    request_id: Mapped[str | None]
    action: Mapped[str]
    kind: Mapped[str]
    thing_id: Mapped[str | None]
    thing_name: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    prev_hash: Mapped[bytes]
    hash: Mapped[bytes]


class AuditHead(Model):
    """Where each chain ends: a tail that was cut off shows by it. Written by `audit_append` alone."""

    __tablename__ = "audit_heads"

    chain: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    hash: Mapped[bytes]
