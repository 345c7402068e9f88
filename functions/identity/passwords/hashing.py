"""Passwords: argon2id, computed beside the event loop."""

import asyncio
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_LENGTH = 12
MAX_LENGTH = 1024

_PASSES, _KIB, _LANES = 2, 19 * 1024, 1
"""OWASP's password storage cheat sheet: 19 MiB, two passes, one lane."""

_DIGEST_LENGTH = 32

_AT_ONCE = 2
"""Each takes 19 MiB and a core for some tens of milliseconds: more at once would only queue elsewhere."""


class Passwords:
    """Hashes and verifies, at most two at the same time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """A new PHC string."""
        async with self._slots:
            return await asyncio.to_thread(_hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one. Takes as long when there is no hash to compare with."""
        async with self._slots:
            return await asyncio.to_thread(_verify, password_hash, password)

    async def digest(self, text: str, salt: bytes) -> bytes:
        """The same work without its parameters, for what is looked up by its digest: 32 bytes."""
        async with self._slots:
            return await asyncio.to_thread(_digest, text, salt)

    @staticmethod
    def is_outdated(password_hash: str) -> bool:
        """Whether it was made with parameters other than today's."""
        return _hasher().check_needs_rehash(password_hash)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=_PASSES, memory_cost=_KIB, parallelism=_LANES)


@cache
def _nobody() -> str:
    """What is verified for an account that does not exist, so that time does not tell."""
    return _hasher().hash("nobody has this password")


def _hash(password: str) -> str:
    return _hasher().hash(password)


def _verify(password_hash: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    nobody = _nobody()
    try:
        return _hasher().verify(password_hash or nobody, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _digest(text: str, salt: bytes) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        text.encode(),
        salt,
        time_cost=_PASSES,
        memory_cost=_KIB,
        parallelism=_LANES,
        hash_len=_DIGEST_LENGTH,
        type=Type.ID,
    )
