"""The JSON batch format, read while it comes in: `application/cloudevents-batch+json` (formats/json-format.md, 4)."""

from collections.abc import Callable
from functools import lru_cache

import msgspec

from shared.core.cloudevents.event import Event, InvalidEvent, OversizedBatch, OversizedEvent
from shared.core.cloudevents.json_format import check_utf8, malformed, parse_object
from shared.core.cloudevents.plain import read_several

STEP_BYTES = 128 * 1024
"""So much text is gathered before the elements in it are read: a millisecond's work."""

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
_OPENED = b"[null"
"""Stands for the elements that were read: what follows them is an array again."""


class BatchReader:
    """Reads the elements of a JSON array as its text arrives, and keeps of the text only what is not read yet.

    `results` has an Event for each element, in their order, or the InvalidEvent that says why it is not one.
    Pointers in it are relative to the element. All events of a batch must have one `specversion` (C38): an
    element whose version is not the first event's is invalid, unless `lenient`, where each is judged alone.
    A batch of more than `max_events` elements is an OversizedBatch as soon as that is known; an element of
    more than `max_bytes` is not read and stands as an OversizedEvent.
    """

    def __init__(
        self,
        lenient: bool = False,  # noqa: FBT001, FBT002
        max_events: int | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self.results: list[Event | InvalidEvent] = []
        self._lenient = lenient
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._version: str | None = None
        self._parts: list[bytes] = []
        self._gathered = 0
        self._wanted = STEP_BYTES
        self._opened = False
        self._plain = True
        self._read = 0

    def feed(self, chunk: bytes) -> None:
        """Take more of the text, and read the elements that are complete. Raises OversizedBatch."""
        self._parts.append(chunk)
        self._gathered += len(chunk)
        if self._gathered >= self._wanted:
            self._step()

    def close(self) -> list[Event | InvalidEvent]:
        """The text has ended: all results. Raises InvalidEvent for a text that is not a JSON array, OversizedBatch."""
        text = b"".join(self._parts)
        self._parts = []
        self._take(_OPENED + text if self._opened else text)
        self._check_count()
        return self.results

    def _step(self) -> None:
        """Read up to an element's end that is certain.

        `}` and a comma end an element, or something inside one. Where the text up to there is an array
        once it is closed, it was an element: JSON is read from left to right, so what follows cannot change
        that. Where it is not, more text is waited for, twice as much each time, so that no text is read
        more often than it is long.
        """
        text = b"".join(self._parts)
        cut = text.rfind(b"},")
        if cut < 0 or not self._try(text[: cut + 1]):
            self._parts = [text]
            self._wanted = 2 * self._gathered
            return
        self._check_count()
        self._opened = True
        self._read += cut + 1
        rest = text[cut + 1 :]
        self._parts, self._gathered, self._wanted = [rest], len(rest), STEP_BYTES

    def _check_count(self) -> None:
        if self._max_events is not None and len(self.results) > self._max_events:
            raise OversizedBatch

    def _try(self, text: bytes) -> bool:
        closed = (_OPENED + text if self._opened else text) + b"]"
        try:
            self._take(closed)
        except InvalidEvent:
            return False
        return True

    def _take(self, array: bytes) -> None:
        """Add the elements of `array`. Raises InvalidEvent, and adds none, where it is no array."""
        if self._max_events is not None and has_more_elements(array, self._max_events + 1):
            raise OversizedBatch
        plain = read_several(array, int(self._opened), self._max_bytes) if self._plain else None
        if plain is not None:
            self.results += [
                self._element(one) if isinstance(one, bytes) else self._fitting(one) for one in plain
            ]
            return
        try:
            check_utf8(array)
            elements = _elements(array)
        except InvalidEvent:
            raise
        except (ValueError, RecursionError) as error:
            before = self._read - len(_OPENED) if self._opened else 0
            raise malformed(error, "the batch is not a JSON array", before) from None
        self._plain = False  # one sender's elements are much alike
        self.results += [self._element(bytes(one)) for one in elements[self._opened :]]

    def _element(self, text: bytes) -> Event | InvalidEvent:
        if self._max_bytes is not None and len(text) > self._max_bytes:
            return OversizedEvent(f"an event may have at most {self._max_bytes} bytes", "")
        try:
            return self._fitting(parse_object(text))
        except InvalidEvent as error:
            return error

    def _fitting(self, event: Event) -> Event | InvalidEvent:
        """The event, if it has the version of those before it."""
        if self._version is None:
            self._version = event.specversion
        if event.specversion == self._version or self._lenient:
            return event
        return InvalidEvent(
            f"specversion must be {self._version} as in the rest of the batch, not {event.specversion}",
            "/specversion",
        )


def parse_batch(body: bytes, lenient: bool = False) -> list[Event | InvalidEvent]:  # noqa: FBT001, FBT002
    """The elements of a JSON array that is there as a whole: what `BatchReader` says of it."""
    reader = BatchReader(lenient)
    reader.feed(body)
    return reader.close()


def has_more_elements(text: bytes, limit: int) -> bool:
    """Whether the JSON array `text` has more than `limit` elements.

    Nothing past them is read: a batch has room for millions that are a byte each.
    """
    if text.count(b",") < limit:
        return False
    try:
        _at_most(limit)(text)
    except msgspec.ValidationError as error:
        return "at most length" in str(error)
    except (ValueError, RecursionError):
        return False
    return False


@lru_cache(maxsize=4)
def _at_most(limit: int) -> Callable[[bytes], object]:
    # The decoder looks at the length of an array when it has read it all, except where the array is the form
    # of an object: then it ends at the first element that is too many.
    fields = [(f"element{n}", msgspec.Raw, None) for n in range(limit)]
    array = msgspec.defstruct("Elements", fields, array_like=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(array).decode
