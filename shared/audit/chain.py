"""The chain of an export, computed again away from the database that wrote it.

Each row's hash is SHA-256 over the UTF-8 text of a JSON array of all its values, the hash of the row before among
them, as Postgres writes a jsonb (`audit_hash`, migration 0010). An export has members in that order and numbers in that
spelling already, so here they only have to be kept as they are.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

FIRST = "00" * 32
"""What stands for the hash of the row before the first."""

Reason = Literal["missing", "changed", "relinked", "head"]
"""Rows before are not there; it says something else than it did; it does not follow the one before; the chain
goes on behind it, as its head says, and those rows are not there."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first row at which the chain does not hold."""

    sequence: int
    id: str | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows hold, up to which, and the break if there is one."""

    rows: int
    sequence: int
    hash: str
    broken: Break | None


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def read(line: str | bytes) -> dict[str, Any]:
    """A row of an export. Raises ValueError for what is none."""
    row = json.loads(line, parse_int=_Number, parse_float=_Number)
    if not isinstance(row, dict) or "hash" not in row:
        raise ValueError("is no row of an audit log")
    return row


def hash_of(row: Mapping[str, Any]) -> str:
    """The hash that `row`, as `read` gives it, should have."""
    actor, thing = row["actor"], row["thing"]
    values = [
        *("weir audit 1", row["chain"], _Number(row["sequence"]), _instant(row["at"])),
        *(row["id"], row["projectId"], actor["kind"], actor["id"], actor["name"], row["role"]),
        *(row["via"], row["agent"], row["address"], row["requestId"]),
        *(row["action"], thing["kind"], thing["id"], thing["name"], row["before"], row["after"]),
        row["prevHash"],
    ]
    return sha256(_text(values).encode()).hexdigest()


def verify(rows: Iterable[Mapping[str, Any]], *, sequence: int = 0, hash: str = FIRST) -> Verdict:  # noqa: A002
    """Whether `rows` follow on the row of that `sequence` and `hash` without a gap, up to their end."""
    count = 0
    for row in rows:
        number = int(row["sequence"])
        reason: Reason | None = None
        if number != sequence + 1:
            reason = "missing"
        elif row["prevHash"] != hash:
            reason = "relinked"
        elif row["hash"] != hash_of(row):
            reason = "changed"
        if reason is not None:
            return Verdict(count, sequence, hash, Break(number, row["id"], reason))
        count, sequence, hash = count + 1, number, row["hash"]  # noqa: A001
    return Verdict(count, sequence, hash, None)


def _instant(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: Any) -> str:
    """`value` as Postgres writes it in a jsonb."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        members = (f"{_text(name)}: {_text(member)}" for name, member in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
