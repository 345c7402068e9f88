"""Time-based one-time passwords (RFC 6238) as every authenticator takes them: SHA-1, six digits, thirty seconds."""

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20
"""As long as the hash (RFC 4226, section 4, R6)."""

_AROUND = (0, -1, 1)
"""One step either way: a clock that is off, and the time it takes to type (RFC 6238, section 5.2)."""


def make_secret() -> bytes:
    """A new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def written(secret: bytes) -> str:
    """The secret as it is typed into an authenticator."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, issuer: str, account: str) -> str:
    """What a QR code says (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return (
        f"otpauth://totp/{label}?{urlencode({'secret': written(secret), 'issuer': issuer}, quote_via=quote)}"
    )


def code_at(secret: bytes, step: int) -> str:
    """The code of one step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(secret: bytes, code: str, *, now: float, after: int = 0) -> int | None:
    """The step whose code this is; None for a wrong one, and for one of step `after` or before, which is used up."""
    current = int(now // STEP_SECONDS)
    found = None
    for around in _AROUND:
        step = max(0, current + around)
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()) and step > after:
            found = step if found is None else found
    return found
