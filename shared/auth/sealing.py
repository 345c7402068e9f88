"""Secrets at rest: AES-256-GCM under a key derived from the deployment's secret."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_LENGTH = 12


class UnsealError(Exception):
    """The bytes were not sealed with this secret for this purpose, or are damaged."""


def seal(secret: SecretStr | str, plain: bytes, *, purpose: bytes = b"") -> bytes:
    """Version byte, 12 random bytes, then the ciphertext with its tag.

    `purpose` is bound in: what was sealed for one place cannot be moved to another.
    """
    nonce = os.urandom(_NONCE_LENGTH)
    return _VERSION + nonce + _cipher(_plain(secret)).encrypt(nonce, plain, _VERSION + purpose)


def unseal(secret: SecretStr | str, sealed: bytes, *, purpose: bytes = b"") -> bytes:
    """What was given to `seal`. Raises UnsealError."""
    from cryptography.exceptions import InvalidTag

    if sealed[:1] != _VERSION:
        raise UnsealError("sealed with a version that is not known")
    nonce, body = sealed[1 : 1 + _NONCE_LENGTH], sealed[1 + _NONCE_LENGTH :]
    try:
        return _cipher(_plain(secret)).decrypt(nonce, body, _VERSION + purpose)
    except (InvalidTag, ValueError) as error:
        raise UnsealError("sealed with another secret, or damaged") from error


@lru_cache(maxsize=4)
def _cipher(secret: str) -> "AESGCM":
    """HKDF is cheap, but dispatch unseals for every subscription that it loads."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"weir sealing v1").derive(secret.encode())
    return AESGCM(key)


def _plain(secret: SecretStr | str) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret
