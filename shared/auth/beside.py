"""What a program needs that runs once, where the database is at hand: as a Job, or by the `weir` command."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from shared.auth.sealing_keys import SealingKeys

if TYPE_CHECKING:
    from asyncpg import Pool


@dataclass(frozen=True, slots=True)
class Beside:
    """The database, and the keys of the deployment: the settings that functions have."""

    database_url: str = field(repr=False)
    sealing: SealingKeys

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """As the environment says. Raises ValueError that names what is missing or cannot be used."""
        missing = [name for name in ("WEIR_DATABASE_URL", "WEIR_SECRET") if not environment.get(name)]
        if missing:
            raise ValueError(f"{' and '.join(missing)} must be set, as for the functions")
        sealing = SealingKeys(
            environment["WEIR_SECRET"],
            environment.get("WEIR_SEALING_KEYS"),
            file=environment.get("WEIR_SEALING_KEYS_FILE"),
        )
        return cls(environment["WEIR_DATABASE_URL"], sealing)

    @asynccontextmanager
    async def pool(self) -> "AsyncIterator[Pool]":
        """One connection to the database."""
        from shared.db.pool import open_pool

        pool = await open_pool(self.database_url, size=1)
        try:
            yield pool
        finally:
            await pool.close()
