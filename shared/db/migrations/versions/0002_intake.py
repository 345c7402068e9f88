"""What a project takes in, and how: producers, sources of third parties, event types with schemas and facets."""

import re

from alembic import op

revision = "0002"
down_revision = "0001"
phase = "expand"

TABLES = """
ALTER TABLE projects
    ADD COLUMN intake_version BIGINT DEFAULT 0 NOT NULL,
    ADD COLUMN rate_per_second INTEGER,
    ADD COLUMN burst INTEGER,
    ADD COLUMN allowed_origins TEXT[] DEFAULT '{}' NOT NULL;

CREATE TABLE producers (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    sources TEXT[] DEFAULT '{}' NOT NULL,
    types TEXT[] DEFAULT '{}' NOT NULL,
    rate_per_second INTEGER,
    burst INTEGER,
    issuer TEXT,
    audience TEXT,
    subject TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_producers PRIMARY KEY (id),
    CONSTRAINT fk_producers_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_producers_project_id_name ON producers (project_id, name);

ALTER TABLE api_keys
    ADD COLUMN producer_id UUID,
    ADD CONSTRAINT fk_api_keys_producer_id FOREIGN KEY(producer_id) REFERENCES producers (id) ON DELETE CASCADE;
CREATE INDEX ix_api_keys_producer_id ON api_keys (producer_id) WHERE producer_id IS NOT NULL;

CREATE TABLE sources (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    settings JSONB DEFAULT '{}' NOT NULL,
    secrets_sealed BYTEA,
    rate_per_second INTEGER,
    burst INTEGER,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_sources PRIMARY KEY (id),
    CONSTRAINT fk_sources_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_sources_project_id_name ON sources (project_id, name);

CREATE TABLE event_types (
    project_id UUID NOT NULL,
    type TEXT NOT NULL,
    description TEXT,
    schema_mode TEXT DEFAULT 'off' NOT NULL,
    facets JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_event_types PRIMARY KEY (project_id, type),
    CONSTRAINT ck_event_types_schema_mode CHECK (schema_mode IN ('off', 'warn', 'reject')),
    CONSTRAINT fk_event_types_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE TABLE event_schemas (
    project_id UUID NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    dataschema TEXT,
    schema TEXT NOT NULL,
    digest BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_event_schemas PRIMARY KEY (project_id, type, version),
    CONSTRAINT fk_event_schemas_project_id FOREIGN KEY(project_id, type) REFERENCES event_types (project_id, type) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_event_schemas_project_id_type_dataschema ON event_schemas (project_id, type, dataschema);

ALTER TABLE events
    ADD COLUMN facets JSONB,
    ADD COLUMN schema_fault TEXT;
CREATE INDEX ix_events_facets ON events USING gin (facets jsonb_path_ops) WHERE facets IS NOT NULL;
CREATE INDEX ix_events_schema_fault ON events (project_id, uid) WHERE schema_fault IS NOT NULL;
"""

# A partition of events or attempts is only added to, and dropped as a whole: to vacuum it again and again because
# it grew is work for nothing. Postgres still does so long before transaction ids wrap. To analyze it at every tenth
# that it grows is too: a look at 30,000 rows sets hint bits, and after a checkpoint logs each of their pages whole.
PARTITIONS = """
CREATE OR REPLACE FUNCTION ensure_partitions(first_day date, last_day date) RETURNS integer LANGUAGE plpgsql AS $$
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
            IF parent <> 'deliveries' THEN
                EXECUTE format(
                    'ALTER TABLE %I SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)',
                    child);
            END IF;
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$
"""

FORMER_PARTITIONS = re.sub(
    r"            IF parent <> 'deliveries' THEN\n.*?END IF;\n", "", PARTITIONS, flags=re.DOTALL
)

PRESENT_PARTITIONS = """
DO $$
DECLARE
    child regclass;
BEGIN
    FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent IN ('events'::regclass, 'attempts'::regclass) LOOP
        EXECUTE format('ALTER TABLE %s {}', child);
    END LOOP;
END
$$
"""

DROPS = """
ALTER TABLE events DROP COLUMN facets, DROP COLUMN schema_fault;
DROP TABLE event_schemas;
DROP TABLE event_types;
DROP TABLE sources;
ALTER TABLE api_keys DROP COLUMN producer_id;
DROP TABLE producers;
ALTER TABLE projects
    DROP COLUMN intake_version, DROP COLUMN rate_per_second, DROP COLUMN burst, DROP COLUMN allowed_origins;
"""


def upgrade() -> None:
    """Add what is new; version 0001 of the code runs beside it."""
    _run(TABLES)
    op.execute(PARTITIONS)
    op.execute(
        PRESENT_PARTITIONS.format(
            "SET (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 1)"
        )
    )


def downgrade() -> None:
    """Take it away again. Events stay, without facets and without what their schemas said of them."""
    op.execute(
        PRESENT_PARTITIONS.format(
            "RESET (autovacuum_vacuum_insert_threshold, autovacuum_analyze_scale_factor)"
        )
    )
    op.execute(FORMER_PARTITIONS)
    _run(DROPS)


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
