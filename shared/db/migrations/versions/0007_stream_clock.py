"""The stream keeps the order of its commits when its database moves to a server that counts from less."""

from alembic import op

revision = "0007"
down_revision = "0006"
phase = "expand"

TABLE = """
CREATE TABLE stream_clock (
    server BIGINT NOT NULL,
    ahead BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_stream_clock PRIMARY KEY (server)
)
"""

# Some providers do not let everybody ask: 0. Then what is stored alone tells.
THIS_SERVER = """
CREATE FUNCTION this_server() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 0;
END
$$
"""

STREAM_XID = "CREATE FUNCTION stream_xid() RETURNS xid8 LANGUAGE sql STABLE AS 'SELECT pg_current_xact_id()'"
STREAM_HORIZON = """
CREATE FUNCTION stream_horizon() RETURNS xid8 LANGUAGE sql STABLE
    AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())'
"""

# What can be seen was written by a transaction that has ended, so its id is below the next one. A cursor that is not
# came from another server. One that counts from more is told by its identity.
SERVER_MOVED = """
CREATE FUNCTION server_moved() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM stream_clock c
        WHERE this_server() NOT IN (0, c.server) OR EXISTS (
            SELECT FROM shards s
            WHERE s.cursor_xid::text::bigint >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + c.ahead))
$$
"""

# Constants in the functions cost the statements that use them nothing; a table would have to be read for each row.
FOLLOW_SERVER = """
CREATE FUNCTION follow_server() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    clock stream_clock;
    here bigint := this_server();
    next_xid bigint;
    last_xid bigint;
    more bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('follow_server'));
    SELECT * INTO STRICT clock FROM stream_clock;
    next_xid := pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
    SELECT max(greatest(s.cursor_xid::text::bigint, e.xid::text::bigint)) INTO last_xid
    FROM shards s LEFT JOIN LATERAL (
        SELECT xid FROM events WHERE shard = s.shard ORDER BY xid DESC, uid DESC LIMIT 1
    ) e ON true;
    IF here IN (0, clock.server) AND coalesce(last_xid, 0) < next_xid + clock.ahead THEN
        RETURN NULL;
    END IF;
    more := greatest(coalesce(last_xid, 0) + 1 - next_xid, clock.ahead);
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION stream_xid() RETURNS xid8 LANGUAGE sql STABLE AS %L',
        CASE more WHEN 0 THEN 'SELECT pg_current_xact_id()'
            ELSE format('SELECT (pg_current_xact_id()::text::bigint + %s)::text::xid8', more) END);
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION stream_horizon() RETURNS xid8 LANGUAGE sql STABLE AS %L',
        CASE more WHEN 0 THEN 'SELECT pg_snapshot_xmin(pg_current_snapshot())'
            ELSE format('SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + %s)::text::xid8', more) END);
    UPDATE stream_clock SET server = CASE here WHEN 0 THEN server ELSE here END, ahead = more;
    RETURN more;
END
$$
"""


def upgrade() -> None:
    """Version 0006 of the code runs beside it: it asks the server itself, which says the same until a move."""
    op.execute(TABLE)
    for function in (THIS_SERVER, STREAM_XID, STREAM_HORIZON, SERVER_MOVED, FOLLOW_SERVER):
        op.execute(function)
    op.execute("INSERT INTO stream_clock (server) VALUES (this_server())")
    op.execute("ALTER TABLE events ALTER COLUMN xid SET DEFAULT stream_xid()")


def downgrade() -> None:
    """Not after a move: version 0006 would never read what was stored before it."""
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM stream_clock WHERE ahead > 0) THEN
                RAISE EXCEPTION 'this database was restored into another server, which version 0006 cannot read'
                    USING HINT = 'Stay at 0007 or later.';
            END IF;
        END $$
        """
    )
    op.execute("ALTER TABLE events ALTER COLUMN xid SET DEFAULT pg_current_xact_id()")
    for function in ("follow_server", "server_moved", "stream_horizon", "stream_xid", "this_server"):
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP TABLE stream_clock")
