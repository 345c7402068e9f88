"""What may be kept of a thing that has secrets: that there is one, and whether it changed, never what it is.

Whoever records gives what the API shows, in which there are no secrets, and says of those members that have one
which they are (`secret`). `masked` is the second net below that: by the names of members and the looks of texts.
"""

import re
from collections.abc import Sequence
from typing import Any

MASK = "[redacted]"
CHANGED = "[redacted, changed]"
TOO_DEEP = "[nested too deep]"

LEFT_OUT = "[left out]"
SUBJECTS = frozenset({"subject", "subjectPrefix", "q", "error"})

MAX_DEPTH = 64

_SECRET = re.compile(r"password|passphrase|secret|token|privatekey|apikey|authorization|cookie|credential")
_SECRET_HEADER = re.compile(r"auth|token|secret|key|cookie|session|password|signature|credential")
_NO_SECRET = re.compile(r"(url|uri|count|at|id|kind|type|name|endpoint|seconds|version)$")
_TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"weir_([0-9A-Za-z]{12})_[0-9A-Za-z]{43}"), rf"weir_\1_{MASK}"),
    (re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"), MASK),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"\$argon2\w*\$[^\s\"]+"), MASK),
    (re.compile(r"\bwhsec_[\w+/=-]+"), MASK),
    (re.compile(r"(?<=://)([^/?#@\s:]*):[^/?#@\s]*@"), rf"\1:{MASK}@"),
    (
        re.compile(
            r"([?&][^=&#\s]*(?:token|secret|key|sig|password|passwd|auth|code)[^=&#\s]*=)[^&#\s]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def secret(*, before: bool, after: bool, changed: bool) -> tuple[str | None, str | None]:
    """How a secret looks in what there was and what there is: None where there is none."""
    if before and after and changed:
        return MASK, CHANGED
    return MASK if before else None, MASK if after else None


def secrets(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """The same for several: how many there are, and which of them are new."""
    known = set(before)
    return [MASK] * len(before), [MASK if one in known or not before else CHANGED for one in after]


def without_subjects(value: Any) -> Any:
    """`value` without the subjects of events that it names, and the texts that were looked for.

    The log is never changed, and a subject may have to be forgotten (decision 0070): the thing itself has it.
    """
    if isinstance(value, dict):
        return {
            name: LEFT_OUT if member and _names_subjects(name, member) else without_subjects(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_subjects(item) for item in value]
    return value


def _names_subjects(name: str, member: Any) -> bool:
    if name == "sql":  # an expression that is about other attributes says what it says
        return "subject" in str(member).lower()
    return name in SUBJECTS and not isinstance(member, dict)


def masked(value: Any) -> Any:
    """`value` without what looks like a secret, and without what JSON in Postgres cannot hold."""
    return _masked(value, "", 0)


def masked_text(text: str) -> str:
    """The same for a text alone."""
    for pattern, instead in _TEXTS:
        text = pattern.sub(instead, text)
    return text.replace("\0", "\ufffd")


def _masked(value: Any, within: str, depth: int) -> Any:
    if isinstance(value, str):
        return masked_text(value)
    if depth >= MAX_DEPTH and isinstance(value, dict | list | tuple):
        return TOO_DEEP
    if isinstance(value, dict):
        return {
            masked_text(str(name)): MASK
            if _hides(str(name), member, within)
            else _masked(member, str(name), depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_masked(item, within, depth + 1) for item in value]
    return value


def _hides(name: str, member: Any, within: str) -> bool:
    """Whether the member has a text that its name calls a secret; objects are looked into instead."""
    texts = (member,) if isinstance(member, str) else member
    if not isinstance(texts, list | tuple) or not any(
        isinstance(text, str) and text not in {MASK, CHANGED} for text in texts
    ):
        return False
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if within == "headers":
        return _SECRET_HEADER.search(plain) is not None
    return _SECRET.search(plain) is not None and _NO_SECRET.search(plain) is None
