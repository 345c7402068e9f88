"""The use cases of second factors: show one, set them up, put them away."""

import logging
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from functions.identity.entered import SignedIn, User
from functions.identity.notices import service as notices
from functions.identity.proof import demand_proof
from functions.identity.second_factor import queries, recovery, totp
from functions.identity.service import CHALLENGE, Identity, user_id_of, wait_for
from functions.identity.throttle import CODE_ACCOUNT
from functions.identity.visitor import Visitor
from shared.audit.by import By
from shared.audit.record import record
from shared.auth.access import Principal
from shared.auth.sealing import UnsealError, seal, unseal
from shared.core.problems import CONFLICT, INVALID, NOT_FOUND, UNAUTHENTICATED, Fault, Problem

logger = logging.getLogger("weir.identity")

_CODE = re.compile(rf"\d{{{totp.DIGITS}}}")


@dataclass(frozen=True, slots=True)
class NewTotp:
    """What an authenticator is given: the secret as it is typed, and as a QR code says it."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class Codes:
    """A new set of recovery codes, and what is kept of it."""

    written: list[str]
    salt: bytes
    hashes: list[bytes]


class SecondFactors:
    """Second factors of one process's accounts."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def complete(self, ticket: str, code: str, visitor: Visitor, by: By) -> SignedIn:
        """Come in by a code, after the first factor. Raises Problem 401, 422, 429."""
        steps = await self._identity.steps()
        step = await steps.look(ticket)
        if step is None:
            raise ticket_is_old()
        user = await self._identity.user(UUID(step["user"]))
        if not await self.check(user, code, visitor, by):
            raise Problem(
                INVALID,
                "This code is not right, or was used already.",
                errors=[Fault("/code", "is not right, or was used already")],
            )
        if await steps.take(ticket) is None:
            raise ticket_is_old()
        return await self._identity.start(user.id, visitor, step["how"], by)

    async def check(self, user: User, code: str, visitor: Visitor, by: By) -> bool:
        """Whether that is a code of the user's; it is used up then. Raises Problem 429."""
        await self._count(user, visitor)
        written = re.sub(r"[\s-]+", "", code)
        recovery_code = recovery.read_code(code)
        right = False
        if _CODE.fullmatch(written):
            right = await self._check_totp(user.id, written)
        elif recovery_code is not None:
            right = await self._check_recovery(user, recovery_code, visitor, by)
        if right:
            await self._identity.succeeded(user.email, visitor, code=True)
        return right

    async def begin(self, principal: Principal) -> NewTotp:
        """A secret for an authenticator. It counts when a code of it was shown. Raises Problem 403, 409."""
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        secret = totp.make_secret()
        sealed = seal(self._identity.resources.settings.sealing, secret, purpose=purpose_of(user.id))
        if not await queries.put_totp(await self._identity.resources.pg(), user.id, sealed):
            raise Problem(CONFLICT, "An authenticator is set up already. Remove it first to set up another.")
        issuer = f"Weir {urlsplit(self._identity.resources.settings.public_url).netloc}"
        return NewTotp(totp.written(secret), totp.address(secret, issuer=issuer, account=user.email))

    async def confirm(self, principal: Principal, code: str, visitor: Visitor, by: By) -> list[str] | None:
        """Have the authenticator count from now on. New recovery codes, if there were none. Raises Problem 403, 404, 422."""
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        await self._count(user, visitor, tell=False)
        pool = await self._identity.resources.pg()
        row = await queries.totp(pool, user.id)
        if row is None or row["confirmed_at"] is not None:
            raise Problem(NOT_FOUND, "No authenticator is being set up. Begin at POST /v1/me/totp.")
        secret = self._open(user.id, row["secret_sealed"])
        step = secret and totp.step_of(secret, re.sub(r"\s+", "", code), now=time.time())
        if not step:
            raise Problem(
                INVALID,
                "This code is not right. Is the clock of the device right?",
                errors=[Fault("/code", "is not right; is the clock of the device right?")],
            )
        codes = await self.codes_for_first_factor(user.id)
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.confirm_totp(connection, user.id, row["secret_sealed"], step):
                raise Problem(CONFLICT, "Another secret was made meanwhile. Begin anew.")
            if codes is not None:
                await queries.replace_recovery_codes(connection, user.id, codes.salt, codes.hashes)
            await record(connection, by, "totp.added", project_id=None, id=user.id, name=user.email, after={})
        await self._identity.succeeded(user.email, visitor, code=True)
        notices.mail_change(self._identity.resources, user, "totp.added", visitor)
        return None if codes is None else codes.written

    async def remove(self, principal: Principal, visitor: Visitor, by: By) -> None:
        """Ask for no codes of an authenticator any more. Raises Problem 403, 404."""
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        pool = await self._identity.resources.pg()
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.remove_totp(connection, user.id):
                raise Problem(NOT_FOUND, "There is no authenticator.")
            await queries.drop_codes_without_factor(connection, user.id)
            await record(
                connection, by, "totp.removed", project_id=None, id=user.id, name=user.email, before={}
            )
        notices.mail_change(self._identity.resources, user, "totp.removed", visitor)

    async def renew_codes(self, principal: Principal, visitor: Visitor, by: By) -> list[str]:
        """New recovery codes; those before are void. Raises Problem 403, 409 where there is no second factor, 429."""
        await demand_proof(self._identity, principal)
        user = await self._identity.user(user_id_of(principal))
        pool = await self._identity.resources.pg()
        if not await queries.factors_of(pool, user.id, ""):
            raise Problem(CONFLICT, "There is no second factor that they would stand in for.")
        redis = await self._identity.resources.redis()
        wait_for(await self._identity.throttle.renewed(redis, user.email))
        codes = await self._new_codes()
        async with pool.acquire() as connection, connection.transaction():
            await queries.replace_recovery_codes(connection, user.id, codes.salt, codes.hashes)
            await record(
                connection,
                by,
                "recovery_codes.renewed",
                project_id=None,
                id=user.id,
                name=user.email,
                after={},
            )
        notices.mail_change(self._identity.resources, user, "recovery_codes.renewed", visitor)
        return codes.written

    async def codes_for_first_factor(self, user_id: UUID) -> Codes | None:
        """Recovery codes for somebody who sets up their first second factor; None for who has some."""
        pool = await self._identity.resources.pg()
        return None if await queries.codes_left(pool, user_id) else await self._new_codes()

    async def _count(self, user: User, visitor: Visitor, *, tell: bool = True) -> None:
        redis = await self._identity.resources.redis()
        device = self._identity.device(visitor, user.email)
        wait = await self._identity.throttle.code(redis, user.email, visitor.network, device)
        if wait and tell and device is None and await self._is_first_of_many(user):
            await notices.tell(self._identity.resources, user, "codesTried", visitor)
        wait_for(wait)

    async def _is_first_of_many(self, user: User) -> bool:
        """Whether the user has not been told yet that somebody tries their codes; once in the window of those tries."""
        redis = await self._identity.resources.redis()
        return bool(await redis.set(f"weir:told:codes:{user.id}", "1", ex=CODE_ACCOUNT.seconds, nx=True))

    async def _check_totp(self, user_id: UUID, code: str) -> bool:
        pool = await self._identity.resources.pg()
        row = await queries.totp(pool, user_id)
        if row is None or row["confirmed_at"] is None:
            return False
        secret = self._open(user_id, row["secret_sealed"])
        if secret is None:
            return False
        step = totp.step_of(secret, code, now=time.time(), after=row["last_step"])
        return step is not None and await queries.use_step(pool, user_id, step)

    async def _check_recovery(self, user: User, code: str, visitor: Visitor, by: By) -> bool:
        pool = await self._identity.resources.pg()
        salt = await queries.recovery_salt(pool, user.id)
        digest = await self._identity.passwords.digest(code, salt or bytes(recovery.SALT_BYTES))
        if salt is None:
            return False
        async with pool.acquire() as connection, connection.transaction():
            if not await queries.use_recovery_code(connection, user.id, digest):
                return False
            left = await queries.codes_left(connection, user.id)
            by.turned_out_as(user.id, user.name)
            await record(
                connection,
                by,
                "recovery_code.used",
                project_id=None,
                id=user.id,
                name=user.email,
                after={"left": left},
            )
        await notices.tell(self._identity.resources, user, "recoveryCodeUsed", visitor)
        return True

    async def _new_codes(self) -> Codes:
        written, salt = recovery.make_codes(), secrets.token_bytes(recovery.SALT_BYTES)
        hashes = [
            await self._identity.passwords.digest(recovery.read_code(code) or "", salt) for code in written
        ]
        return Codes(written, salt, hashes)

    def _open(self, user_id: UUID, sealed: bytes) -> bytes | None:
        try:
            return unseal(self._identity.resources.settings.sealing, sealed, purpose=purpose_of(user_id))
        except UnsealError as error:
            logger.warning("the secret of an authenticator cannot be opened: %s", error)
            return None


def purpose_of(user_id: UUID) -> bytes:
    """What binds a sealed secret to its user."""
    return b"totp:" + user_id.bytes


def ticket_is_old() -> Problem:
    """401 for a ticket that is used up, too old or made up."""
    return Problem(
        UNAUTHENTICATED, "This took too long, or was done already. Sign in again.", headers=CHALLENGE
    )
