"""What one process remembers of credentials and memberships, each for a second, and how it is read."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import ref

from shared.auth import queries
from shared.auth.access import Access, ProducerAccess
from shared.auth.permissions import PROJECT_NAME, ROLES, granted, permissions_of
from shared.auth.signing_keys import current_signer
from shared.auth.stores import Stores
from shared.auth.tokens import Signer, Verifier, verifier_of
from shared.cache.lookup import Lookup
from shared.cache.shelf import Shelf
from shared.core.token_bucket import limit_of

if TYPE_CHECKING:
    from asyncpg import Pool

REMEMBER_SECONDS = 1.0
"""How long a revoked key, an ended membership or a signing key that was taken back may still be honoured."""

NOTED_SECONDS = 60.0
"""How often it is noted that a key is used, and that a member is there."""

STORE_TIMEOUT_SECONDS = 5.0
_VERIFIERS = 100

logger = logging.getLogger("weir.auth")


@dataclass(frozen=True, slots=True)
class RememberedKey:
    """An API key as it is remembered."""

    secret_hash: bytes
    previous_hash: bytes | None
    previous_expires_at: datetime | None
    expires_at: datetime | None
    last_used_at: datetime | None
    access: Access


_GRANTED = repr(sorted((role, sorted(granted)) for role, granted in ROLES.items()))
"""What roles mean to this version: what it has worked out of them is of no use to one that reads them otherwise."""


class Remembered:
    """Keys by their id, members by user and project, and what signs and verifies access tokens.

    A store that is away raises what its driver raises.
    """

    def __init__(self, stores: Stores) -> None:
        # Weak: what is remembered goes with the stores that it was read from.
        self._stores = ref(stores)
        self._settings = stores.settings
        self.keys: Lookup[str, RememberedKey | None] = Lookup(
            self._load_key,
            name="keys",
            seconds=REMEMBER_SECONDS,
            second=Shelf(
                stores.cache,
                "keys",
                RememberedKey | None,
                name_of=str,
                key_of=str,
                seconds=REMEMBER_SECONDS,
                meaning=_GRANTED,
            ),
        )
        self.members: Lookup[tuple[UUID, str], Access | None] = Lookup(
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
        self.verifiers: Lookup[str, Verifier | None] = Lookup(
            self._load_verifier, name="verifiers", seconds=REMEMBER_SECONDS, size=_VERIFIERS
        )
        self.signers: Lookup[None, Signer] = Lookup(
            self._load_signer, name="signers", seconds=REMEMBER_SECONDS
        )
        self._last_verifiers: dict[str, tuple[dict[str, Any], Verifier]] = {}

    async def note(self, write: "Callable[[Pool], Awaitable[None]]") -> None:
        """Have something noted; what cannot be is no reason to refuse anybody."""
        try:
            async with asyncio.timeout(1):
                await write(await self._pool())
        except Exception as error:
            logger.warning("a use was not noted: %s: %s", type(error).__name__, error)

    async def _pool(self) -> "Pool":
        stores = self._stores()
        assert stores is not None, "asked after its process's stores were dropped"
        return await stores.pg()

    async def _load_key(self, key: str) -> RememberedKey | None:
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
        return RememberedKey(
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
        if not is_fresh(row["last_seen_at"]):
            await self.note(lambda pool: queries.touch_member(pool, row["id"], user_id))
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


def is_fresh(noted_at: datetime | None) -> bool:
    """Whether it was noted within the last minute."""
    return noted_at is not None and datetime.now(UTC) - noted_at < timedelta(seconds=NOTED_SECONDS)


def _name_of_member(key: tuple[UUID, str]) -> str:
    return f"{key[0]}/{key[1]}"


def _member_named(name: str) -> tuple[UUID, str]:
    user_id, _, project_name = name.partition("/")
    return UUID(user_id), project_name
