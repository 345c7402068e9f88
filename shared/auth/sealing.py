"""Secrets at rest: each under a data key of its own, which a key of the deployment's wraps (envelope encryption).

Which keys wrap is `SealingKeys`. Without any that are named, what is sealed is as it always was: AES-256-GCM straight
under a key derived from the deployment's secret.
"""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.auth.sealing_keys import FROM_SECRET, SealingKeys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["FROM_SECRET", "SealingKeys", "UnsealError", "rewrap", "seal", "sealed_with", "unseal"]

_PLAIN, _ENVELOPE = b"\x01", b"\x02"
_NONCE_LENGTH = 12
_DATA_KEY_LENGTH = 32
_WRAPPED_LENGTH = _NONCE_LENGTH + _DATA_KEY_LENGTH + 16
"""Nonce, data key and its tag."""


class UnsealError(Exception):
    """The bytes were not sealed with a key of this deployment for this purpose, or are damaged."""


def seal(keys: SealingKeys, plain: bytes, *, purpose: bytes = b"") -> bytes:
    """`plain` as it may lie in the database: under a new data key, wrapped with the first of `keys`.

    `purpose` is bound in: what was sealed for one place cannot be moved to another.
    """
    key_id, key = keys.first()
    nonce = os.urandom(_NONCE_LENGTH)
    if key is None:
        return _PLAIN + nonce + _derived(keys).encrypt(nonce, plain, _PLAIN + purpose)
    data_key = os.urandom(_DATA_KEY_LENGTH)
    body = nonce + _cipher(data_key).encrypt(nonce, plain, _ENVELOPE + purpose)
    return _wrapped(key_id, key, data_key) + body


def unseal(keys: SealingKeys, sealed: bytes, *, purpose: bytes = b"") -> bytes:
    """What was given to `seal`. Raises UnsealError."""
    if sealed[:1] == _PLAIN:
        return _opened(_derived(keys), sealed[1:], _PLAIN + purpose)
    data_key, body = _unwrapped(keys, sealed)
    return _opened(_cipher(data_key), body, _ENVELOPE + purpose)


def rewrap(keys: SealingKeys, sealed: bytes, *, purpose: bytes = b"") -> bytes:
    """The same secret under the first of `keys`. From one envelope to another its data key alone is opened.

    Raises UnsealError.
    """
    key_id, key = keys.first()
    if key is None or sealed[:1] == _PLAIN:
        return seal(keys, unseal(keys, sealed, purpose=purpose), purpose=purpose)
    data_key, body = _unwrapped(keys, sealed)
    return _wrapped(key_id, key, data_key) + body


def sealed_with(key_id: str) -> bytes:
    """How everything begins that the key of that id has sealed."""
    return _PLAIN if key_id == FROM_SECRET else _head(key_id)


def _head(key_id: str) -> bytes:
    name = key_id.encode()
    return _ENVELOPE + bytes([len(name)]) + name


def _wrapped(key_id: str, key: bytes, data_key: bytes) -> bytes:
    head, nonce = _head(key_id), os.urandom(_NONCE_LENGTH)
    return head + nonce + _key_cipher(key).encrypt(nonce, data_key, b"weir data key " + head)


def _unwrapped(keys: SealingKeys, sealed: bytes) -> tuple[bytes, bytes]:
    """The data key of an envelope, and what it encrypts."""
    if sealed[:1] != _ENVELOPE or len(sealed) < 2:
        raise UnsealError("sealed in a form that is not known")
    end = 2 + sealed[1]
    name = sealed[2:end].decode("ascii", "replace")
    key = keys.find(name)
    if key is None:
        raise UnsealError(f"sealed with the key {name!r}, which this deployment does not have")
    wrapped = sealed[end : end + _WRAPPED_LENGTH]
    data_key = _opened(_key_cipher(key), wrapped, b"weir data key " + sealed[:end])
    return data_key, sealed[end + _WRAPPED_LENGTH :]


def _opened(cipher: "AESGCM", nonce_and_body: bytes, bound: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag

    nonce, body = nonce_and_body[:_NONCE_LENGTH], nonce_and_body[_NONCE_LENGTH:]
    try:
        return cipher.decrypt(nonce, body, bound)
    except (InvalidTag, ValueError) as error:
        raise UnsealError("sealed with another key, or damaged") from error


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


@lru_cache(maxsize=8)
def _key_cipher(key: bytes) -> "AESGCM":
    return _cipher(key)


def _derived(keys: SealingKeys) -> "AESGCM":
    return _from_secret(keys.secret.get_secret_value())


@lru_cache(maxsize=4)
def _from_secret(secret: str) -> "AESGCM":
    """HKDF is cheap, but dispatch unseals for every subscription that it loads."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return _cipher(
        HKDF(algorithm=SHA256(), length=32, salt=None, info=b"weir sealing v1").derive(secret.encode())
    )
