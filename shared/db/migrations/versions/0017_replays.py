"""Delivering again: replays, and what they have selected."""

revision = "0017"
down_revision = "0016"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
