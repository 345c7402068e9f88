"""The use cases of sign-in."""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from functions.identity import queries
from functions.identity.entered import Entered, SignedIn, User, user_of
from functions.identity.passwords.hashing import Passwords
from functions.identity.sessions.families import How, Refused, Session, Sessions
from functions.identity.throttle import Throttle
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal, authority_of
from shared.auth.links import hash_link
from shared.auth.permissions import permissions_of
from shared.auth.queries import public_keys
from shared.auth.stores import Stores
from shared.core.problems import FORBIDDEN, INVALID, TOO_MANY_REQUESTS, UNAUTHENTICATED, Fault, Problem

logger = logging.getLogger("weir.identity")

CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class Membership:
    """A project of a user's."""

    name: str
    role: str
    permissions: list[str]


class Identity:
    """Sign-in for one process. A store that is away raises its driver's error."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._passwords = Passwords()
        self._throttle = Throttle()

    async def start(self, user_id: UUID, visitor: Visitor, how: How, by: By) -> SignedIn:
        """Start a session of somebody who has proved enough, and record it. Raises Problem 401 for a user who is gone."""
        user = await self.user(user_id)
        sessions = await self.sessions()
        session: Session = await sessions.start(user.id, visitor, how)
        by.turned_out_as(user.id, user.name)
        try:
            token = await authority_of(self._stores).issue(user.id, session.family)
            after = {"how": how, "browser": visitor.browser}
            await self._record(by, "session.started", user, session.family, after)
        except BaseException:
            await sessions.end(session.family)
            raise
        return SignedIn(user, token, session.token, how)

    async def enter(self, user_id: UUID, visitor: Visitor, how: How, by: By) -> Entered:
        """What comes after one factor: a session, or the second factor where the account has one."""
        return await self.start(user_id, visitor, how, by)

    async def exchange_link(self, token: str, visitor: Visitor, by: By) -> Entered:
        """Come in by a one-time link. Raises Problem 401 for one that is used up or unknown."""
        pool = await self._stores.pg()
        link = hash_link(token)
        user_id = await queries.link_owner(pool, link)
        if user_id is None:
            raise _link_is_used()
        # The session first: with Redis away the link must stay good.
        entered = await self.enter(user_id, visitor, "link", by)
        if not await queries.use_link(pool, link):
            await self._undo(entered)
            raise _link_is_used()
        return entered

    async def sign_in(self, email: str, password: str, visitor: Visitor, by: By) -> Entered:
        """Come in by a password. Raises Problem 401, 429."""
        email = email.strip().lower()
        await self._count_try(email, visitor.address)
        pool = await self._stores.pg()
        row = await queries.user_by_email(pool, email) if "\0" not in email else None
        password_hash = None if row is None else row["password_hash"]
        if not await self._passwords.verify(password_hash, password):
            raise Problem(
                UNAUTHENTICATED, "No account has this e-mail address and password.", headers=CHALLENGE
            )
        assert row is not None
        assert password_hash is not None
        entered = await self.enter(row["id"], visitor, "password", by)
        await self._throttle.succeeded(await self._stores.redis(), email, visitor.address)
        if self._passwords.is_outdated(password_hash):
            new_hash = await self._passwords.hash(password)
            await queries.set_password_hash(pool, row["id"], new_hash, in_place_of=password_hash)
        return entered

    async def refresh(self, token: str | None, visitor: Visitor, by: By) -> SignedIn:
        """Exchange a refresh token. Raises Problem 401; one that was used before ends its session."""
        sessions = await self.sessions()
        family = sessions.family_of(token) if token is not None else None
        if token is None or family is None:
            raise _session_ended()
        user_id = await sessions.user_of(family)
        if user_id is None:
            raise _session_ended()
        # Everything that can fail comes before the exchange: the cookie would be lost with the answer.
        user = await self.user(user_id)
        access = await authority_of(self._stores).issue(user_id, family)
        rotated = await sessions.rotate(family, token, visitor)
        if isinstance(rotated, Refused):
            if rotated.why == "reused":
                logger.warning("session %s of user %s ended: a refresh token was used twice", family, user_id)
                await self._record(
                    by, "session.ended", user, family, {"why": "a refresh token was used twice"}
                )
                raise _session_ended(
                    "This session was used from two places and has been ended. Sign in again."
                )
            raise _session_ended()
        by.changed_nothing()
        return SignedIn(user, access, rotated.token)

    async def sign_out(self, token: str | None, by: By) -> None:
        """End the session of a refresh token; without one there is nothing to end."""
        sessions = await self.sessions()
        family = sessions.family_of(token) if token is not None else None
        user_id = await sessions.user_of(family) if family is not None else None
        if family is None or user_id is None or not await sessions.end(family):
            by.changed_nothing()
            return
        by.turned_out_as(user_id)
        await self._record(by, "session.ended", await self.user(user_id), family, {"why": "signed out"})

    async def me(self, principal: Principal) -> tuple[User, list[Membership]]:
        """The user and their projects. Raises Problem 403 for an API key."""
        user = await self.user(_user_id(principal))
        rows = await queries.memberships(await self._stores.pg(), user.id)
        return user, [
            Membership(r["name"], r["role"], sorted(permissions_of(r["role"], r["permissions"])))
            for r in rows
        ]

    async def set_password(
        self, principal: Principal, password: str, current_password: str | None, *, address: str, by: By
    ) -> None:
        """Set the password and end the user's other sessions. Raises Problem 403, 422, 429.

        The current password is required when there is one.
        """
        user_id = _user_id(principal)
        pool = await self._stores.pg()
        row = await queries.user_by_id(pool, user_id)
        if row is None:
            raise _session_ended()
        current = row["password_hash"]
        if current is not None:
            await self._count_try(row["email"], address)
            if current_password is None or not await self._passwords.verify(current, current_password):
                raise Problem(
                    INVALID,
                    "The current password is not right.",
                    errors=[Fault("/currentPassword", "is not the current password")],
                )
        new_hash = await self._passwords.hash(password)
        sessions = await self.sessions()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.set_password_hash(connection, user_id, new_hash, in_place_of=current):
                raise Problem(
                    INVALID,
                    "The password was changed meanwhile.",
                    errors=[Fault("/currentPassword", "is not the current password")],
                )
            # Inside, so that a password is never changed while sessions made with the old one go on.
            ended = await sessions.end_others(user_id, principal.session)
            await record(
                connection,
                by,
                "password.changed",
                project_id=None,
                id=user_id,
                name=row["email"],
                before={"hasPassword": current is not None},
                after={"hasPassword": True, "endedSessions": ended},
            )

    async def public_keys(self) -> list[dict[str, Any]]:
        """The JWKs that verify access tokens."""
        return await public_keys(await self._stores.pg())

    async def _count_try(self, account: str, address: str) -> None:
        wait = await self._throttle.count(await self._stores.redis(), account, address)
        if wait:
            raise Problem(
                TOO_MANY_REQUESTS,
                f"Too many tries. The next one is heard in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )

    async def _record(self, by: By, action: str, user: User, family: str, after: dict[str, Any]) -> None:
        pool = await self._stores.pg()
        async with pool.acquire() as connection, connection.transaction():
            await record(connection, by, action, project_id=None, id=family, name=user.email, after=after)

    async def _undo(self, entered: Entered) -> None:
        if isinstance(entered, SignedIn):
            sessions = await self.sessions()
            if (family := sessions.family_of(entered.refresh_token)) is not None:
                await sessions.end(family)

    async def user(self, user_id: UUID) -> User:
        """The user of a session. Raises Problem 401 for one who is gone."""
        row = await queries.user_by_id(await self._stores.pg(), user_id)
        if row is None:
            raise _session_ended()
        return user_of(row)

    async def sessions(self) -> Sessions:
        """The sessions of this deployment."""
        return Sessions(await self._stores.redis(), self._stores.settings.secret)


def _user_id(principal: Principal) -> UUID:
    if principal.user_id is None:
        raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
    return principal.user_id


def _link_is_used() -> Problem:
    return Problem(UNAUTHENTICATED, "This link was used already or has expired.", headers=CHALLENGE)


def _session_ended(detail: str = "This session has ended. Sign in again.") -> Problem:
    return Problem(UNAUTHENTICATED, detail, headers=CHALLENGE)
