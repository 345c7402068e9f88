"""Which key sealed what."""

revision = "0013"
down_revision = "0012"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
