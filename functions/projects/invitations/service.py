"""The use cases of invitations, on the project's side. Each change is one transaction."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from functions.projects.invitations import letter, queries
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Access
from shared.auth.giving import check_gives, check_unrestricted, lock_people, role_permissions, standing
from shared.auth.invitations import INVITE, LIFETIME_DAYS, address_of, hash_invitation, is_worth
from shared.auth.keys import make_token
from shared.auth.links import console_of
from shared.cache.windows import Limit, Windows
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, Problem
from shared.core.things import read_uuid
from shared.mail.mailer import mailer_of
from shared.runtime.listing import page_of, read_cursor
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SENT = Limit("invitations", 100, 3600)
"""Links that a project gives out: with each a mail may go to somebody who has not asked for it."""

MAILED = Limit("invited", 5, 24 * 3600)
"""Mails to one address, of all projects together. What comes on top is a link that the inviter hands on."""

State = Literal["pending", "expired", "void"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation and what it is worth now."""

    row: "Record"
    state: State


@dataclass(frozen=True, slots=True)
class Invited:
    """One that was made or made anew, with its link."""

    row: "Record"
    link: str = field(repr=False)
    mailed: bool


class Invitations:
    """The invitations of projects, for one process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._mailer = mailer_of(resources)
        self._windows = Windows()

    async def page(
        self, access: Access, *, limit: int, cursor: str | None
    ) -> tuple[list[Invitation], str | None]:
        """Those that nobody has accepted, newest first. Raises Problem 422 for a bad cursor."""
        after = read_cursor(cursor)
        pool = await self._resources.of(access.project_id)
        # One view of the project for all of them: what is worth a link is read under a lock.
        async with pool.acquire() as connection, connection.transaction():
            rows = await queries.open_invitations(connection, access.project_id, after=after, limit=limit + 1)
            rows, following = page_of(rows, limit)
            worth: dict[tuple[str, str], bool] = {}
            found = [Invitation(row, await _state(connection, access, row, worth)) for row in rows]
        return found, following

    async def create(self, access: Access, by: By, *, email: str, role: str) -> Invited:
        """Invite somebody. Raises Problem 403, 409, 422, 429."""
        email = email.strip().lower()
        await self._count(access)
        token = make_token()
        invitation_id = uuid7()
        pool = await self._resources.of(access.project_id)
        async with pool.acquire() as connection, connection.transaction():
            await _check_gives(connection, access, role)
            if await queries.is_member(connection, access.project_id, email):
                raise Problem(CONFLICT, f"{email} is in this project already.")
            if await queries.is_invited(connection, access.project_id, email):
                raise Problem(
                    CONFLICT, f"{email} is invited already. Send that invitation again, or revoke it."
                )
            await queries.drop_expired(connection, access.project_id, email)
            await queries.insert_invitation(
                connection,
                invitation_id=invitation_id,
                project_id=access.project_id,
                email=email,
                role=role,
                token_hash=hash_invitation(token),
                invited_by=access.principal,
                days=LIFETIME_DAYS,
            )
            row = await _found(connection, access, invitation_id)
            await _record(connection, access, by, "created", after=row)
        return await self._sent(access, row, token)

    async def resend(self, access: Access, by: By, invitation: str) -> Invited:
        """Make another link for it, in the caller's name; the one before is void. Raises Problem 403, 404, 429."""
        await self._count(access)
        token = make_token()
        pool = await self._resources.of(access.project_id)
        async with pool.acquire() as connection, connection.transaction():
            before = await _found(connection, access, _id(invitation))
            await _check_gives(connection, access, before["role"])
            renewed = await queries.renew(
                connection,
                access.project_id,
                before["id"],
                token_hash=hash_invitation(token),
                invited_by=access.principal,
                days=LIFETIME_DAYS,
            )
            if not renewed:
                raise _not_there()
            row = await _found(connection, access, before["id"])
            await _record(connection, access, by, "resent", before=before, after=row)
        return await self._sent(access, row, token)

    async def revoke(self, access: Access, by: By, invitation: str) -> None:
        """Make its link void. Raises Problem 403, 404."""
        check_unrestricted(access, "revoke invitations")
        pool = await self._resources.of(access.project_id)
        async with pool.acquire() as connection, connection.transaction():
            await lock_people(connection, access.project_id)
            before = await _found(connection, access, _id(invitation))
            if not await queries.delete(connection, access.project_id, before["id"]):
                raise _not_there()
            await _record(connection, access, by, "revoked", before=before)

    async def _sent(self, access: Access, row: "Record", token: str) -> Invited:
        link = address_of(console_of(self._resources.settings), token)
        key = f"weir:tries:{MAILED.name}:{sha256(row['email'].encode()).hexdigest()[:32]}"
        if not self._mailer.is_configured or await self._windows.count(
            await self._resources.redis(), {key: MAILED}
        ):
            return Invited(row, link, mailed=False)
        self._mailer.send(
            to=row["email"],
            subject=letter.subject(access.project_name),
            text=letter.text(
                inviter=row["inviter"] if row["invited_by"].startswith("user:") else "",
                project=access.project_name,
                role=row["role"],
                link=link,
                days=LIFETIME_DAYS,
            ),
        )
        return Invited(row, link, mailed=True)

    async def _count(self, access: Access) -> None:
        key = f"weir:tries:{SENT.name}:{access.project_id}"
        if wait := await self._windows.count(await self._resources.redis(), {key: SENT}):
            raise Problem(
                TOO_MANY_REQUESTS,
                f"This project has given out {SENT.tries} invitations within an hour. Go on in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )


async def _check_gives(connection: "Connection", access: Access, role: str) -> None:
    """Raises Problem 403 for a role that may do what the caller may not, 422 for what is none."""
    check_unrestricted(access, "invite people")
    await lock_people(connection, access.project_id)
    may = await standing(connection, access, INVITE)
    check_gives(may, await role_permissions(connection, access.project_id, role), "Whoever is invited")


async def _state(
    connection: "Connection", access: Access, row: "Record", worth: dict[tuple[str, str], bool]
) -> State:
    if row["is_over"]:
        return "expired"
    pair = (row["invited_by"], row["role"])
    if pair not in worth:
        worth[pair] = await is_worth(
            connection, access.project_id, access.project_name, invited_by=pair[0], role=pair[1]
        )
    return "pending" if worth[pair] else "void"


async def _found(connection: "Connection", access: Access, invitation_id: UUID) -> "Record":
    row = await queries.invitation(connection, access.project_id, invitation_id)
    if row is None:
        raise _not_there()
    return row


def _id(text: str) -> UUID:
    found = read_uuid(text)
    if found is None:
        raise _not_there()
    return found


def _not_there() -> Problem:
    return Problem(NOT_FOUND, "There is no such invitation: it was accepted, was revoked, or never was.")


async def _record(
    connection: "Connection",
    access: Access,
    by: By,
    what: Literal["created", "resent", "revoked"],
    *,
    before: "Record | None" = None,
    after: "Record | None" = None,
) -> None:
    row = after or before
    assert row is not None
    await record(
        connection,
        by,
        f"invitation.{what}",
        project_id=access.project_id,
        id=row["id"],
        name=row["email"],
        before=_recorded(before),
        after=_recorded(after),
    )


def _recorded(row: "Record | None") -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "email": row["email"],
        "role": row["role"],
        "invitedBy": row["invited_by"],
        "expiresAt": row["expires_at"],
    }
