"""From when on a key signs: it is published before."""

from alembic import op

revision = "0013"
down_revision = "0012"
phase = "expand"


def upgrade() -> None:
    """A key that is there signs already; one that the version before makes does at once."""
    op.execute(
        "ALTER TABLE signing_keys ADD COLUMN signs_from TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL"
    )


def downgrade() -> None:
    """Each key signs as soon as it is there."""
    op.execute("ALTER TABLE signing_keys DROP COLUMN signs_from")
