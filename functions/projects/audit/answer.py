"""From rows of the audit log to bodies and lines."""

import csv
import io
from typing import TYPE_CHECKING, Any

import msgspec

from functions.projects.audit.schemas import ActorBody, AuditEntry, AuditItem, ThingBody

if TYPE_CHECKING:
    from asyncpg import Record

_CSV = (
    *(
        "sequence",
        "at",
        "actor_kind",
        "actor_id",
        "actor_name",
        "role",
        "via",
        "agent",
        "address",
        "request_id",
    ),
    *("action", "kind", "thing_id", "thing_name", "before", "after", "id", "prev_hash", "hash"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def item_of(row: "Record") -> AuditItem:
    """A row as a list has it."""
    return AuditItem(**_members(row))


def entry_of(row: "Record") -> AuditEntry:
    """A row with what was before and after."""
    return AuditEntry(**_members(row), before=row["before"], after=row["after"])


def ndjson_line(row: "Record") -> bytes:
    """The same as a line of its own. Of `before` and `after` every byte is as the database has it: it was hashed so."""
    document = AuditItem(**_members(row)).model_dump(by_alias=True)
    for name in ("before", "after"):
        document[name] = None if row[name] is None else msgspec.Raw(row[name].encode())
    return msgspec.json.encode(document) + b"\n"


def csv_head() -> bytes:
    """The names of the columns."""
    return _csv_line(_CSV)


def csv_line(row: "Record") -> bytes:
    """The row in those columns. What a spreadsheet would take for a formula begins with an apostrophe."""
    texts = []
    for name in _CSV:
        value = row[name]
        if isinstance(value, bytes):
            value = value.hex()
        elif name == "at":
            value = value.isoformat().replace("+00:00", "Z")
        text = "" if value is None else str(value)
        texts.append(f"'{text}" if text.startswith(_FORMULA) else text)
    return _csv_line(texts)


def _csv_line(texts: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(texts)
    return out.getvalue().encode()


def _members(row: "Record") -> dict[str, Any]:
    return {
        **{
            name: row[name]
            for name in ("id", "project_id", "chain", "sequence", "at", "role", "via", "agent")
        },
        **{name: row[name] for name in ("address", "request_id", "action")},
        "actor": ActorBody(kind=row["actor_kind"], id=row["actor_id"], name=row["actor_name"]),
        "thing": ThingBody(kind=row["kind"], id=row["thing_id"], name=row["thing_name"]),
        "prev_hash": row["prev_hash"].hex(),
        "hash": row["hash"].hex(),
    }
