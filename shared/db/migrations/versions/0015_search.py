"""What searches ask by: indexes, and searches that people keep."""

revision = "0015"
down_revision = "0014"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
