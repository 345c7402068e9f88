"""Rows of one project are not seen in another's: two roles to work as, and row-level security for them."""

import re

from alembic import op
from sqlalchemy import text

from shared.db.roles import PROJECT, SERVICE
from shared.db.security import secure

revision = "0014"
down_revision = "0013"
phase = "expand"

# Behind row-level security an index serves operators alone that tell nothing of rows they do not let through
# (LEAKPROOF): not those of `jsonb`, nor `left(type, 255)`. This view has the same rows and is planned with the query
# that asks it.
OWN_EVENTS = """
CREATE VIEW own_events AS
SELECT uid, project_id, identity, data_kind, id, source, type, specversion, subject, time, datacontenttype,
    dataschema, extensions, data, producer, facets, schema_fault
FROM events WHERE project_id = nullif(current_setting('weir.project', true), '')::uuid
"""

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
                -- Groups of events are copied into their day, whose rows nobody may see in it.
                EXECUTE format('GRANT INSERT ON %I TO weir_service', child);
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
FORMER_PARTITIONS = re.sub(r" +-- Groups of.*?weir_service', child\);\n", "", PARTITIONS, flags=re.DOTALL)

# Postgres shows a role the sessions of its own user alone.
SERVER_LOAD = """
CREATE FUNCTION server_load(OUT connections bigint, OUT replica_lag double precision) LANGUAGE sql STABLE AS $$
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        (SELECT extract(epoch FROM max(replay_lag))::double precision FROM pg_stat_replication)
$$
"""

OWNERS = ("ensure_partitions(date, date)", "server_load()", "server_moved()", "follow_server()")
"""What makes tables and functions, or looks at what is nobody's but the owner's, does it as the owner."""

POLICIES = text(
    "SELECT polname, polrelid::regclass::text AS name FROM pg_policy WHERE polname IN ('project', 'service')"
)
GRANTED = text(
    """
    SELECT 'TABLE ' || oid::regclass AS thing FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
    """
)


def upgrade() -> None:
    """Version 0013 of the code runs beside it: it works as the owner, for whom nothing changes.

    Each table is secured by itself: to hold several at once would be to wait for those who wait for it. What is done
    when it breaks off stays done. The view comes last: by it processes know that they can take the roles on.
    """
    with op.get_context().autocommit_block():
        secure(op.get_bind())
    op.execute(PARTITIONS)
    op.execute(SERVER_LOAD)
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for function in OWNERS:
        op.execute(f"ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {schema}, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {PROJECT}, {SERVICE}")
    op.execute(f"REVOKE ALL ON FUNCTION {', '.join(OWNERS[:2])} FROM {PROJECT}")
    op.execute(OWN_EVENTS)
    op.execute(f"GRANT SELECT ON own_events TO {PROJECT}")


def downgrade() -> None:
    """The roles stay: they are the server's, and other databases may have them in use."""
    op.execute("DROP VIEW own_events")
    op.execute(FORMER_PARTITIONS)
    for function in OWNERS:
        op.execute(f"ALTER FUNCTION {function} SECURITY INVOKER RESET search_path")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM {PROJECT}, {SERVICE}")
    op.execute("DROP FUNCTION server_load()")
    connection = op.get_bind()
    for policy in connection.execute(POLICIES).all():
        op.execute(f"DROP POLICY {policy.polname} ON {policy.name}")
        op.execute(f"ALTER TABLE {policy.name} DISABLE ROW LEVEL SECURITY")
    for thing in connection.scalars(GRANTED).all():
        op.execute(f"REVOKE ALL ON {thing} FROM {PROJECT}, {SERVICE}")
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    op.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {PROJECT}, {SERVICE}")
