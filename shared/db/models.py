"""The schema's truth. Alembic migrations are checked against it; run-time SQL is in each `queries.py`."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

NOW = text("now()")


class Xid8(UserDefinedType[int]):
    """Postgres's 64-bit transaction id: it never wraps, so commit order can be compared across years."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in DDL."""
        return "xid8"


class Model(DeclarativeBase):
    """All tables, with one naming rule for constraints so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class Project(Model):
    """The tenant. `version` grows with every change to its subscriptions, so that caches can tell.

    `intake_version` does the same for what ingest goes by: the settings here, producers, sources and event
    types. `rate_per_second` and `burst` are the limit of each producer that has none of its own; null is
    none. No `allowed_origins` means any.
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


class User(Model):
    """A person. No password means that they sign in by link only."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Member(Model):
    """What a user may do in a project: one role."""

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'operator', 'viewer')", name="role"),
        Index(None, "user_id"),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]


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


class ApiKey(Model):
    """A producer's or a script's credential. Only a keyed hash of its secret is kept."""

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


class SigningKey(Model):
    """A key that signs access tokens. The private half is sealed with the deployment's secret."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    algorithm: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    private_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    retired_at: Mapped[datetime | None]


class SignInLink(Model):
    """A one-time link. Only the hash of its token is kept."""

    __tablename__ = "sign_in_links"
    __table_args__ = (Index(None, "user_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


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


class Subscription(Model):
    """Which events, to which sink, how. `version` counts its own changes from 1.

    `auth`, `tls` and `transform` are what is shown of them; the secrets of the first two are in
    `credentials_sealed` (`auth.sink_secrets`).
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


class Dispatcher(Model):
    """A process that asks for shards and would share them; it counts until `seen_until`."""

    __tablename__ = "dispatchers"

    owner: Mapped[str] = mapped_column(primary_key=True)
    seen_until: Mapped[datetime]


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


class Event(Model):
    """One CloudEvent as stored, and its own outbox entry. Never updated.

    `uid` is a UUIDv7; its milliseconds are the time of receipt. `data_kind` is `core.cloudevents.DataKind`.
    `identity` is `core.ids.identity(project, source, id)`: each daily partition has a unique index on it.
    A digest, because an index entry has a size limit and a CloudEvents id has none. `facets` has the values at
    the JSON pointers that its type declared; `schema_fault` says what a schema that only warns had against it.
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
        {"postgresql_partition_by": "RANGE (uid)"},
    )

    uid: Mapped[UUID] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
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


class Delivery(Model):
    """One event for one subscription. `id` is derived from both, with the event's milliseconds.

    The first attempt is kept in the row; later ones are in `attempts`. `next_attempt_at` is when the
    shard's owner has to act: null for `held` rows, which wait for their subscription to be active again,
    for those behind the first of their `order_key`, and for ended ones. `dead_letter` is how far the
    delivery of a dead letter to its own sink has come (`{"status", "attempts", "dest", …}`); a dead row is due while that
    is under way.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'retrying', 'delivered', 'dead', 'cancelled')", name="status"),
        Index(None, "project_id", "id"),
        Index(None, "subscription_id", "id"),
        Index(
            "ix_deliveries_due",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
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
