"""Standard Webhooks signatures: HMAC-SHA256 (`whsec_`, `v1`) and Ed25519 (`whsk_`, `v1a`)."""

import base64
import binascii
import hmac
import os
from collections.abc import Callable, Sequence
from functools import lru_cache

MAX_SECRETS = 4
_HMAC, _ED25519 = "whsec_", "whsk_"


class InvalidSecret(ValueError):
    """A signing secret that cannot be used; the text never contains the secret."""


def new_secret() -> str:
    """A fresh HMAC secret of 32 random bytes."""
    return _HMAC + base64.b64encode(os.urandom(32)).decode()


def _key(secret: str) -> bytes:
    prefix = next((p for p in (_HMAC, _ED25519) if secret.startswith(p)), None)
    if prefix is None:
        raise InvalidSecret("must start with whsec_ (HMAC-SHA256) or whsk_ (Ed25519)")
    try:
        key = base64.b64decode(secret[len(prefix) :], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSecret(f"must be base64 after {prefix}") from None
    if prefix == _HMAC and not 24 <= len(key) <= 64:
        raise InvalidSecret("must have 24 to 64 bytes after whsec_")
    if prefix == _ED25519 and len(key) not in {32, 64}:
        raise InvalidSecret("must have 32 bytes (the seed) or 64 (seed and public key) after whsk_")
    return key


def check_secret(secret: str) -> None:
    """Raise InvalidSecret unless `secret` can sign."""
    _key(secret)


@lru_cache(maxsize=1024)
def _signer(secret: str) -> tuple[str, Callable[[bytes], bytes]]:
    """The version of a secret's signatures, and what makes them: reading the key costs as much as signing."""
    key = _key(secret)
    if secret.startswith(_HMAC):
        return "v1,", lambda content: hmac.digest(key, content, "sha256")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return "v1a,", Ed25519PrivateKey.from_private_bytes(key[:32]).sign


def _signature(secret: str, content: bytes) -> str:
    version, make = _signer(secret)
    return version + base64.b64encode(make(content)).decode()


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each secret, in their order.

    `timestamp` is Unix time in seconds. Raises InvalidSecret.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_signature(secret, content) for secret in secrets)
