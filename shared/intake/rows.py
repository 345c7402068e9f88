"""From the events of some requests to rows of the table `events`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from shared.core.cloudevents import Event
from shared.core.ids import identity_digest, shard_of_key, shard_of_uid, uuid7_block

if TYPE_CHECKING:
    from asyncio import Future

Row = tuple[Any, ...]
"""The values of one event, in the order of `queries.COLUMNS`."""

UID, IDENTITY, SHARD = 0, 1, 3
"""Places in a row."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is stored beside an event: its facets as a JSON object, which version of its type's schema it was held
    against, and what a schema that warns says of it.
    """

    facets: str | None = None
    schema_fault: str | None = None
    schema_version: int | None = None


NO_NOTE = Note()


@dataclass(slots=True)
class Stored:
    """What became of one event: its uid, or for a copy that of the first."""

    uid: UUID
    duplicate: bool


@dataclass(slots=True)
class Waiting:
    """The events of one request, which are stored together or not at all.

    `notes` has one for each event, or none at all where there is nothing to note. `size` is about
    how many bytes they take, `taken_us` how long it took until they were here, where that is known.
    """

    project_id: UUID
    producer: str
    events: Sequence[Event]
    notes: Sequence[Note]
    size: int
    answer: "Future[list[Stored]]"
    taken_us: int | None = None


First = tuple[Waiting, Event, Note]
"""An event with an identity that no other before it in the group has."""


class Group:
    """The events of requests that share a commit, by their identities: copies among them are found here."""

    __slots__ = ("_firsts", "keys")

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self.keys: list[bytes] = []
        """The identity of each event, request after request."""
        self._firsts: dict[bytes, First] = {}
        for one in waiting:
            project = one.project_id.bytes
            for event, note in zip(one.events, one.notes or repeat(NO_NOTE), strict=False):
                key = identity_digest(project, event.source, event.id)
                self.keys.append(key)
                self._firsts.setdefault(key, (one, event, note))

    def rows(
        self, now_ms: int, without: Mapping[bytes, UUID], uuid: Callable[[bytes], UUID]
    ) -> tuple[int, list[Row]]:
        """A row for each identity that is not in `without`, with new uids of the millisecond that is answered.

        Uids are in the order in which the events came, rows in that of their identities: so two statements
        with the same events cannot block each other. `uuid` makes a uuid of 16 bytes.
        """
        firsts = [item for item in self._firsts.items() if item[0] not in without]
        ms, uids = uuid7_block(now_ms, len(firsts))
        pairs = zip(firsts, uids, strict=True)
        commit_events = len(firsts)
        rows = []
        for (key, (waiting, event, note)), uid in sorted(pairs, key=_key) if len(firsts) > 1 else pairs:
            extensions = event.extensions
            order_key = extensions.get("partitionkey") if extensions else None
            rows.append(
                (
                    uuid(uid),
                    uuid(key),
                    waiting.project_id,
                    shard_of_uid(uid)
                    if order_key is None
                    else shard_of_key(waiting.project_id, str(order_key)),
                    event.data_kind,
                    event.id,
                    event.source,
                    event.type,
                    event.specversion,
                    event.subject,
                    event.time,
                    event.datacontenttype,
                    event.dataschema,
                    extensions or None,
                    event.data,
                    waiting.producer,
                    None if note.facets is None else msgspec.Raw(note.facets.encode()),
                    note.schema_fault,
                    note.schema_version,
                    waiting.taken_us,
                    commit_events,
                )
            )
        return ms, rows

    @property
    def size(self) -> int:
        """How many different events there are."""
        return len(self._firsts)


def _key(pair: "tuple[tuple[bytes, First], bytes]") -> bytes:
    return pair[0][0]
