"""The use cases of accepting an invitation."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from functions.identity.entered import Entered
from functions.identity.invitations import queries
from functions.identity.passwords.guessable import why_refused
from functions.identity.service import Identity, wait_for
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.authority import authority_of
from shared.auth.giving import lock_people
from shared.auth.invitations import hash_invitation, is_worth
from shared.auth.stores import Stores
from shared.core.ids import uuid7
from shared.core.problems import CONFLICT, FORBIDDEN, INVALID, NOT_FOUND, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Connection, Record

State = Literal["open", "expired", "used", "void", "member"]

_WHY_NOT = {
    "used": "This invitation was accepted already. Sign in with the account that did.",
    "expired": "This invitation has expired. Ask for another one.",
    "void": "Whoever invited you may not do so any more. Ask somebody else in the project.",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """What is told of an invitation to whoever has its link."""

    project: str
    role: str
    email: str
    invited_by: str
    expires_at: datetime
    state: State


class Acceptance:
    """Accepting invitations, for one process. A store that is away raises its driver's error."""

    def __init__(self, stores: Stores, identity: Identity) -> None:
        self._stores = stores
        self._identity = identity

    async def open(self, token: str, principal: Principal | None) -> Opened:
        """What the link is to. Raises Problem 404 for one that was never given out or was revoked."""
        pool = await self._stores.pg()
        async with pool.acquire() as connection, connection.transaction():
            row = _there(await queries.invitation(connection, hash_invitation(token)))
            state = await _state(connection, row)
            user_id = None if principal is None else principal.user_id
            if (
                state == "open"
                and user_id is not None
                and await queries.is_member(connection, row["project_id"], user_id)
            ):
                state = "member"
        return Opened(row["project"], row["role"], row["email"], row["inviter"], row["expires_at"], state)

    async def sign_up(
        self, token: str, visitor: Visitor, by: By, *, name: str | None, password: str | None
    ) -> Entered:
        """Make an account of the invited address, in the project. Raises Problem 404, 409, 422, 429."""
        name, password = _given(name, password)
        pool = await self._stores.pg()
        token_hash = hash_invitation(token)
        row = _there(await queries.invitation(pool, token_hash))
        if row["accepted_at"] is not None:
            raise Problem(CONFLICT, _WHY_NOT["used"])
        if (why := why_refused(password, about=("weir", row["email"], name))) is not None:
            raise Problem(INVALID, f"This password {why}.", errors=[Fault("/password", why)])
        # Without Redis there would be an account and no session: say so before anything is used up.
        redis = await self._stores.redis()
        await redis.ping()
        wait_for(await self._identity.throttle.joining(redis, visitor.network))
        password_hash = await self._identity.passwords.hash(password)
        user_id = uuid7()
        async with pool.acquire() as connection, connection.transaction():
            row = await _lock(connection, token_hash)
            made = await queries.insert_user(
                connection, user_id, email=row["email"], name=name, password_hash=password_hash
            )
            if not made:
                raise Problem(
                    CONFLICT,
                    f"There is an account with the address {row['email']}. Sign in to it, and accept then.",
                )
            by.turned_out_as(user_id, name)
            await _join(connection, row, user_id, by, account=row["email"])
            await record(
                connection,
                by,
                "account.created",
                project_id=None,
                id=user_id,
                name=row["email"],
                after={"email": row["email"], "name": name},
            )
        return await self._identity.enter(user_id, visitor, "invitation", by)

    async def join(self, token: str, principal: Principal, by: By) -> str:
        """Have the signed-in user join; the project's name. Raises Problem 403 for an API key, 404, 409."""
        if principal.user_id is None:
            raise Problem(FORBIDDEN, "An API key joins no project; this needs a signed-in user.")
        user = await self._identity.user(principal.user_id)
        pool = await self._stores.pg()
        async with pool.acquire() as connection, connection.transaction():
            row = await _lock(connection, hash_invitation(token))
            await _join(connection, row, user.id, by, account=user.email)
        authority_of(self._stores).forget_member(user.id, row["project"])
        project: str = row["project"]
        return project


async def _lock(connection: "Connection", token_hash: bytes) -> "Record":
    """The invitation, which is good and nobody else's for now. Raises Problem 404, 409."""
    # The project first, as whoever changes its people does: in another order two could wait for each other.
    row = _there(await queries.invitation(connection, token_hash))
    await lock_people(connection, row["project_id"])
    row = _there(await queries.lock_invitation(connection, token_hash))
    state = await _state(connection, row)
    if state != "open":
        raise Problem(CONFLICT, _WHY_NOT[state])
    return row


async def _join(connection: "Connection", row: "Record", user_id: UUID, by: By, *, account: str) -> None:
    if not await queries.insert_member(connection, row["project_id"], user_id, row["role"]):
        raise Problem(CONFLICT, f"You are in the project {row['project']} already.")
    await queries.use(connection, row["id"], user_id)
    await record(
        connection,
        by,
        "invitation.accepted",
        project_id=row["project_id"],
        id=row["id"],
        name=row["email"],
        before={"email": row["email"], "role": row["role"], "invitedBy": row["invited_by"]},
        after={"account": account, "role": row["role"]},
    )


async def _state(connection: "Connection", row: "Record") -> State:
    if row["accepted_at"] is not None:
        return "used"
    if row["is_over"]:
        return "expired"
    worth = await is_worth(
        connection, row["project_id"], row["project"], invited_by=row["invited_by"], role=row["role"]
    )
    return "open" if worth else "void"


def _there(row: "Record | None") -> "Record":
    if row is None:
        raise Problem(
            NOT_FOUND, "There is no such invitation: the link is not whole, or was revoked or replaced."
        )
    return row


def _given(name: str | None, password: str | None) -> tuple[str, str]:
    """Both, or what is missing. Raises Problem 422."""
    plain = (name or "").strip()
    faults = [
        Fault(pointer, "is missing")
        for pointer, given in (("/name", plain), ("/password", password))
        if not given
    ]
    if faults or password is None:
        raise Problem(INVALID, "A new account needs a name and a password.", errors=faults)
    return plain, password
