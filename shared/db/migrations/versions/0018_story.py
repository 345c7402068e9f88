"""What an event caused, and what caused it."""

revision = "0018"
down_revision = "0017"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
