"""Who was invited, and who signs in elsewhere."""

revision = "0012"
down_revision = "0011"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
