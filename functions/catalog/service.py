"""What can be done with event types. Each change is one transaction."""

import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.catalog import queries
from functions.catalog.draft import SchemaDraft, TypeDraft, refusal
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.core.problems import CONFLICT, NOT_FOUND, Fault, Problem
from shared.core.things import no_such, there
from shared.runtime.listing import read_text_cursor, write_text_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

MAX_TYPES = 1_000
"""Of a project: every process that takes its events in holds what it says of them."""

MAX_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class EventType:
    """A type with every version of its schema."""

    row: "Record"
    schemas: "Sequence[Record]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a schema says of data; `version` is None for a schema that is not kept."""

    version: int | None
    faults: list[Fault]


class Catalog:
    """The use cases, on the stores of one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def page(self, access: Access, cursor: str | None, limit: int) -> "tuple[list[Record], str | None]":
        """The project's types in the order of their names. Raises Problem 422 for a bad cursor."""
        after = read_text_cursor(cursor)
        async with (await self._resources.of(access.project_id)).acquire() as conn:
            rows = await queries.types(conn, access.project_id, after, limit + 1)
        return rows[:limit], write_text_cursor(rows[limit - 1]["type"]) if len(rows) > limit else None

    async def get(self, access: Access, type_: str) -> EventType:
        """One type. Raises Problem 404."""
        async with (
            (await self._resources.of(access.project_id)).acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await _found(conn, access, type_)

    async def put(self, access: Access, by: By, type_: str, draft: TypeDraft) -> tuple[EventType, bool]:
        """Make the type or change it; whether it is new. Raises Problem 409."""
        async with self._change(access) as conn:
            before = await _document(conn, access, type_)
            is_new = before is None
            if is_new and await queries.count_types(conn, access.project_id) >= MAX_TYPES:
                raise Problem(CONFLICT, f"A project has at most {MAX_TYPES} event types. Delete one first.")
            await queries.put_type(
                conn,
                access.project_id,
                type_,
                description=draft.description,
                schema_mode=draft.schema_mode,
                facets=draft.facets,
            )
            if draft.schema is not None:
                await _add(conn, access, type_, draft.schema)
            found = await _found(conn, access, type_)
            await _record(conn, access, by, "created" if is_new else "changed", type_=type_, before=before)
            return found, is_new

    async def delete(self, access: Access, by: By, type_: str) -> None:
        """Forget the type with its schemas; its events stay. Raises Problem 404."""
        async with self._change(access) as conn:
            before = await _document(conn, access, type_)
            if not await queries.delete_type(conn, access.project_id, type_):
                raise no_such("event type")
            await _record(conn, access, by, "deleted", type_=type_, before=before)

    async def add_schema(
        self, access: Access, by: By, type_: str, draft: SchemaDraft
    ) -> "tuple[Record, bool]":
        """The version that says this, and whether it is new: the newest one is not said twice.

        Raises Problem 404, 409.
        """
        async with self._change(access) as conn:
            before = await _document(conn, access, type_)
            if before is None:
                raise no_such("event type")
            is_new = await _add(conn, access, type_, draft)
            if is_new:
                await queries.touch_type(conn, access.project_id, type_)
            row = await queries.schema(conn, access.project_id, type_, None)
            assert row is not None
            if is_new:
                await _record(conn, access, by, "changed", type_=type_, before=before)
            else:
                by.changed_nothing()
            return row, is_new

    async def schema(self, access: Access, type_: str, version: str) -> "Record":
        """One version. Raises Problem 404."""
        if version.isascii() and version.isdigit() and len(version) < 10:
            async with (await self._resources.of(access.project_id)).acquire() as conn:
                row = await queries.schema(conn, access.project_id, type_, int(version))
            if row is not None:
                return row
        raise Problem(NOT_FOUND, "There is no such version of this type's schema in this project.")

    async def check(self, access: Access, type_: str, data: Any, schema: Any, version: int | None) -> Verdict:
        """What `schema`, or else a version of the type's, says of `data`. Raises Problem 404, 422."""
        from shared.core.json_schema import InvalidSchema, compile_schema, read_schema

        if schema is not None:
            if version is not None:
                raise refusal([Fault("/version", "cannot be used together with schema")])
            try:
                text = read_schema(schema).text
            except InvalidSchema as error:
                raise refusal([Fault(f"/schema{f.pointer}", f.detail) for f in error.faults]) from None
        else:
            async with (await self._resources.of(access.project_id)).acquire() as conn:
                if await queries.event_type(conn, access.project_id, type_) is None:
                    raise no_such("event type")
                row = await queries.schema(conn, access.project_id, type_, version)
            if row is None and version is not None:
                raise refusal([Fault("/version", "is not a version of this type's schema")])
            if row is None:
                raise refusal([Fault("/schema", "is needed: this type has no schema yet")])
            text, version = row["schema"], row["version"]
        faults = compile_schema(text).faults(data, _size(data))
        return Verdict(version, [Fault(f"/data{fault.pointer}", fault.detail) for fault in faults])

    @asynccontextmanager
    async def _change(self, access: Access) -> "AsyncIterator[Connection]":
        """A transaction that no other change of what the project takes in runs beside."""
        async with (await self._resources.of(access.project_id)).acquire() as conn, conn.transaction():
            if not await queries.bump_intake(conn, access.project_id):
                raise Problem(NOT_FOUND, "There is no such project.")
            yield conn


async def _record(
    conn: "Connection", access: Access, by: By, what: str, *, type_: str, before: dict[str, Any] | None
) -> None:
    await record(
        conn,
        by,
        f"type.{what}",
        project_id=access.project_id,
        id=type_,
        name=type_,
        before=before,
        after=await _document(conn, access, type_),
    )


async def _document(conn: "Connection", access: Access, type_: str) -> dict[str, Any] | None:
    """A type as the audit log keeps it, with the newest version of its schema; None where there is none."""
    row = await queries.event_type(conn, access.project_id, type_)
    if row is None:
        return None
    schema = await queries.schema(conn, access.project_id, type_, None)
    return {
        "type": row["type"],
        "description": row["description"],
        "schemaMode": row["schema_mode"],
        "facets": row["facets"],
        "schemaVersion": None if schema is None else schema["version"],
        "dataschema": None if schema is None else schema["dataschema"],
        "schema": None if schema is None else json.loads(schema["schema"]),
    }


async def _found(conn: "Connection", access: Access, type_: str) -> EventType:
    row = there(await queries.event_type(conn, access.project_id, type_), "event type")
    return EventType(row, await queries.schemas(conn, access.project_id, type_))


async def _add(conn: "Connection", access: Access, type_: str, draft: SchemaDraft) -> bool:
    """Whether a version was added: not when the newest one says the same already. Raises Problem 409."""
    versions = await queries.versions(conn, access.project_id, type_)
    if versions:
        newest = versions[-1]
        same_name = draft.dataschema is None or draft.dataschema == newest["dataschema"]
        if newest["digest"] == draft.schema.digest and same_name:
            return False
    if draft.dataschema is not None:
        for row in versions:
            if row["dataschema"] == draft.dataschema:
                raise Problem(
                    CONFLICT,
                    f"Version {row['version']} has this dataschema. A version never changes: choose another URI.",
                    errors=[Fault("/dataschema", f"is that of version {row['version']}")],
                )
    if len(versions) >= MAX_VERSIONS:
        raise Problem(CONFLICT, f"A type has at most {MAX_VERSIONS} versions of its schema.")
    await queries.insert_schema(
        conn,
        access.project_id,
        type_,
        version=versions[-1]["version"] + 1 if versions else 1,
        dataschema=draft.dataschema,
        text=draft.schema.text,
        digest=draft.schema.digest,
    )
    return True


def _size(data: Any) -> int:
    """Bytes of its JSON, about; of what is nested too deep for that, more than is looked at closely."""
    try:
        return len(json.dumps(data))
    except RecursionError:
        return sys.maxsize
