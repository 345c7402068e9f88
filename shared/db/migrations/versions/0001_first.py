"""The first schema: projects and people, subscriptions, and the partitioned stream of events."""

from alembic import op

revision = "0001"
down_revision = None
phase = "expand"

TABLES = """
CREATE TABLE projects (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_projects PRIMARY KEY (id),
    CONSTRAINT uq_projects_name UNIQUE (name)
);

CREATE TABLE users (
    id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email)
);

CREATE TABLE members (
    project_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    CONSTRAINT pk_members PRIMARY KEY (project_id, user_id),
    CONSTRAINT ck_members_role CHECK (role IN ('owner', 'admin', 'operator', 'viewer')),
    CONSTRAINT fk_members_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT fk_members_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_members_user_id ON members (user_id);

CREATE TABLE api_keys (
    id TEXT NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    sources TEXT[] DEFAULT '{}' NOT NULL,
    types TEXT[] DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT fk_api_keys_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_api_keys_project_id ON api_keys (project_id);

CREATE TABLE signing_keys (
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk JSONB NOT NULL,
    private_sealed BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
);

CREATE TABLE sign_in_links (
    token_hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in_links PRIMARY KEY (token_hash),
    CONSTRAINT fk_sign_in_links_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_sign_in_links_user_id ON sign_in_links (user_id);

CREATE TABLE subscriptions (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    version INTEGER DEFAULT 1 NOT NULL,
    filters JSONB NOT NULL,
    sink TEXT NOT NULL,
    delivery JSONB NOT NULL,
    signing_secrets_sealed BYTEA,
    state TEXT DEFAULT 'active' NOT NULL,
    state_reason TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_subscriptions PRIMARY KEY (id),
    CONSTRAINT ck_subscriptions_state CHECK (state IN ('active', 'paused', 'disabled')),
    CONSTRAINT fk_subscriptions_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_subscriptions_project_id_name ON subscriptions (project_id, name);

CREATE TABLE subscription_versions (
    subscription_id UUID NOT NULL,
    version INTEGER NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    filters JSONB NOT NULL,
    sink TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_subscription_versions PRIMARY KEY (subscription_id, version),
    CONSTRAINT fk_subscription_versions_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_subscription_versions_project_id ON subscription_versions (project_id);

CREATE TABLE shards (
    shard SMALLINT NOT NULL,
    owner TEXT,
    epoch BIGINT DEFAULT 0 NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    cursor_xid xid8 DEFAULT '0' NOT NULL,
    cursor_uid UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
    CONSTRAINT pk_shards PRIMARY KEY (shard)
);

CREATE TABLE events (
    uid UUID NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    project_id UUID NOT NULL,
    shard SMALLINT NOT NULL,
    data_kind SMALLINT NOT NULL,
    identity UUID NOT NULL,
    id TEXT NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    specversion TEXT NOT NULL,
    subject TEXT,
    time TEXT,
    datacontenttype TEXT,
    dataschema TEXT,
    extensions JSONB,
    data BYTEA,
    producer TEXT,
    CONSTRAINT pk_events PRIMARY KEY (uid)
) PARTITION BY RANGE (uid);
CREATE INDEX ix_events_project_id_type ON events (project_id, left(type, 255), uid);
CREATE INDEX ix_events_project_id_uid ON events (project_id, uid);
CREATE INDEX ix_events_shard_xid_uid ON events (shard, xid, uid);

CREATE TABLE deliveries (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    event_uid UUID NOT NULL,
    subscription_id UUID NOT NULL,
    subscription_version INTEGER NOT NULL,
    shard SMALLINT NOT NULL,
    status TEXT NOT NULL,
    attempt_count INTEGER DEFAULT 0 NOT NULL,
    held BOOLEAN DEFAULT false NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    order_key TEXT,
    position BIGINT,
    last_status_code SMALLINT,
    last_error TEXT,
    first_started_at TIMESTAMP WITH TIME ZONE,
    first_duration_us INTEGER,
    first_status_code SMALLINT,
    first_error TEXT,
    first_detail JSONB,
    dead_letter JSONB,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT ck_deliveries_status CHECK (status IN ('pending', 'retrying', 'delivered', 'dead', 'cancelled'))
) PARTITION BY RANGE (id);
CREATE INDEX ix_deliveries_due ON deliveries (subscription_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ix_deliveries_held ON deliveries (subscription_id) WHERE held;
CREATE INDEX ix_deliveries_not_delivered ON deliveries (project_id, status, id) WHERE status <> 'delivered';
CREATE INDEX ix_deliveries_ordered ON deliveries (subscription_id, order_key, position, event_uid) WHERE order_key IS NOT NULL AND status IN ('pending', 'retrying');
CREATE INDEX ix_deliveries_project_id_id ON deliveries (project_id, id);
CREATE INDEX ix_deliveries_subscription_id_id ON deliveries (subscription_id, id);

CREATE TABLE attempts (
    delivery_id UUID NOT NULL,
    number INTEGER NOT NULL,
    project_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duration_us INTEGER NOT NULL,
    status_code SMALLINT,
    error TEXT,
    detail JSONB,
    CONSTRAINT pk_attempts PRIMARY KEY (delivery_id, number)
) PARTITION BY RANGE (delivery_id);
"""

SHARDS = "INSERT INTO shards (shard) SELECT generate_series(0, 15);"

# A UUIDv7 starts with 48 bits of Unix milliseconds, so a day is a range of keys.
PARTITIONS = """
CREATE FUNCTION uuid_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION ensure_partitions(first_day date, last_day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    day date;
    parent text;
    child text;
    made integer := 0;
BEGIN
    FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
        FOREACH parent IN ARRAY ARRAY['events', 'deliveries', 'attempts'] LOOP
            child := parent || '_p' || to_char(day, 'YYYYMMDD');
            CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = child);
            -- Two callers may meet here: the second waits for the first and finds the work done. It looks
            -- with a query: to_regclass would answer from a cache that the wait does not refresh.
            PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
            CONTINUE WHEN EXISTS (SELECT FROM pg_class WHERE relname = child);
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent,
                uuid_floor(day::timestamp AT TIME ZONE 'UTC'),
                uuid_floor((day + 1)::timestamp AT TIME ZONE 'UTC'));
            IF parent = 'events' THEN
                EXECUTE format('CREATE UNIQUE INDEX %I ON %I (identity)', child || '_identity', child);
            END IF;
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
"""


def upgrade() -> None:
    """Create everything."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(SHARDS)
    for function in PARTITIONS.split("\n\n"):
        op.execute(function)


def downgrade() -> None:
    """Drop everything, stored events included."""
    op.execute("DROP FUNCTION ensure_partitions(date, date)")
    op.execute("DROP FUNCTION uuid_floor(timestamptz)")
    for table in (
        "attempts",
        "deliveries",
        "events",
        "shards",
        "subscription_versions",
        "subscriptions",
        "sign_in_links",
        "signing_keys",
        "api_keys",
        "members",
        "users",
        "projects",
    ):
        op.execute(f"DROP TABLE {table}")
