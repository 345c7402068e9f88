"""An event as its row in `events` has it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.cloudevents import Event


def unreadable(row: "Record") -> str | None:
    """Why the data in `row` cannot be read; None when it can. A newer version may have written it."""
    from shared.core.cloudevents import DataKind

    if row["data_kind"] in DataKind.__members__.values():
        return None
    return (
        f"its data is of a kind ({row['data_kind']}) that this version of Weir does not know, and is left out"
    )


def stored_event(row: "Record") -> "Event":
    """The event in `row`, without its data where that is `unreadable`."""
    event = without_data(row)
    if unreadable(row) is None:
        from shared.core.cloudevents import DataKind

        event.data, event.data_kind = row["data"], DataKind(row["data_kind"])
    return event


def without_data(row: "Record") -> "Event":
    """The attributes in `row`, for whoever has not read its data or reads it in another way."""
    # The codec's import is left to the first event: it would double what a function adds to a start.
    from shared.core.cloudevents import Event

    return Event(
        row["specversion"],
        row["id"],
        row["source"],
        row["type"],
        subject=row["subject"],
        time=row["time"],
        datacontenttype=row["datacontenttype"],
        dataschema=row["dataschema"],
        extensions=row["extensions"] or {},
    )
