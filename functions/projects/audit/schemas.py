"""The HTTP shapes of the audit log."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from shared.audit.by import ActorKind, Via
from shared.audit.chain import Reason
from shared.runtime.schema import Schema


class ActorBody(Schema):
    """Who did it, as they were called then."""

    kind: ActorKind
    id: str | None = Field(description="Of a user or an API key.")
    name: str


class ThingBody(Schema):
    """What it was done to, as it was called then."""

    kind: str
    id: str | None
    name: str


class AuditItem(Schema):
    """One change. `hash` is computed of all of it, what was before and after included, and of `prevHash`."""

    id: UUID
    project_id: UUID | None = Field(description="Null for what concerns no project, such as a sign-in.")
    chain: UUID
    sequence: int = Field(description="Its number in its chain, without gaps.")
    at: datetime
    actor: ActorBody
    role: str | None = Field(description="The actor's role in the project at that time.")
    via: Via
    agent: str | None = Field(description="The program, as it calls itself.")
    address: str | None
    request_id: str | None
    action: str
    thing: ThingBody
    prev_hash: str
    hash: str


class AuditEntry(AuditItem):
    """One change with what there was and what there is. Of secrets it is kept that they are there, and that they changed."""

    before: Any = Field(description="Null for what is new.")
    after: Any = Field(description="Null for what is gone.")


class AuditSearchedBody(Schema):
    """How far a search came."""

    count: int
    until: datetime


class AuditList(Schema):
    """Changes, newest first. A page of a search may have few or none and still have a `next`."""

    items: list[AuditItem]
    next: str | None = None
    total: int | None = Field(
        None, description="How many there are in all, at most 10,001; on a first page without `q` alone."
    )
    searched: AuditSearchedBody | None = Field(
        None, description="How far a filter was looked for, where `next` goes on from there."
    )


class AuditValues(Schema):
    """What there is to filter by, among the newest 10,000."""

    actors: list[ActorBody]
    actions: list[str]
    kinds: list[str]


class HeadBody(Schema):
    """Where a chain ends."""

    sequence: int
    hash: str


class BreakBody(Schema):
    """The first place at which a chain does not hold.

    `missing`: rows before this one are not there. `changed`: it says something else than it did. `relinked`: it does not
    follow the one before. `head`: from here on rows are not there that were.
    """

    sequence: int
    id: UUID | None
    reason: Reason


class VerdictBody(Schema):
    """Whether the chain holds so far."""

    holds: bool
    rows: int = Field(description="How many were computed now.")
    sequence: int = Field(description="The last of them.")
    hash: str
    head: HeadBody
    broken: BreakBody | None
    next: int | None = Field(description="`after` of the next part; null when this was the last.")


Format = Literal["ndjson", "csv"]
