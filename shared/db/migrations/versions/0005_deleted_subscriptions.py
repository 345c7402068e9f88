"""When a subscription was deleted: what it said is kept, and until when it said so."""

from alembic import op

revision = "0005"
down_revision = "0004"
phase = "expand"


def upgrade() -> None:
    """Add the column; of what was deleted before, nobody knows when."""
    op.execute("ALTER TABLE subscription_versions ADD COLUMN deleted_at TIMESTAMP WITH TIME ZONE")


def downgrade() -> None:
    """Take it away."""
    op.execute("ALTER TABLE subscription_versions DROP COLUMN deleted_at")
