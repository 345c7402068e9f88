"""How long events are kept and where: what is in the archive, what is held, what comes back, what is erased."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import NOW, Model


class Archive(Model):
    """One day (UTC, by receipt) of one project in the archive. It is whole once `sealed_at` is set.

    Its objects have `run` in their names, so that what a process that was killed left behind can be told from them.
    `manifest_sha256` is of the manifest's bytes. `removed_at` is when its rows left the database: until then, and
    while a recall has them back, they are in both.
    """

    __tablename__ = "archives"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    run: Mapped[str]
    events: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    packed_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    raw_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    manifest_sha256: Mapped[bytes | None]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    sealed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class ArchivePart(Model):
    """One object of a day. `index_at` is where in it the index of its frames begins."""

    __tablename__ = "archive_parts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "day"],
            ["archives.project_id", "archives.day"],
            name="fk_archive_parts_project_id_day_archives",
            ondelete="CASCADE",
        ),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    events: Mapped[int]
    packed_bytes: Mapped[int] = mapped_column(BigInteger)
    raw_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    index_at: Mapped[int] = mapped_column(BigInteger)
    first_uid: Mapped[UUID]
    last_uid: Mapped[UUID]


class Hold(Model):
    """What must not be destroyed until `lifted_at`: the events with these attributes, those that are null are any.

    `created_by` and `lifted_by` are principals, as `Access.principal` writes them.
    """

    __tablename__ = "holds"
    __table_args__ = (Index(None, "project_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str | None]
    source: Mapped[str | None]
    subject: Mapped[str | None]
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


class Recall(Model):
    """Archived events that come back as the rows that they were, until `keep_until`.

    `position` is the uid up to which they are back. An `event_uid` is one event alone.
    """

    __tablename__ = "recalls"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'cancelled', 'failed')", name="state"),
        Index(None, "project_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    event_uid: Mapped[UUID | None]
    since: Mapped[datetime]
    until: Mapped[datetime]
    type: Mapped[str | None]
    source: Mapped[str | None]
    subject: Mapped[str | None]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    error: Mapped[str | None]
    events: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    position: Mapped[UUID | None]
    keep_until: Mapped[datetime]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]


class Erasure(Model):
    """What was asked to be forgotten of one subject, and how far that has come.

    `subject` is there until it is done; `subject_digest` stays, by which one can be asked about. `day` is the last
    archived day that was looked through, `held` how many events a hold keeps. `kept_in` names the subscriptions whose
    filters have the subject, and keep it.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'held', 'done')", name="state"),
        Index(None, "project_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    subject: Mapped[str | None]
    subject_digest: Mapped[bytes]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    events: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    archived_events: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    day: Mapped[date | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    kept_in: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class ErasureDay(Model):
    """A day of the archive in which an erasure finds nothing more to erase, as long as both digests hold.

    `manifest_sha256` says which objects were looked through, `holds_sha256` which holds there were then: another may
    let go of the `held` events that they kept.
    """

    __tablename__ = "erasure_days"

    erasure_id: Mapped[UUID] = mapped_column(ForeignKey("erasures.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    project_id: Mapped[UUID]
    manifest_sha256: Mapped[bytes]
    holds_sha256: Mapped[bytes]
    held: Mapped[int] = mapped_column(BigInteger)


class RetentionWait(Model):
    """How many days of a project are over and still there for one reason, the `oldest` of them, and `since` when.

    `archive`: none is configured. `store`: it fails. `deliveries`: some are under way. `unread`: dispatch has not read all.
    """

    __tablename__ = "retention_waits"
    __table_args__ = (
        CheckConstraint("reason IN ('archive', 'store', 'deliveries', 'unread')", name="reason"),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    oldest: Mapped[date]
    since: Mapped[datetime] = mapped_column(server_default=NOW)
