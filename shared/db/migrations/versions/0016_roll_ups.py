"""Counts a minute, so that no screen counts big tables."""

revision = "0016"
down_revision = "0015"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
