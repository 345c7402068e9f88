"""Retention by project, the archive, legal holds and erasures."""

from alembic import op

revision = "0019"
down_revision = "0018"
phase = "expand"

PROJECT = "FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE"

TABLES = f"""
ALTER TABLE projects ADD COLUMN retention_days INTEGER, ADD COLUMN archive_days INTEGER;
CREATE TABLE archives (
    project_id UUID NOT NULL,
    day DATE NOT NULL,
    run TEXT NOT NULL,
    events BIGINT DEFAULT 0 NOT NULL,
    packed_bytes BIGINT DEFAULT 0 NOT NULL,
    raw_bytes BIGINT DEFAULT 0 NOT NULL,
    manifest_sha256 BYTEA,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sealed_at TIMESTAMP WITH TIME ZONE,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_archives PRIMARY KEY (project_id, day),
    CONSTRAINT fk_archives_project_id_projects {PROJECT}
);
CREATE TABLE archive_parts (
    project_id UUID NOT NULL,
    day DATE NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    events INTEGER NOT NULL,
    packed_bytes BIGINT NOT NULL,
    raw_bytes BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    index_at BIGINT NOT NULL,
    first_uid UUID NOT NULL,
    last_uid UUID NOT NULL,
    CONSTRAINT pk_archive_parts PRIMARY KEY (project_id, day, number),
    CONSTRAINT fk_archive_parts_project_id_day_archives
        FOREIGN KEY(project_id, day) REFERENCES archives (project_id, day) ON DELETE CASCADE
);
CREATE TABLE holds (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    name TEXT NOT NULL,
    type TEXT,
    source TEXT,
    subject TEXT,
    since TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    lifted_by TEXT,
    lifted_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_holds PRIMARY KEY (id),
    CONSTRAINT fk_holds_project_id_projects {PROJECT}
);
CREATE INDEX ix_holds_project_id ON holds (project_id);
CREATE TABLE recalls (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    event_uid UUID,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    type TEXT,
    source TEXT,
    subject TEXT,
    reason TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL,
    error TEXT,
    events BIGINT DEFAULT 0 NOT NULL,
    position UUID,
    keep_until TIMESTAMP WITH TIME ZONE NOT NULL,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_recalls PRIMARY KEY (id),
    CONSTRAINT ck_recalls_state CHECK (state IN ('running', 'done', 'cancelled', 'failed')),
    CONSTRAINT fk_recalls_project_id_projects {PROJECT}
);
CREATE INDEX ix_recalls_project_id ON recalls (project_id);
CREATE TABLE erasures (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    subject TEXT,
    subject_digest BYTEA NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL,
    events BIGINT DEFAULT 0 NOT NULL,
    archived_events BIGINT DEFAULT 0 NOT NULL,
    held BIGINT DEFAULT 0 NOT NULL,
    day DATE,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_erasures PRIMARY KEY (id),
    CONSTRAINT ck_erasures_state CHECK (state IN ('running', 'held', 'done')),
    CONSTRAINT fk_erasures_project_id_projects {PROJECT}
);
CREATE INDEX ix_erasures_project_id ON erasures (project_id);
"""

# Events are never changed, and neither role may delete any: these two do it with the owner's rights, and nothing else.
# Days that are still written to, or looked at for copies, are refused, and those with something under way left. Whoever
# waits for the locks holds up everybody who comes after: rather than wait, it is tried again at the next tick.
DROP_DAY = """
CREATE FUNCTION drop_day(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part text := '_p' || to_char(day, 'YYYYMMDD');
    parent text;
    busy boolean;
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date - 2 THEN
        RAISE EXCEPTION 'the day % is not over for long enough', day;
    END IF;
    PERFORM set_config('lock_timeout', '1s', true);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', 'deliveries' || part);
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM %I WHERE status IN (''pending'', ''retrying'')
            OR (status = ''dead'' AND next_attempt_at IS NOT NULL))', 'deliveries' || part) INTO busy;
    IF busy THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['attempts', 'deliveries', 'events'] LOOP
        EXECUTE format('DROP TABLE %I', parent || part);
    END LOOP;
    RETURN true;
END
$$
"""
REMOVE_EVENTS = """
CREATE FUNCTION remove_events(project uuid, uids uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    low uuid := (SELECT u FROM unnest(uids) u ORDER BY u LIMIT 1);
    high uuid := (SELECT u FROM unnest(uids) u ORDER BY u DESC LIMIT 1);
    ids uuid[];
    removed bigint;
BEGIN
    -- Ids of deliveries have the milliseconds of their event.
    low := (left(low::text, 13) || '-0000-0000-000000000000')::uuid;
    high := (left(high::text, 13) || '-ffff-ffff-ffffffffffff')::uuid;
    EXECUTE 'SELECT array_agg(id) FROM deliveries
        WHERE project_id = $1 AND id >= $2 AND id <= $3 AND event_uid = ANY($4)' INTO ids USING project, low, high, uids;
    EXECUTE 'DELETE FROM attempts WHERE project_id = $1 AND delivery_id >= $2 AND delivery_id <= $3
        AND delivery_id = ANY($4)' USING project, low, high, ids;
    EXECUTE 'DELETE FROM deliveries WHERE project_id = $1 AND id >= $2 AND id <= $3
        AND id = ANY($4)' USING project, low, high, ids;
    EXECUTE 'DELETE FROM events WHERE project_id = $1 AND uid >= $2 AND uid <= $3
        AND uid = ANY($4)' USING project, low, high, uids;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$
"""

OWNERS = ("drop_day(date)", "remove_events(uuid, uuid[])")


def upgrade() -> None:
    """Version 0018 of the code keeps everything for ever, as projects do that have no retention."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(DROP_DAY)
    op.execute(REMOVE_EVENTS)
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    for function in OWNERS:
        op.execute(f"ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {schema}, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")


def downgrade() -> None:
    """What is in the archive stays there, and its manifests tell of it."""
    for function in OWNERS:
        op.execute(f"DROP FUNCTION {function}")
    for table in ("erasures", "recalls", "holds", "archive_parts", "archives"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE projects DROP COLUMN retention_days, DROP COLUMN archive_days")
