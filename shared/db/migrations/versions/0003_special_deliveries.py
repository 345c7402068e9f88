"""How a subscription proves itself to its sink, and what it makes of events on their way there."""

from alembic import op

revision = "0003"
down_revision = "0002"
phase = "expand"


def upgrade() -> None:
    """Add what is new; version 0002 of the code runs beside it, and delivers without what it does not know."""
    op.execute(
        """
        ALTER TABLE subscriptions
            ADD COLUMN auth JSONB,
            ADD COLUMN tls JSONB,
            ADD COLUMN transform JSONB,
            ADD COLUMN credentials_sealed BYTEA
        """
    )


def downgrade() -> None:
    """Take it away again. Subscriptions that used it are paused: what they send would not be what was asked for."""
    op.execute(
        """
        UPDATE subscriptions SET state = 'paused'
        WHERE state = 'active' AND (auth IS NOT NULL OR tls IS NOT NULL OR transform IS NOT NULL
            OR sink = 'env:K_SINK' OR delivery ?| ARRAY['batchSize', 'headers', 'ceOverrides', 'replies'])
        """
    )
    op.execute(
        "UPDATE subscriptions SET delivery = delivery - ARRAY['batchSize', 'headers', 'ceOverrides', 'replies']"
    )
    op.execute(
        """
        ALTER TABLE subscriptions
            DROP COLUMN auth, DROP COLUMN tls, DROP COLUMN transform, DROP COLUMN credentials_sealed
        """
    )
