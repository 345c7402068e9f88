"""What sign-in and permissions need of a process. `shared.runtime.Resources` is one."""

from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from shared.auth.sealing_keys import SealingKeys
from shared.cache.level2 import Level2

if TYPE_CHECKING:
    from uuid import UUID

    from asyncpg import Pool
    from redis.asyncio import Redis

    from shared.db.project_pool import ProjectPool


class AuthSettings(Protocol):
    """The settings that are read here."""

    @property
    def secret(self) -> SecretStr:
        """Keys every hash."""
        ...

    @property
    def sealing(self) -> SealingKeys:
        """Seals private keys."""
        ...

    @property
    def token_algorithm(self) -> str:
        """What a new key signs access tokens with."""
        ...

    @property
    def public_url(self) -> str:
        """The issuer of access tokens, and the only foreign origin that may use the cookie."""
        ...


class Stores(Protocol):
    """The stores of one process, opened on first use."""

    @property
    def settings(self) -> AuthSettings:
        """What the process was started with."""
        ...

    async def pg(self) -> "Pool":
        """The Postgres pool, for what crosses projects."""
        ...

    async def of(self, project_id: "UUID") -> "ProjectPool":
        """The same as one project sees it: the rows of others are not there."""
        ...

    @property
    def cache(self) -> Level2:
        """The level of its caches that it shares with others."""
        ...

    async def redis(self) -> "Redis":
        """The Redis client."""
        ...
