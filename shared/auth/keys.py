"""API keys: `weir_<id>_<secret>`. The id finds the row, the secret is kept as a keyed hash only."""

import hmac
import secrets
from dataclasses import dataclass, field

from pydantic import SecretStr

PREFIX = "weir_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH = 12
_SECRET_LENGTH = 43
"""43 signs of 62 are 256 bits."""


@dataclass(frozen=True, slots=True)
class ApiKeyText:
    """The parts of a key as a client sends it; its `repr` does not show the secret."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """What the client keeps."""
        return f"{PREFIX}{self.id}_{self.secret}"


def make_key() -> ApiKeyText:
    """A new key from the system's random source."""
    return ApiKeyText(_random(_ID_LENGTH), make_secret())


def make_secret() -> str:
    """Another secret for a key that there is."""
    return _random(_SECRET_LENGTH)


def parse_key(text: str) -> ApiKeyText | None:
    """The parts of `text`, or None when it has not the form of a key."""
    if not text.startswith(PREFIX) or len(text) != len(PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH:
        return None
    key_id, _, secret = text[len(PREFIX) :].partition("_")
    if not is_key_id(key_id) or not secret.isascii() or not secret.isalnum():
        return None
    return ApiKeyText(key_id, secret)


def is_key_id(text: str) -> bool:
    """Whether `text` has the form of a key's id."""
    return len(text) == _ID_LENGTH and text.isascii() and text.isalnum()


def hash_secret(settings_secret: SecretStr | str, key: ApiKeyText) -> bytes:
    """HMAC-SHA256 over id and secret with the deployment's secret: 32 bytes, worthless without it."""
    return hmac.digest(_plain(settings_secret).encode(), b"api-key:" + key.text.encode(), "sha256")


def hash_token(settings_secret: SecretStr | str, purpose: str, token: str) -> bytes:
    """The same for other random tokens (links, refresh tokens); `purpose` keeps their hashes apart."""
    return hmac.digest(_plain(settings_secret).encode(), f"{purpose}:{token}".encode(), "sha256")


def is_key(settings_secret: SecretStr | str, key: ApiKeyText, secret_hash: bytes) -> bool:
    """Whether `key` is the one whose hash was kept; takes the same time for every wrong one."""
    return hmac.compare_digest(hash_secret(settings_secret, key), secret_hash)


def make_token() -> str:
    """256 random bits as text, for links and refresh tokens."""
    return _random(_SECRET_LENGTH)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _plain(secret: SecretStr | str) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret
