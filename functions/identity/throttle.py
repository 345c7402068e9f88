"""How often somebody may try: by account and address, and by each alone; a device that is known counts for itself."""

from hashlib import sha256
from typing import TYPE_CHECKING

from shared.cache.windows import Limit, Windows

if TYPE_CHECKING:
    from redis.asyncio import Redis

PAIR = Limit("pair", 10, 300)
ADDRESS = Limit("address", 100, 300)
ACCOUNT = Limit("account", 200, 3600)
DEVICE = Limit("device", 10, 300)

CODE_PAIR = Limit("code-pair", 5, 300)
CODE_ACCOUNT = Limit("code-account", 30, 24 * 3600)
CODE_DEVICE = Limit("code-device", 10, 600)
"""One code in 300,000 is right at a time: thirty tries a day find one in thirty years."""

PASSKEY = Limit("passkey", 100, 300)

JOINING = Limit("joining", 100, 300)
"""New accounts by invitation: each try hashes a password, whatever comes of it."""

RENEWED = Limit("renewed", 10, 3600)
"""Sets of recovery codes that an account makes: each code is hashed as a password is."""

FORGOTTEN_ACCOUNT = Limit("forgotten-account", 3, 3600)
FORGOTTEN_ADDRESS = Limit("forgotten-address", 20, 3600)


class Throttle:
    """Counts in Redis; while Redis is away, in this process.

    `device` is the name of a device with which the account has signed in before. Its tries count for it alone, so that
    nobody is kept out by what others try elsewhere.
    """

    def __init__(self) -> None:
        self._windows = Windows()

    async def password(self, redis: "Redis", account: str, network: str, device: str | None) -> int:
        """Count a password. The seconds to wait before another is heard, 0 when this one may go on."""
        return await self._windows.count(redis, _password(account, network, device))

    async def code(self, redis: "Redis", account: str, network: str, device: str | None) -> int:
        """Count a code of the second factor."""
        return await self._windows.count(redis, _code(account, network, device))

    async def passkey(self, redis: "Redis", network: str) -> int:
        """Count a passkey that was shown. It cannot be guessed: this is for the work that it makes."""
        return await self._windows.count(redis, _keys({PASSKEY: network}))

    async def joining(self, redis: "Redis", network: str) -> int:
        """Count somebody who would make an account by an invitation."""
        return await self._windows.count(redis, _keys({JOINING: network}))

    async def renewed(self, redis: "Redis", account: str) -> int:
        """Count a set of recovery codes."""
        return await self._windows.count(redis, _keys({RENEWED: account}))

    async def forgotten(self, redis: "Redis", network: str) -> int:
        """Count a question for a link."""
        return await self._windows.count(redis, _keys({FORGOTTEN_ADDRESS: network}))

    async def link(self, redis: "Redis", account: str) -> int:
        """Count a link that an account would be sent."""
        return await self._windows.count(redis, _keys({FORGOTTEN_ACCOUNT: account}))

    async def succeeded(
        self, redis: "Redis", account: str, network: str, device: str | None, *, code: bool = False
    ) -> None:
        """Whoever knew it starts from nothing again, and its try counts neither for the address nor for the account."""
        mine, *shared = (_code if code else _password)(account, network, device)
        await self._windows.forget(redis, mine)
        if shared:
            await self._windows.take_back(redis, shared)


def _password(account: str, network: str, device: str | None) -> dict[str, Limit]:
    if device is not None:
        return _keys({DEVICE: f"{account} {device}"})
    return _keys({PAIR: f"{account} {network}", ADDRESS: network, ACCOUNT: account})


def _code(account: str, network: str, device: str | None) -> dict[str, Limit]:
    if device is not None:
        return _keys({CODE_DEVICE: f"{account} {device}"})
    return _keys({CODE_PAIR: f"{account} {network}", CODE_ACCOUNT: account})


def _keys(subjects: dict[Limit, str]) -> dict[str, Limit]:
    return {
        f"weir:tries:{limit.name}:{sha256(subject.encode()).hexdigest()[:32]}": limit
        for limit, subject in subjects.items()
    }
