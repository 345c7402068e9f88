"""Who works on which slice of the stream."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    SmallInteger,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.models.model import Model, Xid8


class Shard(Model):
    """One slice of the stream: who may work on it until when, and how far it has been read.

    `epoch` grows with each new owner; every write of an owner checks it, so that an owner that was
    paused past its lease cannot write any more.
    """

    __tablename__ = "shards"

    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str | None]
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    lease_until: Mapped[datetime | None]
    cursor_xid: Mapped[int] = mapped_column(Xid8, server_default=text("'0'"))
    cursor_uid: Mapped[UUID] = mapped_column(server_default=text("'00000000-0000-0000-0000-000000000000'"))


class StreamClock(Model):
    """One row: the server whose transaction ids count the stream, and by how much those of events are ahead of them.

    A database that was restored into another server has stored ids that this one has not come to yet. So ids of
    new events, and the horizon up to which dispatch reads, are that much more than the server's own
    (`stream_xid()`, `stream_horizon()`).
    """

    __tablename__ = "stream_clock"

    server: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ahead: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class Dispatcher(Model):
    """A process that asks for shards and would share them; it counts until `seen_until`."""

    __tablename__ = "dispatchers"

    owner: Mapped[str] = mapped_column(primary_key=True)
    seen_until: Mapped[datetime]


class Tick(Model):
    """When the tick last came to a handler: what is late, or was never started, cannot tell by itself."""

    __tablename__ = "ticks"

    function: Mapped[str] = mapped_column(primary_key=True)
    came_at: Mapped[datetime]
