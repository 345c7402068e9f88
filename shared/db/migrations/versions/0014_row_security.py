"""Rows of one project are not seen in another's."""

revision = "0014"
down_revision = "0013"
phase = "expand"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
