"""Secrets taken out of what comes back: whoever echoes a request must not put its credential on record."""

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

import msgspec

REDACTED = "[redacted]"
_MARK = REDACTED.encode()

SHORTEST = 4
"""Bytes. What is shorter is no secret, and taking it out would leave nothing to be read."""


class _Json(dict[int, str]):
    """How a writer of JSON puts each character: `escaped` ones by their numbers, with `foreign` all that is not ASCII."""

    def __init__(self, escaped: str, hexadecimal: str, *, foreign: bool) -> None:
        self._hexadecimal, self._foreign = hexadecimal, foreign
        plain = (chr(code) for code in range(128))
        super().__init__(
            (ord(one), self._number(one) if one in escaped else msgspec.json.encode(one).decode()[1:-1])
            for one in plain
        )

    def __missing__(self, code: int) -> str:
        return self._number(chr(code)) if self._foreign else chr(code)

    def _number(self, one: str) -> str:
        units = one.encode("utf-16-be", errors="surrogatepass")
        numbers = (units[at] << 8 | units[at + 1] for at in range(0, len(units), 2))
        return "".join(f"\\u{number:{self._hexadecimal}}" for number in numbers)


_WRITERS = tuple(
    _Json(escaped, hexadecimal, foreign=foreign)
    for escaped, foreign in (
        ("", False),
        ("", True),  # Python, PHP
        ("<>&", False),  # Go
        ("<>&'=", False),  # Gson
        ("\"&'+<>`", True),  # .NET
        ("".join(one for one in map(chr, range(128)) if not one.isalnum()), True),
    )
    for hexadecimal in ("04x", "04X")
)
"""Those that are met most."""

_PERCENT = re.compile("%[0-9A-F]{2}")


@lru_cache(maxsize=4096)
def spellings(secret: str) -> tuple[bytes, ...]:
    """How `secret` may stand in an answer: as it is, in a JSON text, or percent-encoded; the longest first."""
    forms = {secret}
    for percent in (quote(secret, safe=""), quote_plus(secret)):
        forms |= {percent, _PERCENT.sub(lambda found: found[0].lower(), percent)}
    written = {secret.translate(writer) for writer in _WRITERS}
    forms |= written
    forms |= {form.replace("/", "\\/") for form in written}
    found = {form.encode() for form in forms}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True))


def redact(data: bytes, secrets: Sequence[bytes], *, cut: bool = False) -> bytes:
    """`data` with `[redacted]` for each of `secrets`, and with `cut` for what its end has of one."""
    for secret in secrets:
        if secret in data:
            data = data.replace(secret, _MARK)
    if cut and (length := _begun(data, secrets)):
        data = data[:-length] + _MARK
    return data


def redact_text(text: str, secrets: Sequence[bytes]) -> str:
    """The same for a text."""
    return redact(text.encode(errors="surrogatepass"), secrets).decode(errors="surrogatepass")


def _begun(data: bytes, secrets: Sequence[bytes]) -> int:
    """How many bytes at the end of `data` are the beginning of one of `secrets`; 0 for fewer than `SHORTEST`."""
    most = 0
    for secret in secrets:
        for length in range(min(len(secret) - 1, len(data)), max(most, SHORTEST - 1), -1):
            if data.endswith(secret[:length]):
                most = length
                break
    return most
