"""The use cases of sign-in."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions.identity import queries
from functions.identity.passwords import Passwords
from functions.identity.sessions import Refused, Session, Sessions
from functions.identity.throttle import Throttle
from shared.auth.access import Principal, authority_of
from shared.auth.links import hash_link
from shared.auth.permissions import permissions_of
from shared.auth.queries import public_keys
from shared.auth.stores import Stores
from shared.auth.tokens import AccessToken
from shared.core.problems import FORBIDDEN, INVALID, TOO_MANY_REQUESTS, UNAUTHENTICATED, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Record

logger = logging.getLogger("weir.identity")

CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True, slots=True)
class User:
    """A person, as others may see them."""

    id: UUID
    email: str
    name: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was started or refreshed. `refresh_token` goes into the cookie only."""

    user: User
    access: AccessToken
    refresh_token: str = field(repr=False)


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

    async def exchange_link(self, token: str, client: str) -> SignedIn:
        """Start a session with a one-time link. Raises Problem 401 for one that is used up or unknown."""
        pool = await self._stores.pg()
        link = hash_link(token)
        user_id = await queries.link_owner(pool, link)
        if user_id is None:
            raise _link_is_used()
        # The session first: with Redis away the link must stay good.
        started = await self._start(await self._user(user_id), client)
        if not await queries.use_link(pool, link):
            sessions = await self._sessions()
            if (family := sessions.family_of(started.refresh_token)) is not None:
                await sessions.end(family)
            raise _link_is_used()
        return started

    async def sign_in(self, email: str, password: str, *, client: str, address: str) -> SignedIn:
        """Start a session with a password. Raises Problem 401, 429."""
        email = email.strip().lower()
        await self._count_try(email, address)
        pool = await self._stores.pg()
        row = await queries.user_by_email(pool, email) if "\0" not in email else None
        password_hash = None if row is None else row["password_hash"]
        if not await self._passwords.verify(password_hash, password):
            raise Problem(
                UNAUTHENTICATED, "No account has this e-mail address and password.", headers=CHALLENGE
            )
        assert row is not None
        assert password_hash is not None
        started = await self._start(_user(row), client)
        await self._throttle.succeeded(await self._stores.redis(), email, address)
        if self._passwords.is_outdated(password_hash):
            new_hash = await self._passwords.hash(password)
            await queries.set_password_hash(pool, row["id"], new_hash, in_place_of=password_hash)
        return started

    async def refresh(self, token: str | None, client: str) -> SignedIn:
        """Exchange a refresh token. Raises Problem 401; one that was used before ends its session."""
        sessions = await self._sessions()
        family = sessions.family_of(token) if token is not None else None
        if token is None or family is None:
            raise _session_ended()
        user_id = await sessions.user_of(family)
        if user_id is None:
            raise _session_ended()
        # Everything that can fail comes before the exchange: the cookie would be lost with the answer.
        user = await self._user(user_id)
        access = await authority_of(self._stores).issue(user_id, family)
        rotated = await sessions.rotate(family, token, client)
        if isinstance(rotated, Refused):
            if rotated.why == "reused":
                logger.warning("session %s of user %s ended: a refresh token was used twice", family, user_id)
                raise _session_ended(
                    "This session was used from two places and has been ended. Sign in again."
                )
            raise _session_ended()
        return SignedIn(user, access, rotated.token)

    async def sign_out(self, token: str | None) -> None:
        """End the session of a refresh token; without one there is nothing to end."""
        sessions = await self._sessions()
        if token is not None and (family := sessions.family_of(token)) is not None:
            await sessions.end(family)

    async def me(self, principal: Principal) -> tuple[User, list[Membership]]:
        """The user and their projects. Raises Problem 403 for an API key."""
        user = await self._user(_user_id(principal))
        rows = await queries.memberships(await self._stores.pg(), user.id)
        return user, [
            Membership(r["name"], r["role"], sorted(permissions_of(r["role"], r["permissions"])))
            for r in rows
        ]

    async def set_password(
        self, principal: Principal, password: str, current_password: str | None, *, address: str
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
        sessions = await self._sessions()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.set_password_hash(connection, user_id, new_hash, in_place_of=current):
                raise Problem(
                    INVALID,
                    "The password was changed meanwhile.",
                    errors=[Fault("/currentPassword", "is not the current password")],
                )
            # Inside, so that a password is never changed while sessions made with the old one go on.
            await sessions.end_others(user_id, principal.session)

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

    async def _start(self, user: User, client: str) -> SignedIn:
        session: Session = await (await self._sessions()).start(user.id, client)
        access = await authority_of(self._stores).issue(user.id, session.family)
        return SignedIn(user, access, session.token)

    async def _user(self, user_id: UUID) -> User:
        row = await queries.user_by_id(await self._stores.pg(), user_id)
        if row is None:
            raise _session_ended()
        return _user(row)

    async def _sessions(self) -> Sessions:
        return Sessions(await self._stores.redis(), self._stores.settings.secret)


def _user(row: "Record") -> User:
    return User(row["id"], row["email"], row["name"], row["password_hash"] is not None)


def _user_id(principal: Principal) -> UUID:
    if principal.user_id is None:
        raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
    return principal.user_id


def _link_is_used() -> Problem:
    return Problem(UNAUTHENTICATED, "This link was used already or has expired.", headers=CHALLENGE)


def _session_ended(detail: str = "This session has ended. Sign in again.") -> Problem:
    return Problem(UNAUTHENTICATED, detail, headers=CHALLENGE)
