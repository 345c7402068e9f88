"""Where else a subject is named: in what people asked for and kept. Once its events are gone, it goes from there too."""

from typing import NamedTuple
from uuid import UUID

import asyncpg

from events.housekeep.archive import queries
from shared.archive.subjects import forgotten, mark_of


class Place(NamedTuple):
    """Columns of a table that may name a subject, of those rows that need it no more."""

    table: str
    columns: tuple[str, ...]
    where: str = "true"


PLACES = (
    Place("saved_searches", ("id", "name", "query")),
    # One that is not lifted keeps the erasure from being done.
    Place("holds", ("name", "subject"), "lifted_at IS NOT NULL"),
    Place("recalls", ("subject", "reason")),
    Place("replays", ("selection", "reason")),
    Place("erasures", ("reason",)),
    Place(
        "subscription_versions",
        ("filters",),
        "NOT EXISTS (SELECT FROM subscriptions s WHERE s.id = subscription_id AND s.version = subscription_versions.version)",
    ),
)
"""A test plants a subject everywhere and looks through a dump of the database: `test_forgotten.py`."""


async def forget_traces(
    connection: asyncpg.Connection, project_id: UUID, subject: str, digest: bytes
) -> None:
    """Put a mark in place of the subject, in the caller's transaction.

    What looked for it finds nothing from here on.
    """
    mark = mark_of(digest)
    for table, columns, where in PLACES:
        for row in await queries.naming(connection, table, columns, project_id, where):
            there = {name: row[name] for name in columns}
            left = {name: forgotten(value, subject, mark, name) for name, value in there.items()}
            if left != there:
                if table == "saved_searches" and left["name"] != there["name"]:
                    # No two have one name, and two that differed in the subject alone would.
                    left["name"] += f" {row['id'].hex[-6:]}"
                await queries.rewrite(connection, table, project_id, row["ctid"], left)
