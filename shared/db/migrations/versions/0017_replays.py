"""Delivering again: replays, how far each is at each sink, and which deliveries are theirs."""

from alembic import op

from shared.db.migrations.indexes import build_index

revision = "0017"
down_revision = "0016"
phase = "expand"

REPLAYS = """
CREATE TABLE replays (
    id UUID NOT NULL,
    project_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL,
    state_reason TEXT,
    reason TEXT DEFAULT '' NOT NULL,
    selection JSONB NOT NULL,
    low UUID NOT NULL,
    high UUID NOT NULL,
    target UUID,
    target_name TEXT,
    one_off TEXT,
    rate_per_second DOUBLE PRECISION,
    stop_failed INTEGER,
    stop_of INTEGER,
    total BIGINT,
    created_by TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    owner TEXT,
    epoch BIGINT DEFAULT 0 NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_replays PRIMARY KEY (id),
    CONSTRAINT ck_replays_kind CHECK (kind IN ('retry', 'replay', 'cancel')),
    CONSTRAINT ck_replays_state CHECK (state IN ('running', 'paused', 'done', 'cancelled')),
    CONSTRAINT fk_replays_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
)
"""

SINKS = """
CREATE TABLE replay_sinks (
    replay_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    project_id UUID NOT NULL,
    total BIGINT,
    cursor UUID NOT NULL,
    opened BIGINT DEFAULT 0 NOT NULL,
    skipped BIGINT DEFAULT 0 NOT NULL,
    is_read BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_replay_sinks PRIMARY KEY (replay_id, subscription_id),
    CONSTRAINT fk_replay_sinks_replay_id_replays FOREIGN KEY(replay_id) REFERENCES replays (id) ON DELETE CASCADE,
    CONSTRAINT fk_replay_sinks_project_id_projects FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
)
"""

DUE = "replay_id IS NOT NULL AND next_attempt_at IS NOT NULL AND status <> 'dead'"


def upgrade() -> None:
    """Tables, columns that say nothing of what is there, and indexes of repeats alone."""
    op.execute(REPLAYS)
    op.execute("CREATE INDEX ix_replays_project_id_id ON replays (project_id, id)")
    op.execute("CREATE INDEX ix_replays_alive ON replays (id) WHERE state IN ('running', 'paused')")
    op.execute(SINKS)
    op.execute("CREATE INDEX ix_replay_sinks_project_id ON replay_sinks (project_id)")
    op.execute("ALTER TABLE subscriptions ADD COLUMN replay_id UUID")
    op.execute(
        "ALTER TABLE deliveries ADD COLUMN replay_id UUID, ADD COLUMN attempts_before INTEGER DEFAULT 0 NOT NULL"
    )
    build_index("ix_deliveries_repeats_due", "deliveries", f"(subscription_id, next_attempt_at) WHERE {DUE}")
    build_index("ix_deliveries_repeats", "deliveries", "(replay_id, id) WHERE replay_id IS NOT NULL")
    build_index(
        "ix_deliveries_repeats_not_delivered",
        "deliveries",
        "(replay_id, status) WHERE replay_id IS NOT NULL AND status <> 'delivered'",
    )


def downgrade() -> None:
    """Version 0016 delivers what waits as it does everything; it would list what was made for replays alone."""
    op.execute("DELETE FROM subscriptions WHERE replay_id IS NOT NULL")
    op.execute("ALTER TABLE subscriptions DROP COLUMN replay_id")
    for index in ("repeats_not_delivered", "repeats", "repeats_due"):
        op.execute(f"DROP INDEX IF EXISTS ix_deliveries_{index}")
    op.execute("ALTER TABLE deliveries DROP COLUMN replay_id, DROP COLUMN attempts_before")
    op.execute("DROP TABLE replay_sinks")
    op.execute("DROP TABLE replays")
