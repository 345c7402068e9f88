"""Who sent an event."""

from typing import TYPE_CHECKING, get_args
from uuid import UUID

from functions.explore.story import queries
from functions.explore.story.schemas import SenderBody
from shared.auth.access import Access

if TYPE_CHECKING:
    from asyncpg import Connection

KEYS_READ, MEMBERS_READ = "keys:read", "members:read"
KINDS = frozenset(get_args(SenderBody.model_fields["kind"].annotation))


async def sender_of(conn: "Connection", access: Access, principal: str | None) -> SenderBody | None:
    """Who `principal` is, in the words that `access` may hear; None for none."""
    kind, colon, identity = (principal or "").partition(":")
    if not colon or kind not in KINDS:
        return None
    known = SenderBody(
        kind=kind,
        id=identity,
        name=None,
        producer=identity if kind == "producer" else None,
        revoked_at=None,
    )
    if kind == "key" and (row := await queries.key(conn, access.project_id, identity)) is not None:
        known.producer, known.revoked_at = row["producer"], row["revoked_at"]
        known.name = row["name"] if KEYS_READ in access.permissions else None
    elif kind == "user" and MEMBERS_READ in access.permissions:
        known.name = await queries.person(conn, UUID(identity))
    return known
