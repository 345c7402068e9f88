"""The use cases of API keys."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.projects.keys import queries
from functions.projects.keys.draft import Draft, check, only_takes_away, read_overlap
from functions.projects.keys.schemas import KeyBody
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.authority import authority_of
from shared.auth.giving import check_gives, check_unrestricted, standing
from shared.auth.keys import ApiKeyText, hash_secret, is_key_id, make_key, make_secret
from shared.auth.permissions import granted
from shared.auth.queries import insert_key
from shared.auth.stores import Stores
from shared.core.problems import CONFLICT, INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from uuid import UUID

    from asyncpg import Connection, Record

WRITE = "keys:write"


async def list_keys(
    stores: Stores, access: Access, *, is_revoked: bool, search: str | None, limit: int, cursor: str | None
) -> "tuple[list[Record], str | None]":
    """The project's keys. Raises Problem 422 for a bad cursor."""
    if cursor is not None and not is_key_id(cursor):
        raise Problem(
            INVALID,
            "The request has values that cannot be used.",
            errors=[Fault("/query/cursor", "is not a cursor that a list has given")],
        )
    if search is not None and "\0" in search:
        return [], None
    rows = await queries.keys_of(
        await stores.of(access.project_id),
        access.project_id,
        is_revoked=is_revoked,
        search=(search or "").strip() or None,
        after=cursor,
        limit=limit + 1,
    )
    return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None


async def get_key(stores: Stores, access: Access, key_id: str) -> "Record":
    """One of them, revoked or not. Raises Problem 404."""
    row = (
        await queries.key(await stores.of(access.project_id), access.project_id, key_id)
        if is_key_id(key_id)
        else None
    )
    if row is None:
        raise _no_key()
    return row


async def create_key(stores: Stores, access: Access, by: By, draft: Draft) -> "tuple[Record, str]":
    """A new key and its text. Nobody can give more than they may do themselves. Raises Problem 403, 422."""
    check(draft)
    check_unrestricted(access, "make others")
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        check_gives(await standing(connection, access, WRITE), draft.permissions, "A key")
        text = await insert(connection, stores, access.project_id, draft, created_by=access.principal)
        row = await queries.key(connection, access.project_id, text.id)
        assert row is not None
        await _record(connection, by, access, "key.created", after=row)
    return row, text.text


async def replace_key(stores: Stores, access: Access, by: By, key_id: str, draft: Draft) -> "Record":
    """Change what a key is for; it holds everywhere within a second. Raises Problem 403, 404, 422.

    Whoever may write keys may take from any. Giving, be it more time, takes the rights that are given.
    """
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _locked(connection, access, key_id)
        was = draft_of(before)
        check(draft, before=was)
        may = await standing(connection, access, WRITE)
        check_unrestricted(access, "change others")
        if not only_takes_away(was, draft):
            check_gives(may, draft.permissions, "A key")
        producer_id = await _producer(connection, access.project_id, draft.producer)
        await queries.replace(connection, access.project_id, key_id, draft, producer_id)
        row = await queries.key(connection, access.project_id, key_id)
        assert row is not None
        await _record(connection, by, access, "key.changed", before=before, after=row)
    authority_of(stores).forget_key(key_id)
    return row


async def rotate_key(
    stores: Stores, access: Access, by: By, key_id: str, overlap: str
) -> "tuple[Record, str]":
    """Another secret for the same key; the one before works for `overlap`. The text is answered this once.

    It takes every right that the key has, since its secret is what it may do. Raises Problem 403, 404, 409 while a
    secret before still works or when the key has expired, and 422.
    """
    for_as_long = read_overlap(overlap)
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _locked(connection, access, key_id)
        check_unrestricted(access, "rotate others")
        check_gives(await standing(connection, access, WRITE), granted(before["scopes"]), "You")
        now = datetime.now(UTC)
        if before["expires_at"] is not None and before["expires_at"] <= now:
            raise Problem(CONFLICT, "This API key has expired. Give it another expiry first.")
        if before["previous_expires_at"] is not None:
            until = before["previous_expires_at"].strftime("%Y-%m-%d %H:%M UTC")
            raise Problem(
                CONFLICT,
                f"The secret before the last rotation still works, until {until}. End it first, or wait for that.",
            )
        text = ApiKeyText(key_id, make_secret())
        await queries.rotate(
            connection,
            access.project_id,
            key_id,
            hash_secret(stores.settings.secret, text),
            now + for_as_long if for_as_long else None,
        )
        row = await queries.key(connection, access.project_id, key_id)
        assert row is not None
        await _record(connection, by, access, "key.rotated", before=before, after=row)
    authority_of(stores).forget_key(key_id)
    return row, text.text


async def end_previous_secret(stores: Stores, access: Access, by: By, key_id: str) -> None:
    """End the secret before the last rotation; everywhere within a second. Raises Problem 404."""
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _locked(connection, access, key_id)
        if not await queries.end_previous(connection, access.project_id, key_id):
            raise Problem(NOT_FOUND, "There is no secret before a rotation that would still work.")
        row = await queries.key(connection, access.project_id, key_id)
        await _record(connection, by, access, "key.rotated", before=before, after=row)
    authority_of(stores).forget_key(key_id)


async def revoke_key(stores: Stores, access: Access, by: By, key_id: str) -> None:
    """End a key; it is refused everywhere within a second. Raises Problem 404."""
    pool = await stores.of(access.project_id)
    async with pool.acquire() as connection, connection.transaction():
        before = await _locked(connection, access, key_id)
        await queries.revoke(connection, access.project_id, key_id)
        await _record(connection, by, access, "key.revoked", before=before)
    authority_of(stores).forget_key(key_id)


async def insert(
    connection: "Connection", stores: Stores, project_id: "UUID", draft: Draft, *, created_by: str
) -> ApiKeyText:
    """Keep a new key, in a transaction that has checked who may give it. Raises Problem 422."""
    text = make_key()
    await insert_key(
        connection,
        key_id=text.id,
        project_id=project_id,
        name=draft.name,
        secret_hash=hash_secret(stores.settings.secret, text),
        scopes=draft.scopes,
        sources=draft.sources,
        types=draft.types,
        expires_at=draft.expires_at,
        producer_id=await _producer(connection, project_id, draft.producer),
        created_by=created_by,
    )
    return text


def draft_of(row: "Record") -> Draft:
    """What a key is for."""
    return Draft(row["name"], row["scopes"], row["sources"], row["types"], row["expires_at"], row["producer"])


def recorded(row: "Record") -> dict[str, Any]:
    """A row as the audit log keeps it: without its uses, which are no change."""
    body = KeyBody.model_validate(shown(row))
    used = {"last_used_at", "last_used_from", "previous_used_at"}
    return body.model_dump(mode="json", by_alias=True, exclude=used)


def shown(row: "Record") -> dict[str, Any]:
    """A row as it is answered."""
    members = dict(row)
    kind, _, who = (members.pop("created_by") or "").partition(":")
    name = members.pop("creator_name")
    members["created_by"] = {"kind": kind, "id": who, "name": name} if kind in {"user", "key"} else None
    return members


async def _record(
    connection: "Connection",
    by: By,
    access: Access,
    action: str,
    *,
    before: "Record | None" = None,
    after: "Record | None" = None,
) -> None:
    row = after or before
    assert row is not None
    await record(
        connection,
        by,
        action,
        project_id=access.project_id,
        id=row["id"],
        name=row["name"],
        before=None if before is None else recorded(before),
        after=None if after is None else recorded(after),
    )


async def _locked(connection: "Connection", access: Access, key_id: str) -> "Record":
    """A key that is not revoked, until the transaction ends. Raises Problem 404."""
    if not is_key_id(key_id) or not await queries.lock_live(connection, access.project_id, key_id):
        raise _no_key()
    row = await queries.key(connection, access.project_id, key_id)
    assert row is not None
    return row


async def _producer(connection: "Connection", project_id: "UUID", name: str | None) -> "UUID | None":
    if name is None:
        return None
    found = await queries.producer_named(connection, project_id, name)
    if found is None:
        raise Problem(
            INVALID,
            "This API key cannot be made.",
            errors=[Fault("/producer", "is no producer of this project")],
        )
    return found


def _no_key() -> Problem:
    return Problem(NOT_FOUND, "There is no such API key, or it was revoked.")
