"""What people sign in with beside a password."""

revision = "0011"
down_revision = "0010"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
