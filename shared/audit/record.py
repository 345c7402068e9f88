"""Recording a change, in the transaction that makes it: both are there, or neither is."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from shared.audit import queries
from shared.audit.by import By
from shared.audit.masks import masked, masked_text
from shared.core.ids import uuid7

if TYPE_CHECKING:
    from asyncpg import Connection

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_NAME = 400


async def record(
    on: "Connection",
    by: By,
    action: str,
    *,
    project_id: UUID | None,
    id: UUID | str | None = None,  # noqa: A002 the contract's word
    name: str = "",
    before: Any = None,
    after: Any = None,
) -> None:
    """Keep that `by` did `action` to the thing of that `id` and `name`, which was `before` and is `after`.

    `action` is the kind of the thing, a dot, and what was done to it, in the past: `subscription.changed`. What
    concerns no project has the project None. `before` is None for what is new, `after` for what is gone; both are JSON
    as the API has it (names in camelCase), and what is secret in them is masked.

    Call it last in the transaction: from here to its end all other changes of the project wait for it. Who records in
    both chains records in the project's first.
    """
    if not on.is_in_transaction():
        raise RuntimeError(f"{action} is recorded outside of the transaction that makes it")
    await queries.append(
        on,
        by,
        entry_id=uuid7(),
        project_id=project_id,
        action=action,
        kind=action.partition(".")[0],
        thing_id=None if id is None else str(id),
        thing_name=masked_text(name)[:MAX_NAME],
        before=_document(before),
        after=_document(after),
    )
    by.is_settled = True


def _document(value: Any) -> str | None:
    """The JSON that is kept of `value`; of one that is too long, how long it is and its digest."""
    if value is None:
        return None
    text = msgspec.json.encode(masked(value))
    if len(text) > MAX_DOCUMENT_BYTES:
        text = msgspec.json.encode({"tooLong": {"bytes": len(text), "sha256": sha256(text).hexdigest()}})
    return text.decode()
