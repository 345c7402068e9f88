"""Codes for the day on which the second factor is lost: ten, each good for once."""

import re
import secrets

HOW_MANY = 10
SALT_BYTES = 16
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs, none of which is taken for another."""

_LENGTH, _GROUP = 12, 4
"""60 bits, behind argon2id and a limit on tries."""


def make_codes() -> list[str]:
    """A new set."""
    return [written("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))) for _ in range(HOW_MANY)]


def written(code: str) -> str:
    """The code in groups."""
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def read_code(text: str) -> str | None:
    """The code as it was made, however somebody typed it; None for what cannot be one."""
    code = re.sub(r"[\s-]+", "", text).lower()
    return code if len(code) == _LENGTH and all(sign in _ALPHABET for sign in code) else None
