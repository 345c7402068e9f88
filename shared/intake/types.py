"""Holding events against the schemas of their types, and taking out their facets."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from shared.core.cloudevents import DataKind, Event
from shared.core.facets import extract
from shared.core.problems import SCHEMA_VIOLATION, UNAVAILABLE, Fault, Problem
from shared.intake import queries
from shared.intake.intakes import Intakes
from shared.intake.rows import NO_NOTE, Note
from shared.intake.rules import Rules, Version, version_for
from shared.runtime.metrics import METRICS
from shared.runtime.outage import RETRY_AFTER_SECONDS
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.core.json_schema import CompiledSchema

MAX_FAULTS = 20
MAX_FAULTS_IN_BATCH = 3
"""For each element: an answer names them all."""

MAX_NOTE = 1_000
KEPT_BYTES = 16 * 1024 * 1024
"""Of schema texts, how much a process keeps compiled."""

LOAD_SECONDS = 5.0
PAUSE_EVENTS = 500
"""So many events of a batch are looked at before others get their turn."""

COMPILED = METRICS.counter("weir_ingest_schemas_compiled_total", "Schemas that this process has compiled.")
FAULTY = METRICS.counter(
    "weir_ingest_schema_faults_total", "Events that do not fit the schema of their type.", ("mode",)
)

logger = logging.getLogger("weir.ingest")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Types:
    """What one process does with events whose types have rules."""

    def __init__(self, resources: Resources) -> None:
        self._intakes = Intakes(resources)
        self._schemas = Schemas(resources)

    async def note(self, project_id: UUID, event: Event) -> Sequence[Note]:
        """What is stored beside `event`; nothing where its type has no rules. No I/O once its schema is compiled.

        Raises Problem 422 where a schema that rejects has something against it.
        """
        intake = await self._intakes.get(project_id)
        if intake is None or (rules := intake.types.get(event.type)) is None:
            return ()
        return (await self._look(project_id, event, rules, MAX_FAULTS),)

    async def judge(self, project_id: UUID, events: Sequence[Event]) -> Sequence[Note | Problem]:
        """The same for each event of a batch; nothing at all where no type has rules."""
        intake = await self._intakes.get(project_id)
        if intake is None or not any(event.type in intake.types for event in events):
            return ()
        found: list[Note | Problem] = []
        for index, event in enumerate(events):
            rules = intake.types.get(event.type)
            if rules is None:
                found.append(NO_NOTE)
                continue
            if index % PAUSE_EVENTS == PAUSE_EVENTS - 1:
                await asyncio.sleep(0)
            try:
                found.append(await self._look(project_id, event, rules, MAX_FAULTS_IN_BATCH))
            except Problem as problem:
                if problem.kind is not SCHEMA_VIOLATION:
                    raise
                found.append(problem)
        return found

    async def _look(self, project_id: UUID, event: Event, rules: Rules, most: int) -> Note:
        faults: Sequence[Fault] = ()
        held_against: int | None = None
        data, unread = _read(event)
        if rules.versions:
            version = version_for(event, rules.versions)
            held_against = None if version is None else version.number
            if version is None:
                faults = (Fault("/dataschema", "names no version of this type's schema"),)
            elif unread is not None:
                faults = (Fault("/data", unread),)
            elif (schema := await self._schemas.get(project_id, event.type, version)) is None:
                if rules.rejects:
                    raise _unusable()
                faults = (Fault("/data", "its schema cannot be used"),)
            else:
                raw = event.data or b""
                brackets = raw.count(b"{") + raw.count(b"[")
                against = schema.faults(data, len(raw), most, brackets=brackets)
                faults = [Fault(f"/data{f.pointer}", f.detail) for f in against]
            if faults:
                FAULTY.add("reject" if rules.rejects else "warn")
                if rules.rejects:
                    detail = "The data does not fit the schema of its type. Nothing was stored."
                    raise Problem(SCHEMA_VIOLATION, detail, errors=faults)
        found = extract(rules.facets, data) if rules.facets and unread is None else None
        if not found and not faults and held_against is None:
            return NO_NOTE
        facets = _encode(found).decode() if found else None
        return Note(facets, _text(faults) if faults else None, held_against)


class Schemas:
    """Schemas compiled once, whatever else of their project changes; those unused the longest go first."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._kept: OrderedDict[bytes, tuple[CompiledSchema | None, int]] = OrderedDict()
        self._bytes = 0
        self._loading: dict[tuple[UUID, str, bytes], asyncio.Task[CompiledSchema | None]] = {}

    async def get(self, project_id: UUID, type_: str, version: Version) -> "CompiledSchema | None":
        """The compiled schema; None for one that has just been deleted, or that this code does not compile.

        Raises what loading its text raises.
        """
        kept = self._kept.get(version.digest)
        if kept is not None:
            self._kept.move_to_end(version.digest)
            return kept[0]
        # Not by the digest alone: another project may have deleted what this one still has.
        place = (project_id, type_, version.digest)
        task = self._loading.get(place)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._load(project_id, type_, version))
            self._loading[place] = task
            task.add_done_callback(_read_error)
        # One request that goes away must not end the load for the others.
        return await asyncio.shield(task)

    async def _load(self, project_id: UUID, type_: str, version: Version) -> "CompiledSchema | None":
        from shared.core.json_schema import InvalidSchema, compile_schema

        try:
            async with asyncio.timeout(LOAD_SECONDS):
                pool = await self._resources.pg()
                text = await queries.schema_text(pool, project_id, type_, version.digest)
            if text is None:
                return None
            try:
                compiled = compile_schema(text)
            except InvalidSchema as error:
                # It could be compiled when it was registered: the library has changed its mind.
                logger.error("version %d of the schema of %s: %s", version.number, type_, error)  # noqa: TRY400
                self._keep(version.digest, None, len(text))
                return None
            COMPILED.add()
            self._keep(version.digest, compiled, len(text))
            return compiled
        finally:
            del self._loading[project_id, type_, version.digest]

    def _keep(self, digest: bytes, compiled: "CompiledSchema | None", size: int) -> None:
        self._kept[digest] = (compiled, size)
        self._bytes += size
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone


def _unusable() -> Problem:
    return Problem(
        UNAVAILABLE,
        "The schema of this type cannot be used, so the event cannot be held against it. Register the schema again.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _read_error(task: "asyncio.Task[CompiledSchema | None]") -> None:
    """When every waiter has given up, nobody else reads the error, and asyncio would complain of it."""
    if not task.cancelled():
        task.exception()


def _read(event: Event) -> tuple[Any, str | None]:
    """The data as values, or what keeps it from being read."""
    if event.data is None:
        return None, "there is no data"
    if event.data_kind is not DataKind.JSON:
        return None, "is not JSON"
    try:
        return _decode(event.data), None
    except RecursionError:
        return None, "is nested too deep"
    except msgspec.DecodeError:
        pass
    try:
        # Numbers beyond what the quicker decoder knows.
        return json.loads(event.data, parse_int=_integer, parse_float=Decimal), None
    except (ValueError, ArithmeticError, RecursionError):
        return None, "cannot be read as JSON"


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < 1_000 else Decimal(text)


def _text(faults: Sequence[Fault]) -> str:
    """The first faults as a text that can be stored."""
    text = "; ".join(f"{f.pointer}: {f.detail}" for f in faults)
    text = text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_NOTE else text[: MAX_NOTE - 1] + "…"
