"""What is known of sinks that are unwell, and who would share the shards."""

from alembic import op

revision = "0004"
down_revision = "0003"
phase = "expand"

TABLES = """
CREATE TABLE sink_health (
    subscription_id UUID NOT NULL,
    owner TEXT NOT NULL,
    subscription_version INTEGER NOT NULL,
    state TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    reason TEXT,
    in_flight_limit INTEGER,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sink_health PRIMARY KEY (subscription_id, owner),
    CONSTRAINT ck_sink_health_state CHECK (state IN ('closed', 'open', 'halfOpen')),
    CONSTRAINT fk_sink_health_subscription_id FOREIGN KEY(subscription_id) REFERENCES subscriptions (id) ON DELETE CASCADE
);

CREATE TABLE dispatchers (
    owner TEXT NOT NULL,
    seen_until TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_dispatchers PRIMARY KEY (owner)
);
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop them: they are known again within a minute."""
    op.execute("DROP TABLE dispatchers")
    op.execute("DROP TABLE sink_health")
