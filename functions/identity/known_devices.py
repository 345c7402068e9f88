"""Browsers in which somebody has signed in before.

The cookie is `<device>.<mark>…`: a random name, and for each account that signed in with it an HMAC over both. It opens
nothing. Who shows it is counted apart when passwords are tried, so that tries from elsewhere cannot keep the owner of an
account out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

import hmac

from pydantic import SecretStr

from shared.auth.keys import hash_token, make_token

LIFETIME_SECONDS = 365 * 24 * 3600
_ACCOUNTS = 5
"""How many accounts one browser remembers, the latest first."""
_DEVICE_LENGTH = 22
_LONGEST = _DEVICE_LENGTH + _ACCOUNTS * 33


def known_device(secret: SecretStr, cookie: str | None, account: str) -> str | None:
    """The name of the device, when `account` has signed in with it."""
    device, marks = _read(cookie)
    mark = _mark(secret, device, account)
    return device if any(hmac.compare_digest(mark, other) for other in marks) else None


def remembering(secret: SecretStr, cookie: str | None, account: str) -> str:
    """The cookie, with that account in it."""
    device, marks = _read(cookie)
    if not marks:
        device = make_token()[:_DEVICE_LENGTH]
    mark = _mark(secret, device, account)
    return ".".join([device, mark, *(other for other in marks if other != mark)][: _ACCOUNTS + 1])


def _read(cookie: str | None) -> tuple[str, list[str]]:
    if cookie is None or len(cookie) > _LONGEST or not cookie.isascii():
        return "", []
    device, *marks = cookie.split(".")
    return (device, marks) if len(device) == _DEVICE_LENGTH and device.isalnum() else ("", [])


def _mark(secret: SecretStr, device: str, account: str) -> str:
    return hash_token(secret, "known-device", f"{device} {account}").hex()[:32]
