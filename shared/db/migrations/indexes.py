"""Indexes of partitioned tables, made while others write to them."""

from alembic import op
from sqlalchemy import text

_WITHOUT = text(
    """
    SELECT child.relname FROM pg_inherits t JOIN pg_class child ON child.oid = t.inhrelid
    WHERE t.inhparent = to_regclass(:table) AND NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_index x ON x.indexrelid = i.inhrelid
        WHERE i.inhparent = to_regclass(:name) AND x.indrelid = child.oid)
    ORDER BY child.relname
    """
)


def build_index(name: str, table: str, definition: str) -> None:
    """Make the index `name` of `table`, which is partitioned, on `definition`: its columns and its WHERE.

    Postgres cannot make one CONCURRENTLY in all partitions at once. So the parent gets it first, by which every
    partition that is made from then on has it, and then each of the others by itself. What came before it in the
    migration is committed; whatever of it was done by a run that broke off is kept.
    """
    context = op.get_context()
    with context.autocommit_block():
        connection = op.get_bind()
        # What is made CONCURRENTLY waits for transactions that are older, and holds up nobody meanwhile.
        limit = connection.scalar(text("SHOW lock_timeout"))
        op.execute("SET lock_timeout = 0")
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} {definition}")
        for partition in connection.scalars(_WITHOUT, {"table": table, "name": name}).all():
            part = f"{partition}_{name.removeprefix(f'ix_{table}_')}"
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {part}")  # one that broke off is not valid
            op.execute(f"CREATE INDEX CONCURRENTLY {part} ON {partition} {definition}")
            op.execute(f"ALTER INDEX {name} ATTACH PARTITION {part}")
        op.execute(f"SET lock_timeout = '{limit}'")
