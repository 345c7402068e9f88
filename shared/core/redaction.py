"""Secrets taken out of what comes back: whoever echoes a request must not put its credential on record."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

import msgspec

REDACTED = "[redacted]"
_MARK = REDACTED.encode()

SHORTEST = 4
"""Bytes. What is shorter is no secret, and taking it out would leave nothing to be read."""


@lru_cache(maxsize=4096)
def spellings(secret: str) -> tuple[bytes, ...]:
    """How `secret` may stand in an answer: as it is, in a JSON text, or percent-encoded; the longest first."""
    written = msgspec.json.encode(secret).decode()[1:-1]
    forms = {secret, written, written.replace("/", "\\/"), quote(secret, safe=""), quote_plus(secret)}
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
