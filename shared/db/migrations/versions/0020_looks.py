"""Which days an erasure has looked through, where a subject is kept, what retention waits for; no attempt stays behind."""

from alembic import op

revision = "0020"
down_revision = "0019"
phase = "expand"

TABLES = """
CREATE TABLE erasure_days (
    erasure_id UUID NOT NULL,
    day DATE NOT NULL,
    project_id UUID NOT NULL,
    manifest_sha256 BYTEA NOT NULL,
    holds_sha256 BYTEA NOT NULL,
    held BIGINT NOT NULL,
    CONSTRAINT pk_erasure_days PRIMARY KEY (erasure_id, day),
    CONSTRAINT fk_erasure_days_erasure_id_erasures
        FOREIGN KEY(erasure_id) REFERENCES erasures (id) ON DELETE CASCADE
);
CREATE TABLE retention_waits (
    project_id UUID NOT NULL,
    reason TEXT NOT NULL,
    days INTEGER NOT NULL,
    oldest DATE NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_retention_waits PRIMARY KEY (project_id, reason),
    CONSTRAINT ck_retention_waits_reason CHECK (reason IN ('archive', 'store', 'deliveries', 'unread')),
    CONSTRAINT fk_retention_waits_project_id_projects
        FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
ALTER TABLE erasures ADD COLUMN kept_in TEXT[] DEFAULT '{}' NOT NULL;
"""

# Whoever writes what came of an attempt changes the delivery before: once the deliveries are gone nobody adds one.
REMOVE_EVENTS = """
CREATE OR REPLACE FUNCTION remove_events(project uuid, uids uuid[]) RETURNS bigint LANGUAGE plpgsql AS $$
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
    EXECUTE 'DELETE FROM {first} WHERE project_id = $1 AND {first_id} >= $2 AND {first_id} <= $3
        AND {first_id} = ANY($4)' USING project, low, high, ids;
    EXECUTE 'DELETE FROM {second} WHERE project_id = $1 AND {second_id} >= $2 AND {second_id} <= $3
        AND {second_id} = ANY($4)' USING project, low, high, ids;
    EXECUTE 'DELETE FROM events WHERE project_id = $1 AND uid >= $2 AND uid <= $3
        AND uid = ANY($4)' USING project, low, high, uids;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$
"""
DELIVERIES = ("deliveries", "id")
ATTEMPTS = ("attempts", "delivery_id")


def upgrade() -> None:
    """Version 0019 of the code looks through the archive again after each start, and says nowhere what waits."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    _replace(DELIVERIES, ATTEMPTS)


def downgrade() -> None:
    """An erasure that is under way looks from the first day on again."""
    _replace(ATTEMPTS, DELIVERIES)
    op.execute("ALTER TABLE erasures DROP COLUMN kept_in")
    op.execute("DROP TABLE retention_waits")
    op.execute("DROP TABLE erasure_days")


def _replace(first: tuple[str, str], second: tuple[str, str]) -> None:
    names = {"first": first[0], "first_id": first[1], "second": second[0], "second_id": second[1]}
    op.execute(REMOVE_EVENTS.format(**names))
    # Who may call it stays; with whose rights it runs has to be said again.
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar()
    op.execute(
        f"ALTER FUNCTION remove_events(uuid, uuid[]) SECURITY DEFINER SET search_path = {schema}, pg_temp"
    )
