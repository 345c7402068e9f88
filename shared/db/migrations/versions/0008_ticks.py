"""When the tick last came to each handler."""

from alembic import op

revision = "0008"
down_revision = "0007"
phase = "expand"


def upgrade() -> None:
    """A row for each handler of the tick, written once a minute."""
    op.execute(
        """
        CREATE TABLE ticks (
            function TEXT NOT NULL,
            came_at TIMESTAMP WITH TIME ZONE NOT NULL,
            CONSTRAINT pk_ticks PRIMARY KEY (function)
        )
        """
    )


def downgrade() -> None:
    """Version 0007 notes none."""
    op.execute("DROP TABLE ticks")
