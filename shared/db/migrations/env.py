"""Alembic's entry: runs migrations on the connection that `shared.db.migrate` opened."""

from alembic import context

from shared.db.models import Model

PARTITION = "_p2"  # partitions are named TABLE_pYYYYMMDD and are made by ensure_partitions()


def include(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001 Alembic calls it so
    """Leave daily partitions and what belongs to them out of the comparison."""
    return not (kind in {"table", "index"} and name is not None and PARTITION in name)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    include_object=include,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
