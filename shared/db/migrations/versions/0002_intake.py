"""What a project takes in, and how: producers, sources of third parties, event types with schemas and facets."""

from alembic import op

revision = "0002"
down_revision = "0001"

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
    schema JSONB NOT NULL,
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


def downgrade() -> None:
    """Take it away again. Events stay, without facets and without what their schemas said of them."""
    _run(DROPS)


def _run(script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
