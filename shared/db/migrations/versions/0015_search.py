"""What searches ask by: indexes that ingest does not pay for, and searches that people keep."""

from alembic import op
from sqlalchemy import text

from shared.db.migrations.indexes import build_index
from shared.db.roles import PROJECT, SERVICE

revision = "0015"
down_revision = "0014"
phase = "expand"

TABLES = (
    """
    CREATE TABLE saved_searches (
        id UUID NOT NULL,
        project_id UUID NOT NULL,
        name TEXT NOT NULL,
        page TEXT NOT NULL,
        query JSONB NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_saved_searches PRIMARY KEY (id),
        CONSTRAINT ck_saved_searches_page CHECK (page IN ('events', 'deliveries')),
        CONSTRAINT fk_saved_searches_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_saved_searches_project_id_name ON saved_searches (project_id, name)",
)

# A day that is over gets no more events: to index it costs whoever sends them nothing. Keys are digests, because an
# index entry has a size limit and an attribute has none. The table is locked against writes, of which there are none.
INDEX_DAYS = """
CREATE FUNCTION index_days(before date, most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    child text;
    kind text;
    columns text;
    made integer := 0;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('index_days')) THEN
        RETURN 0;
    END IF;
    PERFORM set_config('maintenance_work_mem', '64MB', true);
    FOR child IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events'::regclass AND c.relname < 'events_p' || to_char(before, 'YYYYMMDD')
        ORDER BY c.relname DESC
    LOOP
        FOR kind, columns IN VALUES
            ('subject', '(project_id, hashtextextended(subject, 0), uid) WHERE subject IS NOT NULL'),
            ('id', '(project_id, hashtextextended(id, 0), uid)'),
            ('source', '(project_id, hashtextextended(source, 0), uid)'),
            ('extensions', 'USING gin (extensions jsonb_path_ops) WHERE extensions IS NOT NULL')
        LOOP
            CONTINUE WHEN EXISTS (
                SELECT FROM pg_index x JOIN pg_class n ON n.oid = x.indexrelid
                WHERE x.indrelid = child::regclass AND n.relname = child || '_by_' || kind);
            IF made = most THEN
                RETURN made;
            END IF;
            EXECUTE format('CREATE INDEX %I ON %I %s', child || '_by_' || kind, child, columns);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$
"""

# Of a day that goes on, what came since the last time is added to the index of whole ranges of pages.
SUMMARIZE = """
CREATE FUNCTION summarize_events(since date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    index regclass;
    found integer := 0;
BEGIN
    FOR index IN
        SELECT i.inhrelid::regclass FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
        JOIN pg_class t ON t.oid = x.indrelid
        WHERE i.inhparent = 'ix_events_lookup'::regclass AND t.relname >= 'events_p' || to_char(since, 'YYYYMMDD')
    LOOP
        found := found + brin_summarize_new_values(index);
    END LOOP;
    RETURN found;
END
$$
"""

OF_DAYS = text(
    """
    SELECT n.relname FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhrelid
    JOIN pg_class n ON n.oid = x.indexrelid
    WHERE i.inhparent = to_regclass('events') AND n.relname ~ '_by_(subject|id|source|extensions)$'
    """
)


def upgrade() -> None:
    """Version 0014 of the code runs beside it. Days that are over are indexed afterwards, by `housekeep`."""
    for statement in TABLES:
        op.execute(statement)
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for made, function in ((INDEX_DAYS, "index_days(date, integer)"), (SUMMARIZE, "summarize_events(date)")):
        op.execute(made)
        op.execute(f"ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {schema}, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {PROJECT}")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {SERVICE}")
    build_index(
        "ix_events_lookup",
        "events",
        "USING brin (subject text_bloom_ops, id text_bloom_ops, source text_bloom_ops) WITH (pages_per_range = 32)",
    )


def downgrade() -> None:
    """Take it away again; indexes of days that are over as well."""
    op.execute("DROP INDEX IF EXISTS ix_events_lookup")
    connection = op.get_bind()
    for name in connection.scalars(OF_DAYS).all():
        op.execute(f"DROP INDEX {name}")
    op.execute("DROP FUNCTION summarize_events(date)")
    op.execute("DROP FUNCTION index_days(date, integer)")
    op.execute("DROP TABLE saved_searches")
