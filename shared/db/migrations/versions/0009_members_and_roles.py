"""Roles of a project's own, and what else members and API keys need."""

revision = "0009"
down_revision = "0008"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
