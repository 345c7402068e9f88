"""What is kept of a subject that was to be forgotten, and how it is taken out of what names it."""

import hmac
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

ATTRIBUTES = frozenset({"subject", "subjectPrefix"})
"""Members of documents that have a subject, or several; in filters too (`{"exact": {"subject": …}}`)."""

TEXTS = frozenset({"q", "error", "sql", "reason", "name"})
"""Members in which people write what they like."""

SHORTEST_WORD = 4
"""In texts shorter subjects are no names but words: they are taken out of those alone that are nothing else."""


def digest_of(secret: str, project_id: UUID, subject: str) -> bytes:
    """What is kept of a subject. Keyed: whoever has the digest cannot try out whose it may be."""
    return hmac.digest(secret.encode(), b"erasure:" + project_id.bytes + subject.encode(), "sha256")


def mark_of(digest: bytes) -> str:
    """What stands where a subject stood."""
    return f"erased:{digest.hex()[:12]}"


def forgotten(document: Any, subject: str, mark: str, within: str = "") -> Any:
    """`document`, the value of a member called `within`, with `mark` in place of each `subject`."""
    return changed(document, lambda member, text: _forgotten(member, text, subject, mark), within)


def names(document: Any, subject: str, within: str = "") -> bool:
    """Whether `forgotten` would find something in it."""
    return bool(forgotten(document, subject, "", within) != document)


def changed(document: Any, change: Callable[[str, str], str], within: str = "") -> Any:
    """`document` with `change(member, text)` in place of each text that is a member's, or one of its list's."""
    if isinstance(document, str):
        return change(within, document)
    if isinstance(document, dict):
        return {name: changed(value, change, name) for name, value in document.items()}
    if isinstance(document, list | tuple):
        return [changed(item, change, within) for item in document]
    return document


def _forgotten(member: str, text: str, subject: str, mark: str) -> str:
    if text == subject and member in ATTRIBUTES | TEXTS:
        return mark
    if member not in TEXTS or len(subject) < SHORTEST_WORD:
        return text
    word = re.compile(rf"(?<!\w){re.escape(subject)}(?!\w)", re.IGNORECASE)
    return word.sub(lambda _: mark, text)


async def kept_in(on: "Connection | Pool", project_id: UUID, subject: str) -> list[str]:
    """The subscriptions whose filters name a subject. They are orders for what comes: their owners alone change them."""
    rows = await on.fetch(
        "SELECT name, filters FROM subscriptions WHERE project_id = $1 AND replay_id IS NULL ORDER BY name",
        project_id,
        timeout=30,
    )
    return [row["name"] for row in rows if names(row["filters"], subject)]
