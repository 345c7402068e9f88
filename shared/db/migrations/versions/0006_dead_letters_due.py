"""What is due is found without the dead letters that wait, and those without what else does."""

from alembic import op

from shared.db.migrations.indexes import build_index

revision = "0006"
down_revision = "0005"
phase = "expand"

COLUMNS = "(subscription_id, next_attempt_at)"


def upgrade() -> None:
    """Put two indexes in place of one. Version 0005 of the code runs beside it, and looks for what is due by others."""
    build_index(
        "ix_deliveries_alive_due",
        "deliveries",
        f"{COLUMNS} WHERE next_attempt_at IS NOT NULL AND status <> 'dead'",
    )
    build_index(
        "ix_deliveries_dead_letters_due",
        "deliveries",
        f"{COLUMNS} WHERE next_attempt_at IS NOT NULL AND status = 'dead'",
    )
    op.execute("DROP INDEX IF EXISTS ix_deliveries_due")


def downgrade() -> None:
    """Put the one back that has all that waits."""
    build_index("ix_deliveries_due", "deliveries", f"{COLUMNS} WHERE next_attempt_at IS NOT NULL")
    op.execute("DROP INDEX IF EXISTS ix_deliveries_alive_due")
    op.execute("DROP INDEX IF EXISTS ix_deliveries_dead_letters_due")
