"""What an event caused, and what caused it; what happened to it before it was on disk."""

from alembic import op

from shared.db.migrations.indexes import build_index

revision = "0018"
down_revision = "0017"
phase = "expand"

COLUMNS = ("schema_version", "taken_us", "commit_events")

# Only events that have the extension pay for its index.
LINKS = {
    "ix_events_causation": ("left(extensions ->> 'causationid', 255)", "causationid"),
    "ix_events_correlation": ("left(extensions ->> 'correlationid', 255)", "correlationid"),
    "ix_events_trace": ("substr(extensions ->> 'traceparent', 4, 32)", "traceparent"),
}


def upgrade() -> None:
    """Columns that say nothing of what is there, and indexes of those events alone that name another."""
    for column in COLUMNS:
        op.execute(f"ALTER TABLE events ADD COLUMN {column} INTEGER")
    for name, (value, extension) in LINKS.items():
        build_index(name, "events", f"(project_id, {value}, uid) WHERE extensions ? '{extension}'")


def downgrade() -> None:
    """The events stay."""
    for name in LINKS:
        op.execute(f"DROP INDEX {name}")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE events DROP COLUMN {column}")
