"""Who changed what."""

revision = "0010"
down_revision = "0009"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
