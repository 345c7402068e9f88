"""Who changed what: rows that are chained by their hashes and can only be added."""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"
phase = "expand"

TABLE = """
CREATE TABLE audit (
    id UUID NOT NULL,
    project_id UUID,
    chain UUID NOT NULL,
    sequence BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL,
    role TEXT,
    via TEXT NOT NULL,
    agent TEXT,
    address TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    thing_id TEXT,
    thing_name TEXT NOT NULL,
    before JSONB,
    after JSONB,
    prev_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
)
"""

INDEXES = (
    "CREATE UNIQUE INDEX uq_audit_chain_sequence ON audit (chain, sequence)",
    "CREATE INDEX ix_audit_chain_id ON audit (chain, id)",
    "CREATE INDEX ix_audit_chain_actor_id_id ON audit (chain, actor_id, id)",
    "CREATE INDEX ix_audit_chain_thing_id_id ON audit (chain, thing_id, id)",
)

HEADS = """
CREATE TABLE audit_heads (
    chain UUID NOT NULL,
    sequence BIGINT DEFAULT 0 NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit_heads PRIMARY KEY (chain)
)
"""

# The text that is hashed is that of a jsonb array, which Postgres writes in one way alone: members by the length of
# their names, then their bytes; numbers in full. `shared.audit.chain` writes the same from an export.
HASH = """
CREATE FUNCTION audit_hash(entry audit) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        'weir audit 1', entry.chain, entry.sequence,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.id, entry.project_id, entry.actor_kind, entry.actor_id, entry.actor_name, entry.role,
        entry.via, entry.agent, entry.address, entry.request_id,
        entry.action, entry.kind, entry.thing_id, entry.thing_name, entry.before, entry.after,
        encode(entry.prev_hash, 'hex'))::text, 'UTF8'))
$$
"""

# Names that are not given are looked up, as they are now. Then the head's row is locked to the end of the transaction:
# numbers come without gaps, and in the order of commits. All of it is done as the owner, so that a role that may only
# add rows cannot choose where a chain ends, and one that does not see all people can record who it was.
APPEND = """
CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
    IF NEW.actor_kind = 'user' THEN
        NEW.actor_name := coalesce(
            nullif(NEW.actor_name, ''), (SELECT name FROM users WHERE id = NEW.actor_id::uuid), '');
        NEW.role := coalesce(
            NEW.role,
            (SELECT role FROM members WHERE project_id = NEW.project_id AND user_id = NEW.actor_id::uuid));
    ELSIF NEW.actor_kind = 'key' THEN
        NEW.actor_name := coalesce(
            nullif(NEW.actor_name, ''), (SELECT name FROM api_keys WHERE id = NEW.actor_id), '');
    END IF;
    NEW.chain := coalesce(NEW.project_id, '00000000-0000-0000-0000-000000000000');
    INSERT INTO audit_heads AS h (chain, sequence, hash) VALUES (NEW.chain, 1, decode(repeat('00', 32), 'hex'))
        ON CONFLICT (chain) DO UPDATE SET sequence = h.sequence + 1
        RETURNING h.sequence, h.hash INTO NEW.sequence, NEW.prev_hash;
    NEW.at := clock_timestamp();
    NEW.hash := audit_hash(NEW);
    UPDATE audit_heads SET hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
END
$$
"""

REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can only be added to' USING ERRCODE = 'insufficient_privilege';
END
$$
"""

TRIGGERS = (
    "CREATE TRIGGER append BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_append()",
    "CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER refuse_all BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_refuse()",
    # Of its own depth only: what `audit_append` writes is deeper.
    """
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON audit_heads FOR EACH ROW
        WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audit_refuse()
    """,
    "CREATE TRIGGER refuse_all BEFORE TRUNCATE ON audit_heads EXECUTE FUNCTION audit_refuse()",
)


def upgrade() -> None:
    """The version before runs beside it and records nothing."""
    schema = op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    append = APPEND.format(schema=schema)
    for statement in (TABLE, *INDEXES, HEADS, HASH, append, REFUSE, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    """What was recorded is lost: `weir audit export` first."""
    op.execute("DROP TABLE audit CASCADE")
    op.execute("DROP TABLE audit_heads")
    op.execute("DROP FUNCTION audit_append()")
    op.execute("DROP FUNCTION audit_refuse()")
