"""The one check of who is asking and what they may do."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary, ref

from shared.auth import queries
from shared.auth.keys import PREFIX, ApiKeyText, is_key, parse_key
from shared.auth.permissions import PROJECT_NAME, ROLES, granted, permissions_of
from shared.auth.signing_keys import current_signer
from shared.auth.stores import Stores
from shared.auth.tokens import (
    AccessToken,
    Claims,
    InvalidToken,
    Signer,
    Verifier,
    issue,
    key_id,
    verifier_of,
    verify,
)
from shared.cache.lookup import Lookup
from shared.cache.shelf import Shelf
from shared.core.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Problem
from shared.core.token_bucket import Limit, limit_of

if TYPE_CHECKING:
    from asyncpg import Pool

REMEMBER_SECONDS = 1.0
"""How long a revoked key, an ended membership or a signing key that was taken back may still be honoured."""

PROVEN = 1_000
"""How many headers are remembered with the keys that they proved to be, and tokens with what they say."""

STORE_TIMEOUT_SECONDS = 5.0
_VERIFIERS = 100
_TOUCH_SECONDS = 60.0

Address = Callable[[], str | None]
"""Where a request came from, for whoever needs to know."""

logger = logging.getLogger("weir.auth")


@dataclass(frozen=True, slots=True)
class ProducerAccess:
    """What the producer of a credential may send. No `sources` or `types` means any."""

    id: UUID
    name: str
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Access:
    """What a credential may do in one project. No `sources` or `types` means any.

    A credential of a producer may send what both allow. Events count towards `limit` in the bucket of
    that name, which all credentials of a producer share.
    """

    project_id: UUID
    project_name: str
    principal: str
    permissions: frozenset[str]
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    producer: ProducerAccess | None = None
    limit: Limit | None = None
    bucket: str = ""

    @property
    def is_restricted(self) -> bool:
        """Whether it is limited to some events, so that it must not give out more than it has."""
        return bool(self.sources or self.types or self.producer)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, where no project is named: a user in a session, or an API key with its project."""

    id: str
    user_id: UUID | None = None
    session: str | None = None
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class _Key:
    """An API key as it is remembered."""

    secret_hash: bytes
    previous_hash: bytes | None
    previous_expires_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    access: Access


_GRANTED = repr(sorted((role, sorted(granted)) for role, granted in ROLES.items()))
"""What roles mean to this version: what it has worked out of them is of no use to one that reads them otherwise."""


class Authority:
    """What one process remembers of credentials and memberships, each for a second."""

    def __init__(self, stores: Stores) -> None:
        # Weak: what is remembered goes with the stores that it was read from.
        self._stores = ref(stores)
        self._settings = stores.settings
        self._keys: Lookup[str, _Key | None] = Lookup(
            self._load_key,
            name="keys",
            seconds=REMEMBER_SECONDS,
            second=Shelf(
                stores.cache,
                "keys",
                _Key | None,
                name_of=str,
                key_of=str,
                seconds=REMEMBER_SECONDS,
                meaning=_GRANTED,
            ),
        )
        self._members: Lookup[tuple[UUID, str], Access | None] = Lookup(
            self._load_member,
            name="members",
            seconds=REMEMBER_SECONDS,
            second=Shelf(
                stores.cache,
                "members",
                Access | None,
                name_of=_name_of_member,
                key_of=_member_named,
                seconds=REMEMBER_SECONDS,
                meaning=_GRANTED,
            ),
        )
        # What is in Redis opens no doors: whoever could write there could let anybody in.
        self._verifiers: Lookup[str, Verifier | None] = Lookup(
            self._load_verifier, name="verifiers", seconds=REMEMBER_SECONDS, size=_VERIFIERS
        )
        self._signers: Lookup[None, Signer] = Lookup(
            self._load_signer, name="signers", seconds=REMEMBER_SECONDS
        )
        self._touched: dict[str, float] = {}
        self._proven: dict[str, tuple[str, _Key]] = {}
        self._verified: dict[str, tuple[Verifier, Claims]] = {}
        self._last_verifiers: dict[str, tuple[dict[str, Any], Verifier]] = {}

    def recall(self, authorization: str | None, project_name: str, permission: str) -> Access | None:
        """The access of an API key that was checked within the second, without checking it again.

        None says nothing: `authorize` decides.
        """
        proven = self._proven.get(authorization) if authorization is not None else None
        if proven is None:
            return None
        key, row = proven
        access = row.access
        # Another row, or none, means that the key was looked up again since, and may say something else.
        if (
            self._keys.peek(key) is not row
            or (row.expires_at is not None and row.expires_at <= datetime.now(UTC))
            or access.project_name != project_name
            or permission not in access.permissions
        ):
            return None
        return access

    async def authorize(
        self,
        authorization: str | None,
        project_name: str,
        permission: str,
        address: Address | None = None,
    ) -> Access:
        """The access of that header to that project. Raises Problem 401, 403 or 404."""
        principal = await self.identify(authorization, address)
        if principal.access is not None:
            access = principal.access if principal.access.project_name == project_name else None
        else:
            assert principal.user_id is not None
            access = await self._members.get((principal.user_id, project_name))
        if access is None:
            raise Problem(NOT_FOUND, "There is no such project, or this credential does not belong to it.")
        if permission not in access.permissions:
            raise Problem(FORBIDDEN, f"This needs the permission {permission}.")
        return access

    async def identify(self, authorization: str | None, address: Address | None = None) -> Principal:
        """Whose header that is. Raises Problem 401."""
        if not authorization:
            raise _refusal("Send an API key or an access token as Authorization: Bearer.", error=None)
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise _refusal("The Authorization header must be of the scheme Bearer.", error="invalid_request")
        if credential.startswith(PREFIX):
            return await self._by_key(parse_key(credential), authorization, address)
        claims = await self._by_token(credential)
        return Principal(f"user:{claims.user_id}", user_id=claims.user_id, session=claims.session)

    async def issue(self, user_id: UUID, session: str) -> AccessToken:
        """A new access token, signed with the current key."""
        signer = await self._signers.get(None)
        return issue(signer, issuer=self._settings.public_url, user_id=user_id, session=session)

    def forget_key(self, key: str) -> None:
        """Ask the database at the next use; other processes do within a second."""
        self._keys.forget(key)

    def forget_member(self, user_id: UUID, project_name: str) -> None:
        """Ask the database at the next use; other processes do within a second."""
        self._members.forget((user_id, project_name))

    async def _by_key(self, key: ApiKeyText | None, authorization: str, address: Address | None) -> Principal:
        row = await self._keys.get(key.id) if key is not None else None
        is_current = (
            key is not None and row is not None and is_key(self._settings.secret, key, row.secret_hash)
        )
        if key is None or row is None or not (is_current or self._is_previous(key, row)):
            raise _refusal("This API key is not valid: it is mistyped, was revoked, or is of another Weir.")
        now = datetime.now(UTC)
        if row.expires_at is not None and row.expires_at <= now:
            raise _refusal("This API key has expired.")
        if not is_current and (row.previous_expires_at is None or row.previous_expires_at <= now):
            raise _refusal("This API key has another secret since, and the time for this one is over.")
        await self._touch(key.id, row, address, with_previous=not is_current)
        if is_current:
            self._prove(authorization, key.id, row)
        return Principal(row.access.principal, access=row.access)

    def _is_previous(self, key: ApiKeyText, row: _Key) -> bool:
        return row.previous_hash is not None and is_key(self._settings.secret, key, row.previous_hash)

    def _prove(self, authorization: str, key: str, row: _Key) -> None:
        """Remember that the header has that key, the oldest going first."""
        self._proven.pop(authorization, None)
        while len(self._proven) >= PROVEN:
            del self._proven[next(iter(self._proven))]
        self._proven[authorization] = (key, row)

    async def _touch(self, key: str, row: _Key, address: Address | None, *, with_previous: bool) -> None:
        """Note the use once a minute, of each of two secrets."""
        now = time.monotonic()
        what = f"{key} before" if with_previous else key
        if now - self._touched.get(what, float("-inf")) < _TOUCH_SECONDS:
            return
        self._touched[what] = now
        if not with_previous and _is_fresh(row.last_used_at):
            return
        said = address() if address is not None else None
        await self._note(lambda pool: queries.touch_key(pool, key, address=said, with_previous=with_previous))

    async def _note(self, write: "Callable[[Pool], Awaitable[None]]") -> None:
        """What cannot be noted is no reason to refuse anybody."""
        try:
            async with asyncio.timeout(1):
                await write(await self._pool())
        except Exception as error:
            logger.warning("a use was not noted: %s: %s", type(error).__name__, error)

    async def _by_token(self, token: str) -> Claims:
        """What the token says. A signature costs more than all the rest of a check: it is looked at once for each key."""
        known = self._verified.get(token)
        try:
            kid = key_id(token) if known is None else known[0].kid
            verifier = self._verifiers.peek(kid) or await self._verifiers.get(kid)
            if known is not None and known[0] is verifier and time.time() < known[1].ends_at:
                return known[1]
            if verifier is not None:
                claims = verify(token, verifier, issuer=self._settings.public_url)
                self._verified.pop(token, None)
                while len(self._verified) >= PROVEN:
                    del self._verified[next(iter(self._verified))]
                self._verified[token] = verifier, claims
                return claims
            reason = f"signed by {kid!r}, which is not known"
        except InvalidToken as error:
            reason = str(error)
        raise _refusal("This access token is not valid or has expired.", internal=reason)

    async def _pool(self) -> "Pool":
        stores = self._stores()
        assert stores is not None, "asked after its process's stores were dropped"
        return await stores.pg()

    async def _load_key(self, key: str) -> _Key | None:
        async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
            row = await queries.key_by_id(await self._pool(), key)
        if row is None:
            return None
        producer_id = row["producer_id"]
        access = Access(
            project_id=row["project_id"],
            project_name=row["project_name"],
            principal=f"key:{key}",
            permissions=granted(row["scopes"]),
            sources=tuple(row["sources"]),
            types=tuple(row["types"]),
            producer=None
            if producer_id is None
            else ProducerAccess(
                producer_id,
                row["producer_name"],
                tuple(row["producer_sources"]),
                tuple(row["producer_types"]),
            ),
            limit=limit_of(row["rate_per_second"], row["burst"]),
            bucket=f"key:{key}" if producer_id is None else f"producer:{producer_id}",
        )
        return _Key(
            row["secret_hash"],
            row["previous_hash"],
            row["previous_expires_at"],
            row["expires_at"],
            row["last_used_at"],
            access,
        )

    async def _load_member(self, key: tuple[UUID, str]) -> Access | None:
        user_id, project_name = key
        if PROJECT_NAME.fullmatch(project_name) is None:
            return None
        async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
            row = await queries.membership(await self._pool(), user_id, project_name)
        if row is None:
            return None
        if not _is_fresh(row["last_seen_at"]):
            await self._note(lambda pool: queries.touch_member(pool, row["id"], user_id))
        return Access(
            row["id"],
            project_name,
            f"user:{user_id}",
            permissions_of(row["role"], row["permissions"]),
            limit=limit_of(row["rate_per_second"], row["burst"]),
            bucket=f"user:{user_id}:{row['id']}",
        )

    async def _load_verifier(self, kid: str) -> Verifier | None:
        async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
            row = await queries.verification_key(await self._pool(), kid)
        last = self._last_verifiers.pop(kid, None)
        if row is None:
            return None
        jwk = row["public_jwk"]
        # The same one as long as the key is the same: what it has verified is then known to be good.
        verifier = last[1] if last is not None and last[0] == jwk else verifier_of(jwk)
        while len(self._last_verifiers) >= _VERIFIERS:
            del self._last_verifiers[next(iter(self._last_verifiers))]
        self._last_verifiers[kid] = jwk, verifier
        return verifier

    async def _load_signer(self, _: None) -> Signer:
        async with asyncio.timeout(STORE_TIMEOUT_SECONDS):
            return await current_signer(
                await self._pool(), self._settings.sealing, self._settings.token_algorithm
            )


_AUTHORITIES: WeakKeyDictionary[Stores, Authority] = WeakKeyDictionary()


def authority_of(stores: Stores) -> Authority:
    """The one `Authority` of these stores."""
    found = _AUTHORITIES.get(stores)
    if found is None:
        found = _AUTHORITIES[stores] = Authority(stores)
    return found


async def authorize(
    resources: Stores,
    authorization_header: str | None,
    project_name: str,
    permission: str,
    address: Address | None = None,
) -> Access:
    """The access of a credential to a project. No I/O when it was asked for within the last second.

    `address` says where it came from, and is asked where that is noted: once a minute for each key.
    Raises Problem: 401 for no or no valid credential, 404 for a project that is not there or not the
    credential's, 403 for a missing permission. A store that is away raises what its driver raises,
    which the runtime answers with 503 and `Retry-After`.
    """
    authority = authority_of(resources)
    access = authority.recall(authorization_header, project_name, permission)
    if access is not None:
        return access
    return await authority.authorize(authorization_header, project_name, permission, address)


async def identify(
    resources: Stores, authorization_header: str | None, address: Address | None = None
) -> Principal:
    """Whose credential that is, where no project is concerned. Raises Problem 401."""
    return await authority_of(resources).identify(authorization_header, address)


def _is_fresh(noted_at: datetime | None) -> bool:
    return noted_at is not None and datetime.now(UTC) - noted_at < timedelta(seconds=_TOUCH_SECONDS)


def _name_of_member(key: tuple[UUID, str]) -> str:
    return f"{key[0]}/{key[1]}"


def _member_named(name: str) -> tuple[UUID, str]:
    user_id, _, project_name = name.partition("/")
    return UUID(user_id), project_name


def _refusal(detail: str, *, error: str | None = "invalid_token", internal: str | None = None) -> Problem:
    """401 with the challenge of RFC 6750, section 3."""
    challenge = "Bearer" if error is None else f'Bearer error="{error}"'
    return Problem(UNAUTHENTICATED, detail, internal=internal, headers={"WWW-Authenticate": challenge})
