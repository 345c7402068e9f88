"""How often somebody may try a password: by account and address, and by each alone."""

from hashlib import sha256
from typing import TYPE_CHECKING

from shared.cache.windows import Limit, Windows

if TYPE_CHECKING:
    from redis.asyncio import Redis

PAIR = Limit("pair", 10, 300)
ADDRESS = Limit("address", 100, 300)
ACCOUNT = Limit("account", 200, 3600)


class Throttle:
    """Counts in Redis; while Redis is away, in this process."""

    def __init__(self) -> None:
        self._windows = Windows()

    async def count(self, redis: "Redis", account: str, address: str) -> int:
        """Count one try. The seconds to wait before another is heard, 0 when this one may go on."""
        return await self._windows.count(redis, self._keys(account, address))

    async def succeeded(self, redis: "Redis", account: str, address: str) -> None:
        """Whoever knew the password starts from nothing again."""
        await self._windows.forget(redis, next(iter(self._keys(account, address))))

    @staticmethod
    def _keys(account: str, address: str) -> dict[str, Limit]:
        subjects = {PAIR: f"{account} {address}", ADDRESS: address, ACCOUNT: account}
        return {
            f"weir:tries:{limit.name}:{sha256(subject.encode()).hexdigest()[:32]}": limit
            for limit, subject in subjects.items()
        }
