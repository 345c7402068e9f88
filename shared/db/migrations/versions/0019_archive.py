"""Retention by project, the archive, legal holds and erasures."""

revision = "0019"
down_revision = "0018"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
