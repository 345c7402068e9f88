"""Dead letters on their way are found beside what else waits for their subscription."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the index: it has only what is dead and not yet with its dead letter sink."""
    op.execute(
        "CREATE INDEX ix_deliveries_dead_letters_due ON deliveries (subscription_id, next_attempt_at)"
        " WHERE next_attempt_at IS NOT NULL AND status = 'dead'"
    )


def downgrade() -> None:
    """Drop it: the other one has all that waits."""
    op.execute("DROP INDEX ix_deliveries_dead_letters_due")
