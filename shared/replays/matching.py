"""Which of the rows that were found a replay's filters let through."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shared.replays.queries import Needs
from shared.replays.selection import Selection

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.core.filters import Filter


class Matching:
    """The filters of a selection. Without any everything matches, and nothing of events is needed for that."""

    def __init__(self, selection: Selection) -> None:
        """Raises InvalidFilter."""
        self._filter: Filter | None = None
        if selection.filters:
            from shared.core.filters import compile_filters

            self._filter = compile_filters(list(selection.filters))

    @property
    def needs(self) -> Needs:
        """How much of an event has to be read."""
        if self._filter is None:
            return "keys"
        return "data" if self._filter.sees_data else "attributes"

    def passing(self, rows: "Iterable[Record]") -> "list[Record]":
        """Those of `rows` that match; one that cannot be read or judged does not."""
        if self._filter is None:
            return list(rows)
        return [row for row in rows if self._matches(row)]

    def _matches(self, row: Any) -> bool:
        from shared.core.filters import NO_DATA, data_of
        from shared.sending.message import event_of

        assert self._filter is not None
        try:
            event = event_of(row)
            data = data_of(event) if self._filter.sees_data else NO_DATA
            return self._filter.matches(event.attributes(), data)
        except Exception:
            return False
