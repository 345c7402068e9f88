"""The use cases of sign-in by a provider.

Who somebody is here hangs on what the provider calls them for good (`iss` and `sub`), never on an address. An address
opens no account: whoever has one with the address that the provider gives signs in to it in another way first, and from
then on the two belong together. So neither who controls an address at a provider, nor who once made an
account with somebody else's, gets into what is another's.
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from functions.identity.entered import Entered
from functions.identity.oidc import queries
from functions.identity.oidc.provider import NotBelieved, Profile, Provider, ProviderAway
from functions.identity.oidc.rounds import LIFETIME_SECONDS, Known, Rounds
from functions.identity.oidc.settings import OidcSettings
from functions.identity.queries import user_by_email
from functions.identity.service import CHALLENGE, Identity
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.invitations import is_open
from shared.cache.windows import Limit, Windows
from shared.core.ids import uuid7
from shared.core.problems import (
    CONFLICT,
    FORBIDDEN,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNAVAILABLE,
    Problem,
)
from shared.mail.mailer import mailer_of
from shared.mail.settings import is_address
from shared.runtime.resources import Resources

BEGUN = Limit("oidc", 60, 300)
"""Rounds that one network begins."""

MAX_NAME = 200

logger = logging.getLogger("weir.identity")


@dataclass(frozen=True, slots=True)
class LinkStep:
    """There is an account with that address: it has to be signed in to before the ticket links it."""

    email: str
    ticket: str = field(repr=False)
    expires_at: datetime


class Elsewhere:
    """Sign-in by the provider that the settings name, if any. A store that is away raises its driver's error."""

    def __init__(self, resources: Resources, identity: Identity, settings: OidcSettings) -> None:
        self._resources = resources
        self._identity = identity
        self._settings = settings
        self._provider = (
            Provider(settings, resources.settings.sink_allow) if settings.oidc_issuer is not None else None
        )
        self._windows = Windows()

    @property
    def name(self) -> str | None:
        """What the provider is called, where there is one."""
        return None if self._provider is None else self._settings.name

    async def begin(self, visitor: Visitor, binder: str, redirect_uri: str) -> str:
        """Where the browser goes. Raises Problem 404 without a provider, 429, 503."""
        provider = self._there()
        redis = await self._resources.redis()
        key = f"weir:tries:{BEGUN.name}:{visitor.network}"
        if wait := await self._windows.count(redis, {key: BEGUN}):
            raise Problem(
                TOO_MANY_REQUESTS,
                f"Too many tries. The next one is heard in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )
        state, begun = await (await self._rounds()).begin(binder, redirect_uri)
        try:
            return await provider.authorization_url(
                state=state, nonce=begun.nonce, verifier=begun.verifier, redirect_uri=redirect_uri
            )
        except ProviderAway as error:
            raise self._away(error) from error

    async def finish(
        self,
        visitor: Visitor,
        by: By,
        *,
        binder: str | None,
        state: str,
        code: str,
        said_issuer: str | None,
        invitation: str | None,
    ) -> Entered | LinkStep:
        """Come in by what the provider answered. Raises Problem 401, 403, 404, 503."""
        provider = self._there()
        begun = await (await self._rounds()).finish(binder, state) if binder is not None else None
        if begun is None:
            raise Problem(
                UNAUTHENTICATED,
                "This sign-in was not begun in this browser, took too long, or was finished already. Begin again.",
                headers=CHALLENGE,
            )
        try:
            profile = await provider.profile(
                code=code,
                said_issuer=said_issuer,
                nonce=begun.nonce,
                verifier=begun.verifier,
                redirect_uri=begun.redirect_uri,
            )
        except ProviderAway as error:
            raise self._away(error) from error
        except NotBelieved as error:
            raise Problem(
                UNAUTHENTICATED,
                f"What {self._settings.name} answered cannot be used. Begin again.",
                headers=CHALLENGE,
                internal=str(error),
            ) from error
        pool = await self._resources.pg()
        user_id = await queries.user_of(pool, profile.issuer, profile.subject)
        if user_id is not None:
            return await self._identity.enter(user_id, visitor, "sso", by)
        email = self._email(profile)
        if await user_by_email(pool, email) is not None:
            by.changed_nothing()
            assert binder is not None
            known = Known(profile.issuer, profile.subject, email)
            ticket = await (await self._rounds()).hold(binder, known)
            return LinkStep(email, ticket, datetime.now(UTC) + timedelta(seconds=LIFETIME_SECONDS))
        if not self._settings.lets_in(email) and not (
            invitation is not None and await is_open(pool, invitation)
        ):
            raise Problem(
                FORBIDDEN,
                f"{email} has no account here. Ask somebody in the project for an invitation.",
            )
        return await self._make(profile, email, visitor, by)

    async def link(self, principal: Principal, by: By, *, binder: str | None, ticket: str) -> None:
        """Have the caller sign in by the provider from now on. Raises Problem 401, 403, 404, 409."""
        self._there()
        if principal.user_id is None:
            raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
        sessions = await self._identity.sessions()
        proof = await sessions.proof_of(principal.session)
        if proof is None or not proof.is_recent:
            raise Problem(FORBIDDEN, "Sign in again first: this needs a session that has just begun.")
        known = await (await self._rounds()).take(binder, ticket) if binder is not None else None
        user = await self._identity.user(principal.user_id)
        if known is None:
            raise Problem(NOT_FOUND, "This took too long, or was done already. Begin again.")
        if known.email != user.email:
            raise Problem(
                FORBIDDEN,
                f"{self._settings.name} knows {known.email}, and you are signed in as {user.email}.",
            )
        pool = await self._resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.link(connection, known.issuer, known.subject, user.id, known.email):
                raise Problem(CONFLICT, f"This account of {self._settings.name} has one here already.")
            await record(
                connection,
                by,
                "identity.linked",
                project_id=None,
                id=user.id,
                name=user.email,
                after={"issuer": known.issuer, "subject": known.subject},
            )
        mailer_of(self._resources).send(
            to=user.email,
            subject=f"You can sign in to Weir with {self._settings.name}",
            text=f"From now on your account {user.email} at {self._resources.settings.public_url} can be signed"
            f" in to with {self._settings.name}.\n\nIf that was not you, change your password, sign out everywhere,"
            " and tell whoever runs this Weir.\n",
        )

    async def _make(self, profile: Profile, email: str, visitor: Visitor, by: By) -> Entered:
        """An account for somebody new, in no project yet."""
        user_id = uuid7()
        name = "".join(sign for sign in profile.name if sign.isprintable()).strip()[:MAX_NAME] or email
        pool = await self._resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.insert_user(connection, user_id, email, name) or not await queries.link(
                connection, profile.issuer, profile.subject, user_id, email
            ):
                raise Problem(CONFLICT, "The account was made at the same time. Begin again.")
            by.turned_out_as(user_id, name)
            await record(
                connection,
                by,
                "account.created",
                project_id=None,
                id=user_id,
                name=email,
                after={"email": email, "name": name, "issuer": profile.issuer, "subject": profile.subject},
            )
        return await self._identity.enter(user_id, visitor, "sso", by)

    def _email(self, profile: Profile) -> str:
        """The address that an account can be made or found with. Raises Problem 403."""
        if profile.email is None or not is_address(profile.email):
            raise Problem(
                FORBIDDEN,
                f"{self._settings.name} does not say that it has verified your e-mail address. "
                "Verify it there, or sign in here in another way.",
            )
        return profile.email

    def _there(self) -> Provider:
        if self._provider is None:
            raise Problem(NOT_FOUND, "Nobody else signs people in here.")
        return self._provider

    def _away(self, error: ProviderAway) -> Problem:
        return Problem(
            UNAVAILABLE,
            f"{self._settings.name} does not answer. Try again in a moment, or sign in in another way.",
            headers={"Retry-After": "10"},
            internal=str(error),
        )

    async def _rounds(self) -> Rounds:
        return Rounds(await self._resources.redis(), self._resources.settings.secret)
