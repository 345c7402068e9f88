"""The use cases of sign-in on a device."""

from typing import TYPE_CHECKING, Literal
from uuid import UUID

from functions.identity.device.codes import Answer, Asked, Codes, DeviceCodes
from functions.identity.entered import SignedIn
from functions.identity.notices.service import mail_change
from functions.identity.proof import demand_proof
from functions.identity.service import CHALLENGE, Identity
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.stores import Stores
from shared.cache.windows import Limit, Windows
from shared.core.problems import FORBIDDEN, NOT_FOUND, TOO_MANY_REQUESTS, UNAUTHENTICATED, Problem

if TYPE_CHECKING:
    from redis.asyncio import Redis

MADE = Limit("device-made", 30, 300)
"""Requests from one network."""

TRIED = Limit("device-tried", 20, 300)
"""Short codes that one user tries (RFC 8628, section 5.1): of 20^8 there are."""


class Devices:
    """Sign-in on devices, for one process. A store that is away raises its driver's error."""

    def __init__(self, stores: Stores, identity: Identity) -> None:
        self._stores = stores
        self._identity = identity
        self._windows = Windows()

    async def ask(self, visitor: Visitor, name: str) -> Codes:
        """Have a device ask for a session. Raises Problem 429."""
        await self._count(MADE, visitor.network)
        return await (await self._codes()).make(visitor, name)

    async def poll(self, device_code: str, visitor: Visitor, by: By) -> SignedIn | Answer:
        """What became of it: the session, once, or that nobody has decided yet. Raises Problem 401, 403, 429."""
        answer = await (await self._codes()).poll(device_code)
        if answer.state == "slow":
            wait = str(answer.interval_seconds)
            raise Problem(
                TOO_MANY_REQUESTS,
                f"Asked too often. Ask every {wait} seconds from now on.",
                headers={"Retry-After": wait},
            )
        if answer.state == "denied":
            raise Problem(FORBIDDEN, "Somebody said no to this sign-in, in the browser.")
        if answer.state == "gone":
            raise _is_over()
        if answer.state == "pending":
            by.changed_nothing()
            return answer
        assert answer.user_id is not None
        # Whoever has signed out everywhere meanwhile lets nobody in any more by what they said before.
        if await (await self._identity.sessions()).user_of(answer.session) != answer.user_id:
            raise _is_over()
        return await self._identity.start(answer.user_id, visitor, "device", by)

    async def asked(self, principal: Principal, user_code: str) -> Asked:
        """The device with that short code. Raises Problem 403 for an API key, 404, 429."""
        user_id = await self._person(principal)
        await self._count(TRIED, str(user_id))
        asked = await (await self._codes()).asked(user_code)
        if asked is None:
            raise _no_such_code()
        return asked

    async def decide(
        self,
        principal: Principal,
        user_code: str,
        decision: Literal["approved", "denied"],
        visitor: Visitor,
        by: By,
    ) -> None:
        """Give the device a session of the caller's, or refuse it. Raises Problem 401, 403, 404, 429."""
        asked = await self.asked(principal, user_code)
        if decision == "approved":
            await demand_proof(self._identity, principal)
        assert principal.user_id is not None
        assert principal.session is not None
        pool = await self._stores.pg()
        async with pool.acquire() as connection, connection.transaction():
            await record(
                connection,
                by,
                f"device.{decision}",
                project_id=None,
                name=asked.name or asked.program,
                after={"name": asked.name, "program": asked.program, "address": asked.address},
            )
            # Inside: what was not recorded is not given, and what was decided before is not recorded.
            codes = await self._codes()
            if not await codes.decide(user_code, principal.user_id, principal.session, decision):
                raise _no_such_code()
        if decision == "approved":
            user = await self._identity.user(principal.user_id)
            mail_change(self._identity.resources, user, "device.approved", visitor)

    async def refresh(self, token: str, visitor: Visitor, by: By) -> SignedIn:
        """Exchange the refresh token of a device. Raises Problem 401, for a browser's too."""
        sessions = await self._identity.sessions()
        family = sessions.family_of(token)
        if family is None or await sessions.how_of(family) != "device":
            raise Problem(
                UNAUTHENTICATED, "This session has ended. Sign in again: weir login.", headers=CHALLENGE
            )
        return await self._identity.refresh(token, visitor, by, on_device=True)

    async def sign_out(self, token: str, by: By) -> None:
        """End the session of a device."""
        sessions = await self._identity.sessions()
        family = sessions.family_of(token)
        is_device = family is not None and await sessions.how_of(family) == "device"
        await self._identity.sign_out(token if is_device else None, by)

    async def _person(self, principal: Principal) -> UUID:
        """The caller, if it is a person whose session goes on: an access token outlives it by minutes."""
        if principal.user_id is None or principal.session is None:
            raise Problem(FORBIDDEN, "An API key has no account; this needs a signed-in user.")
        sessions = await self._identity.sessions()
        if await sessions.user_of(principal.session) != principal.user_id:
            raise Problem(UNAUTHENTICATED, "This session has ended. Sign in again.", headers=CHALLENGE)
        if await sessions.how_of(principal.session) == "device":
            raise Problem(FORBIDDEN, "A device's session gives none to others. Sign in with a browser.")
        return principal.user_id

    async def _count(self, limit: Limit, subject: str) -> None:
        redis: Redis = await self._stores.redis()
        wait = await self._windows.count(redis, {f"weir:tries:{limit.name}:{subject}": limit})
        if wait:
            raise Problem(
                TOO_MANY_REQUESTS,
                f"Too many tries. The next one is heard in {wait} seconds.",
                headers={"Retry-After": str(wait)},
            )

    async def _codes(self) -> DeviceCodes:
        return DeviceCodes(await self._stores.redis(), self._stores.settings.secret)


def _is_over() -> Problem:
    return Problem(
        UNAUTHENTICATED,
        "This sign-in has expired or was used. Begin again: weir login.",
        headers=CHALLENGE,
    )


def _no_such_code() -> Problem:
    return Problem(
        NOT_FOUND,
        "No device waits with this code: it is mistyped, was used, or is older than ten minutes.",
    )
