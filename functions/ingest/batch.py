"""A batch: all of its events or, when the producer says so, those that are good."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from functions.ingest.requests import too_large
from shared.core.cloudevents import BatchReader, Event, InvalidEvent, OversizedBatch, OversizedEvent
from shared.core.problems import FORBIDDEN, NOT_A_CLOUDEVENT, SCHEMA_VIOLATION, TOO_LARGE, Fault, Problem
from shared.intake.rows import Note, Stored

Store = Callable[[Sequence[Event], Sequence[Note]], Awaitable[list[Stored]]]
Objection = Callable[[Event], Problem | None]
Judge = Callable[[Sequence[Event]], Awaitable[Sequence[Note | Problem]]]
"""What is noted beside each event, or why it cannot be taken; nothing at all where there is nothing to note."""

_STRONGEST = (NOT_A_CLOUDEVENT, TOO_LARGE, FORBIDDEN, SCHEMA_VIOLATION)
"""Which kind a batch with several kinds of bad elements is answered with: the first that occurs."""

_DETAILS = {
    NOT_A_CLOUDEVENT: "The batch has elements that are not CloudEvents. Nothing was stored.",
    TOO_LARGE: "The batch has events that are too large. Nothing was stored.",
    FORBIDDEN: "The batch has events that this credential may not send. Nothing was stored.",
    SCHEMA_VIOLATION: "The batch has events whose data does not fit the schema of their type. Nothing was stored.",
}


async def take_batch(
    chunks: AsyncIterator[bytes],
    store: Store,
    objection: Objection,
    judge: Judge,
    *,
    limit: int,
    event_limit: int,
    lenient: bool,
) -> list[dict[str, Any]]:
    """Store the events of a batch, read as it arrives; the members of `results` in its answer.

    `limit` is the number of elements allowed, `event_limit` that of bytes in one of them. Raises InvalidEvent
    for what is not a batch, and Problem: 413, or unless `lenient` one that names every bad element.
    """
    reader = BatchReader(lenient, limit, event_limit)
    try:
        async for chunk in chunks:
            reader.feed(chunk)
        elements = reader.close()
    except OversizedBatch:
        raise too_large("A batch", limit, "events") from None
    await asyncio.sleep(0)  # ten thousand elements take a while: others have their turn in between
    bad: dict[int, Problem] = {}
    good: dict[int, Event] = {}
    for index, element in enumerate(elements):
        if isinstance(element, OversizedEvent):
            bad[index] = too_large("An event", event_limit)
        elif isinstance(element, InvalidEvent):
            bad[index] = Problem(
                NOT_A_CLOUDEVENT, element.detail, errors=[Fault(element.pointer or "", element.detail)]
            )
        elif (problem := objection(element)) is not None:
            bad[index] = problem
        else:
            good[index] = element
    await asyncio.sleep(0)
    notes: list[Note] = []
    for index, found in zip(tuple(good), await judge(tuple(good.values())), strict=False):
        if isinstance(found, Problem):
            bad[index] = found
            del good[index]
        else:
            notes.append(found)
    if bad and not lenient:
        raise _refused(bad)
    stored = iter(await store(tuple(good.values()), notes) if good else ())
    results: list[dict[str, Any]] = []
    for index in range(len(elements)):
        if index in bad:
            results.append({"index": index, "problem": bad[index].body()})
        else:
            one = next(stored)
            results.append({"index": index, "uid": one.uid, "duplicate": one.duplicate})
    return results


def _refused(bad: dict[int, Problem]) -> Problem:
    kind = next(k for k in _STRONGEST if any(p.kind is k for p in bad.values()))
    return Problem(
        kind,
        _DETAILS[kind],
        errors=[
            Fault(f"/{index}{fault.pointer}", fault.detail)
            for index, problem in sorted(bad.items())
            for fault in (problem.errors or (Fault("", problem.detail),))
        ],
    )
