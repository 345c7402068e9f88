"""The use cases of sign-in that begin and end sessions."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from functions.identity import queries
from functions.identity.entered import Entered, SignedIn, Step, User, user_of
from functions.identity.known_devices import known_device
from functions.identity.notices import service as notices
from functions.identity.passkeys.party import Party, party_of
from functions.identity.passwords.hashing import Passwords
from functions.identity.refusals import Refusals
from functions.identity.second_factor.queries import factors_of
from functions.identity.sessions.families import How, Refused, Sessions
from functions.identity.throttle import Throttle
from functions.identity.tickets import Tickets
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.authority import authority_of
from shared.auth.links import hash_link
from shared.auth.permissions import permissions_of
from shared.auth.queries import public_keys
from shared.core.problems import FORBIDDEN, TOO_MANY_REQUESTS, UNAUTHENTICATED, Problem
from shared.runtime.resources import Resources

logger = logging.getLogger("weir.identity")

CHALLENGE = {"WWW-Authenticate": "Bearer"}
STEP_SECONDS = 5 * 60
"""How long somebody has for the second factor."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A project of a user's."""

    name: str
    role: str
    permissions: list[str]


class Identity:
    """Sign-in for one process. A store that is away raises its driver's error."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.passwords = Passwords()
        self.throttle = Throttle()
        self.refusals = Refusals()

    async def start(self, user_id: UUID, visitor: Visitor, how: How, by: By) -> SignedIn:
        """Start a session of somebody who has proved enough, and record it. Raises Problem 401 for a user who is gone."""
        user = await self.user(user_id)
        sessions = await self.sessions()
        session = await sessions.start(user.id, visitor, how)
        by.turned_out_as(user.id, user.name)
        try:
            token = await authority_of(self.resources).issue(user.id, session.family)
            after = {"how": how, "browser": visitor.browser}
            await self.record(by, "session.started", user, session.family, after)
        except BaseException:
            await sessions.end(session.family)
            raise
        return SignedIn(user, token, session.token, how)

    async def enter(self, user_id: UUID, visitor: Visitor, how: How, by: By) -> Entered:
        """What comes after one factor, whichever it was: a session, or the second where the account has one.

        A step changes nothing: what is recorded when the second factor was shown says both.
        """
        party = self.party(visitor)
        found = await factors_of(await self.resources.pg(), user_id, party.id if party is not None else "")
        if not found:
            return await self.start(user_id, visitor, how, by)
        ticket = await (await self.steps()).give({"user": str(user_id), "how": how})
        by.changed_nothing()
        return Step(ticket, found, datetime.now(UTC) + timedelta(seconds=STEP_SECONDS))

    async def exchange_link(self, token: str, visitor: Visitor, by: By) -> Entered:
        """Come in by a one-time link. Raises Problem 401 for one that is used up or unknown."""
        pool = await self.resources.pg()
        link = hash_link(token)
        user_id = await queries.link_owner(pool, link)
        if user_id is None:
            raise _link_is_used()
        # The session first: with Redis away the link must stay good.
        entered = await self.enter(user_id, visitor, "link", by)
        if not await queries.use_link(pool, link):
            await self._undo(entered)
            raise _link_is_used()
        if isinstance(entered, Step):
            await self.record(by, "link.used", await self.user(user_id), None, {"next": "secondFactor"})
        return entered

    async def sign_in(self, email: str, password: str, visitor: Visitor, by: By) -> Entered:
        """Come in by a password. Raises Problem 401, 429."""
        email = email.strip().lower()
        await self.count_password(email, visitor)
        pool = await self.resources.pg()
        row = await queries.user_by_email(pool, email) if "\0" not in email else None
        password_hash = None if row is None else row["password_hash"]
        if not await self.passwords.verify(password_hash, password):
            logger.info("a password was refused; from %s", visitor.address)
            await self.refusals.record(self.resources, by, row)
            raise Problem(
                UNAUTHENTICATED, "No account has this e-mail address and password.", headers=CHALLENGE
            )
        assert row is not None
        assert password_hash is not None
        entered = await self.enter(row["id"], visitor, "password", by)
        await self.succeeded(email, visitor)
        if self.passwords.is_outdated(password_hash):
            new_hash = await self.passwords.hash(password)
            await queries.set_password_hash(pool, row["id"], new_hash, in_place_of=password_hash)
        return entered

    async def refresh(
        self, token: str | None, visitor: Visitor, by: By, *, on_device: bool = False
    ) -> SignedIn:
        """Exchange a refresh token, of a device only `on_device`. Raises Problem 401; a used one ends its session."""
        sessions = await self.sessions()
        family = sessions.family_of(token) if token is not None else None
        if token is None or family is None:
            raise session_ended()
        user_id = await sessions.user_of(family)
        if user_id is None or (not on_device and await sessions.how_of(family) == "device"):
            raise session_ended()
        # Everything that can fail comes before the exchange: the cookie would be lost with the answer.
        user = await self.user(user_id)
        access = await authority_of(self.resources).issue(user_id, family)
        rotated = await sessions.rotate(family, token, visitor)
        if isinstance(rotated, Refused):
            if rotated.why == "reused":
                logger.warning("session %s of user %s ended: a refresh token was used twice", family, user_id)
                await notices.tell_of_reuse(self.resources, user, visitor, by, family)
                raise session_ended(
                    "This session was used from two places and has been ended. Sign in again."
                )
            raise session_ended()
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
        row = await queries.user_by_id(await self.resources.pg(), user_id)
        if row is None:
            by.changed_nothing()
            return
        by.turned_out_as(user_id, row["name"])
        await self.record(by, "session.ended", user_of(row), family, {"why": "signed out"})

    async def me(self, principal: Principal) -> tuple[User, list[Membership]]:
        """The user and their projects. Raises Problem 403 for an API key."""
        user = await self.user(user_id_of(principal))
        rows = await queries.memberships(await self.resources.pg(), user.id)
        return user, [
            Membership(r["name"], r["role"], sorted(permissions_of(r["role"], r["permissions"])))
            for r in rows
        ]

    async def rename(self, principal: Principal, name: str, by: By) -> User:
        """Change one's name."""
        user = await self.user(user_id_of(principal))
        if user.name == name:
            by.changed_nothing()
            return user
        pool = await self.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            await queries.rename_user(connection, user.id, name)
            await record(
                connection,
                by,
                "user.changed",
                project_id=None,
                id=user.id,
                name=user.email,
                before={"name": user.name},
                after={"name": name},
            )
        return User(user.id, user.email, name, user.has_password)

    async def public_keys(self) -> list[dict[str, Any]]:
        """The JWKs that verify access tokens."""
        return await public_keys(await self.resources.pg())

    async def user(self, user_id: UUID) -> User:
        """The user of a session. Raises Problem 401 for one who is gone."""
        row = await queries.user_by_id(await self.resources.pg(), user_id)
        if row is None:
            raise session_ended()
        return user_of(row)

    async def sessions(self) -> Sessions:
        """The sessions of this deployment."""
        return Sessions(await self.resources.redis(), self.resources.settings.secret)

    async def steps(self) -> Tickets:
        """Who has shown the first factor, and is asked for the second."""
        return Tickets(await self.resources.redis(), self.resources.settings.secret, "step", STEP_SECONDS)

    def party(self, visitor: Visitor) -> Party | None:
        """Whom passkeys are for on the page that asks; None where there can be none."""
        settings = self.resources.settings
        return party_of(visitor.origin, settings.public_url, settings.console_origins)

    def device(self, visitor: Visitor, email: str) -> str | None:
        """The name of the visitor's device, when that account signed in with it before; a session is one."""
        return visitor.session or known_device(self.resources.settings.secret, visitor.device, email)

    async def count_password(self, email: str, visitor: Visitor) -> None:
        """Count a try of a password. Raises Problem 429."""
        redis = await self.resources.redis()
        wait_for(await self.throttle.password(redis, email, visitor.network, self.device(visitor, email)))

    async def succeeded(self, email: str, visitor: Visitor, *, code: bool = False) -> None:
        """Forget the tries of somebody who knew the password, or the code."""
        redis = await self.resources.redis()
        device = self.device(visitor, email)
        await self.throttle.succeeded(redis, email, visitor.network, device, code=code)

    async def record(
        self, by: By, action: str, user: User, thing: str | UUID | None, after: dict[str, Any]
    ) -> None:
        """Record what was done beside the database: a change of a session."""
        pool = await self.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            await record(connection, by, action, project_id=None, id=thing, name=user.email, after=after)

    async def _undo(self, entered: Entered) -> None:
        if isinstance(entered, SignedIn):
            sessions = await self.sessions()
            if (family := sessions.family_of(entered.refresh_token)) is not None:
                await sessions.end(family)
        else:
            await (await self.steps()).take(entered.ticket)


def wait_for(seconds: int) -> None:
    """Raises Problem 429 when there is something to wait for."""
    if seconds:
        raise Problem(
            TOO_MANY_REQUESTS,
            f"Too many tries. The next one is heard in {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )


def user_id_of(principal: Principal) -> UUID:
    """The user in a session. Raises Problem 403 for an API key."""
    if principal.user_id is None:
        raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
    return principal.user_id


def _link_is_used() -> Problem:
    return Problem(UNAUTHENTICATED, "This link was used already or has expired.", headers=CHALLENGE)


def session_ended(detail: str = "This session has ended. Sign in again.") -> Problem:
    """401 for a session that is no more."""
    return Problem(UNAUTHENTICATED, detail, headers=CHALLENGE)
