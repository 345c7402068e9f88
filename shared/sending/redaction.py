"""Answers without the secrets of their requests: comes before anything of them is kept or shown."""

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from shared.core.redaction import SHORTEST, redact, spellings
from shared.http.answer import Answer


@lru_cache(maxsize=4096)
def spelled(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    """What to look for in an answer, the longest first: one secret may have another in it."""
    return tuple(sorted({form for secret in secrets for form in spellings(secret)}, key=len, reverse=True))


def signatures(value: str) -> list[bytes]:
    """Those in a `webhook-signature`: a request can be repeated with them for as long as it counts as new.

    Each with its version, and then without.
    """
    whole = value.split(" ")
    return [one.encode() for one in (*whole, *(w.partition(",")[2] for w in whole)) if len(one) >= SHORTEST]


def without_secrets(answer: Answer, secrets: Sequence[bytes]) -> Answer:
    """`answer` with `[redacted]` in place of each of `secrets`, in its headers and what was read of its body."""
    if not secrets or not (answer.truncated or _has_any(answer, secrets)):
        return answer
    return msgspec.structs.replace(
        answer,
        headers=[(redact(name, secrets), redact(value, secrets)) for name, value in answer.headers],
        body=redact(answer.body, secrets, cut=answer.truncated),
    )


def _has_any(answer: Answer, secrets: Sequence[bytes]) -> bool:
    everything = b"\n".join((answer.body, *(part for header in answer.headers for part in header)))
    return any(secret in everything for secret in secrets)
