"""The HTTP surface of the audit log."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field
from starlette.responses import StreamingResponse

from functions.projects.audit import service
from functions.projects.audit.answer import entry_of, item_of
from functions.projects.audit.filters import Filters
from functions.projects.audit.schemas import (
    ActorBody,
    AuditEntry,
    AuditList,
    AuditSearchedBody,
    AuditValues,
    BreakBody,
    Format,
    HeadBody,
    VerdictBody,
)
from shared.audit.verify import read_head
from shared.auth.access import Access, Principal
from shared.auth.dependency import requires, signed_in
from shared.runtime.listing import Cursor, Instant, Limit, storable
from shared.runtime.resources import Resources

Reader = Annotated[Access, Depends(requires("audit:read"))]
Caller = Annotated[Principal, Depends(signed_in)]

Exact = Annotated[str, Field(max_length=400), AfterValidator(storable)]
Several = Annotated[list[Exact], Query(max_length=50)]


def asked(
    *,
    actor: Annotated[
        Exact | None, Query(description="`user:ID`, `key:ID`, `operator:NAME`, `weir:NAME`, or a name.")
    ] = None,
    action: Annotated[Several, Query(description="Any of these, such as `subscription.changed`.")] = [],  # noqa: B006 FastAPI copies it
    kind: Annotated[Several, Query(description="Any of these kinds of things.")] = [],  # noqa: B006 the same
    thing: Annotated[Exact | None, Query(description="The id or the name of the thing.")] = None,
    since: Annotated[Instant | None, Query(description="At or after this instant.")] = None,
    until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
    q: Annotated[
        Exact | None,
        Query(min_length=1, description="Text in names, ids, actions, addresses and values, in any case."),
    ] = None,
) -> Filters:
    """What a request asks for."""
    return Filters(actor=actor, actions=action, kinds=kind, thing=thing, since=since, until=until, text=q)


Asked = Annotated[Filters, Depends(asked)]

_EXPORT: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "One change a line, the first one first.",
            "content": {
                "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/AuditEntry"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    }
}


def audit(resources: Resources) -> APIRouter:
    """The routes of `/v1/projects/{project}/audit`."""
    router = APIRouter(prefix="/v1/projects/{project}/audit", tags=["audit"])

    @router.get("")
    async def list_audit(
        access: Reader, filters: Asked, limit: Limit = 50, cursor: Cursor = None
    ) -> AuditList:
        """Who changed what, newest first. Sign-ins of the project's members are there too."""
        found = await service.list_entries(resources, access, filters, limit=limit, cursor=cursor)
        return _list(found)

    @router.get("/values")
    async def list_audit_values(access: Reader) -> AuditValues:
        """What there is to filter by."""
        rows = await service.values(resources, access)
        actors = {
            (row["actor_kind"], row["actor_id"] or row["actor_name"]): ActorBody(
                kind=row["actor_kind"], id=row["actor_id"], name=row["actor_name"]
            )
            for row in rows
        }
        actions = sorted({row["action"] for row in rows})
        kinds = sorted({action.partition(".")[0] for action in actions})
        return AuditValues(actors=list(actors.values()), actions=actions, kinds=kinds)

    @router.get("/export", response_class=StreamingResponse, openapi_extra=_EXPORT)
    async def export_audit(
        access: Reader,
        filters: Asked,
        format: Format = "ndjson",  # noqa: A002 the contract's word
    ) -> StreamingResponse:
        """The project's changes, the first one first. Without filters it is a whole chain, which can be verified."""
        day = datetime.now(UTC).date().isoformat()
        return StreamingResponse(
            service.export(resources, access, filters, format),
            media_type="text/csv; charset=utf-8" if format == "csv" else "application/x-ndjson",
            headers={
                "Content-Disposition": f'attachment; filename="audit-{access.project_name}-{day}.{format}"'
            },
        )

    @router.get("/verify")
    async def verify_audit(
        access: Reader,
        after: Annotated[int, Query(ge=0, le=2**63 - 1, description="`next` of the part before.")] = 0,
        head: Annotated[
            str | None,
            Query(
                pattern=r"^[0-9]{1,18}:[0-9a-fA-F]{64}$",
                description="`SEQUENCE:HASH` of an earlier answer, which has to be there still.",
            ),
        ] = None,
    ) -> VerdictBody:
        """Compute 10,000 rows of the chain again, and look whether it ends where it should."""
        noted = None if head is None else read_head(head)
        part = await service.verify(resources, access, after, noted)
        broken = part.broken
        return VerdictBody(
            holds=broken is None,
            rows=part.rows,
            sequence=part.sequence,
            hash=part.hash,
            head=HeadBody(sequence=part.head_sequence, hash=part.head_hash),
            broken=None
            if broken is None
            else BreakBody.model_validate(
                {"sequence": broken.sequence, "id": broken.id, "reason": broken.reason}
            ),
            next=None if part.is_last or broken is not None else part.sequence,
        )

    @router.get("/{id}")
    async def get_audit_entry(id: str, access: Reader) -> AuditEntry:  # noqa: A002 the contract's word
        """One change, with what there was and what there is."""
        return entry_of(await service.get_entry(resources, access, id))

    return router


def own_audit(resources: Resources) -> APIRouter:
    """The route of `/v1/me/audit`."""
    router = APIRouter(tags=["audit"])

    @router.get("/v1/me/audit")
    async def list_my_audit(
        caller: Caller, filters: Asked, limit: Limit = 50, cursor: Cursor = None
    ) -> AuditList:
        """When and from where one signed in, and what else concerns one's own account."""
        return _list(await service.list_own(resources, caller, filters, limit=limit, cursor=cursor))

    return router


def _list(found: service.Page) -> AuditList:
    searched = None
    if found.until is not None:
        searched = AuditSearchedBody(count=found.searched, until=found.until)
    return AuditList(
        items=[item_of(row) for row in found.rows], next=found.next, total=found.total, searched=searched
    )
