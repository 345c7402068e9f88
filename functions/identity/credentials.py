"""What an account signs in with, and proving anew who is there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from functions.identity.passkeys.queries import passkeys_of
from functions.identity.passkeys.service import Passkeys
from functions.identity.passwords.service import needs_current
from functions.identity.proof import proof_ends, proof_of
from functions.identity.queries import user_by_id
from functions.identity.second_factor.queries import codes_left, factors_of, totp_since
from functions.identity.second_factor.service import SecondFactors
from functions.identity.service import Identity, session_ended, user_id_of
from functions.identity.sessions.families import PROOF_SECONDS
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.auth.access import Principal
from shared.core.problems import INVALID, Fault, Problem

if TYPE_CHECKING:
    from asyncpg import Record

ProofWay = Literal["password", "code", "passkey"]


@dataclass(frozen=True, slots=True)
class Found:
    """What an account signs in with. `proof_ways` are what a proof takes: a passkey, or all the others together."""

    has_password: bool
    needs_current_password: bool
    totp_since: datetime | None
    passkeys: "list[Record]"
    passkeys_work_here: bool
    recovery_codes_left: int
    proof_until: datetime | None
    proof_ways: tuple[ProofWay, ...]


class Credentials:
    """What the accounts of one process sign in with."""

    def __init__(self, identity: Identity, factors: SecondFactors, passkeys: Passkeys) -> None:
        self._identity = identity
        self._factors = factors
        self._passkeys = passkeys

    async def of(self, principal: Principal, visitor: Visitor) -> Found:
        """What the caller signs in with."""
        user = await self._identity.user(user_id_of(principal))
        proof = await proof_of(self._identity, principal)
        pool = await self._identity.resources.pg()
        party = self._identity.party(visitor)
        factors = await factors_of(pool, user.id, party.id if party is not None else "")
        ways: list[ProofWay] = ["passkey"] if "passkey" in factors else []
        if user.has_password:
            ways += ["password", "code"] if factors else ["password"]
        return Found(
            has_password=user.has_password,
            needs_current_password=needs_current(user, proof),
            totp_since=await totp_since(pool, user.id),
            passkeys=await passkeys_of(pool, user.id),
            passkeys_work_here=party is not None,
            recovery_codes_left=await codes_left(pool, user.id),
            proof_until=proof_ends(proof),
            proof_ways=tuple(ways),
        )

    async def prove(
        self,
        principal: Principal,
        *,
        password: str | None,
        code: str | None,
        passkey: dict[str, Any] | None,
        visitor: Visitor,
        by: By,
    ) -> datetime:
        """Note a proof: all that signing in would take. Until when it is enough. Raises Problem 401, 409, 422, 429."""
        user_id = user_id_of(principal)
        if passkey is not None:
            if not await self._passkeys.prove(user_id, passkey, visitor):
                raise _wrong("/passkey", "is not one of yours")
            return await self._proved(principal, "passkey")
        pool = await self._identity.resources.pg()
        row = await user_by_id(pool, user_id)
        if row is None:
            raise session_ended()
        if password is None or row["password_hash"] is None:
            raise _wrong("/password", "is needed; without one, sign in again")
        await self._identity.count_password(row["email"], visitor)
        if not await self._identity.passwords.verify(row["password_hash"], password):
            raise _wrong("/password", "is not right")
        if await factors_of(pool, user_id, ""):
            user = await self._identity.user(user_id)
            if code is None or not await self._factors.check(user, code, visitor, by):
                raise _wrong("/code", "is not right, or was used already")
        await self._identity.succeeded(row["email"], visitor)
        return await self._proved(principal, "password")

    async def _proved(self, principal: Principal, how: Literal["passkey", "password"]) -> datetime:
        sessions = await self._identity.sessions()
        if principal.session is None or not await sessions.prove(principal.session, how):
            raise session_ended()
        return datetime.now(UTC) + timedelta(seconds=PROOF_SECONDS)


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem(
        INVALID, f"This does not prove who you are: {pointer[1:]} {detail}.", errors=[Fault(pointer, detail)]
    )
