"""The HTTP surface of subscriptions."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import Response

from functions.subscriptions.check import check
from functions.subscriptions.credentials import KEEP
from functions.subscriptions.draft import Draft, filter_faults, read_draft, refusal
from functions.subscriptions.function import FUNCTION
from functions.subscriptions.schemas.probe import ProbeBody, ProbeRequest
from functions.subscriptions.schemas.subscription import (
    DeliveryPolicyBody,
    SinkHealthBody,
    SubscriptionBody,
    SubscriptionCreate,
    SubscriptionList,
    SubscriptionReplace,
)
from functions.subscriptions.schemas.trial import CheckBody, CheckRequest, TransformBody, TransformRequest
from functions.subscriptions.service import Subscriptions
from shared.auth.access import Access
from shared.auth.acting import Author, changes_nothing
from shared.auth.dependency import requires
from shared.core.delivery import parse_policy, policy_json
from shared.core.filter_forms import selected
from shared.runtime.app import endpoint_app
from shared.runtime.listing import Cursor, Limit
from shared.runtime.refusals import problems
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from asyncpg import Record

Reader = Annotated[Access, Depends(requires("subscriptions:read"))]
Writer = Annotated[Access, Depends(requires("subscriptions:write"))]

CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            "Location": {
                "description": "The subscription's address.",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        }
    }
}


def create(resources: Resources) -> FastAPI:
    """The application of `subscriptions`."""
    return endpoint_app(FUNCTION, resources, _router(resources))


def _router(resources: Resources) -> APIRouter:
    router = APIRouter(prefix="/v1/projects/{project}/subscriptions", tags=["subscriptions"])
    service = Subscriptions(resources)

    @router.get("")
    async def list_subscriptions(
        access: Reader, limit: Limit = 50, cursor: Cursor = None
    ) -> SubscriptionList:
        """The project's subscriptions, newest first."""
        page = await service.page(access, cursor, limit)
        items = [body_of(row, page.health.get(row["id"])) for row in page.rows]
        return SubscriptionList(items=items, next=page.next)

    @router.post("", status_code=201, openapi_extra=problems(409), responses=CREATED)
    async def create_subscription(
        body: SubscriptionCreate, access: Writer, by: Author, response: Response
    ) -> SubscriptionBody:
        """Subscribe a sink. It gets every event acknowledged after this answer that its filters let through."""
        row = await service.create(access, by, draft_of(body), body.state)
        response.headers["Location"] = f"/v1/projects/{access.project_name}/subscriptions/{row['id']}"
        return body_of(row)

    @router.post("/check")
    @changes_nothing
    async def check_filters(body: CheckRequest, access: Reader) -> CheckBody:
        """What a filter says of given or stored events, without saving it."""
        return await check(
            resources,
            access,
            filters=wanted(body),
            subscription=body.subscription,
            events=body.events,
            last=body.last,
        )

    @router.post("/transform")
    @changes_nothing
    async def try_transform(body: TransformRequest, access: Reader) -> TransformBody:
        """What a transform makes of a given or stored event, without saving or sending it."""
        return await service.transforms.show(access, body.transform, body.event, body.uid)

    @router.get("/{id}")
    async def get_subscription(id: str, access: Reader) -> SubscriptionBody:  # noqa: A002 the contract's word
        """One subscription."""
        return body_of(*await service.get(access, id))

    @router.put("/{id}", openapi_extra=problems(409))
    async def replace_subscription(
        id: str,  # noqa: A002 the contract's word
        body: SubscriptionReplace,
        access: Writer,
        by: Author,
    ) -> SubscriptionBody:
        """Change a subscription, pause it, resume it. What is absent gets its default again.

        Name, state, signing secrets, `auth`, `tls` and `transform` stay as they are when they are absent. To `paused`, what waits
        is held until it is `active` again; to `disabled`, what waits is cancelled.
        """
        drop = "signing_secrets" in body.model_fields_set and body.signing_secrets is None
        row = await service.replace(access, by, id, draft_of(body), body.state, drop_secrets=drop)
        return body_of(row)

    @router.delete("/{id}", status_code=204)
    async def delete_subscription(id: str, access: Writer, by: Author) -> None:  # noqa: A002 the contract's word
        """Delete a subscription; deliveries that wait for it are cancelled."""
        await service.delete(access, by, id)

    @router.post("/{id}/probe")
    async def probe_subscription(
        id: str,  # noqa: A002 the contract's word
        access: Writer,
        by: Author,
        body: ProbeRequest | None = None,
    ) -> ProbeBody:
        """Send a test event to the sink, now, as a delivery would be sent, and answer with what came of it.

        It goes out while the subscription is paused or disabled and its circuit open, and counts as no delivery. If the sink
        takes it, its circuit is closed. An event in the answer is not taken in.
        """
        return await service.probe(access, by, id, body or ProbeRequest())

    def body_of(row: "Record", health: "Record | None" = None) -> SubscriptionBody:
        return SubscriptionBody(
            id=row["id"],
            name=row["name"],
            filters=row["filters"],
            sink=row["sink"],
            delivery=DeliveryPolicyBody(**policy_json(parse_policy(row["delivery"]))),
            signing_secrets=[],
            signing_secret_count=service.count_secrets(row),
            auth=row["auth"],
            tls=row["tls"],
            transform=row["transform"],
            state=row["state"],
            state_reason=row["state_reason"],
            sink_health=health_of(health),
            version=row["version"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )

    return router


def wanted(body: SubscriptionCreate | SubscriptionReplace | CheckRequest) -> Any:
    """The filters of a body, whichever way it says them. Raises Problem 422."""
    filters, faults = selected(body.filters, body.filter, body.source, body.types)
    if faults:
        raise refusal([*filter_faults(filters), *faults])
    return filters


def health_of(row: "Record | None") -> SinkHealthBody:
    """What is known of a sink; without a row, that there is nothing to say."""
    if row is None:
        return SinkHealthBody(state="closed", since=None, until=None, reason=None, in_flight_limit=None)
    return SinkHealthBody(
        state=row["state"],
        since=row["since"],
        until=row["until"],
        reason=row["reason"],
        in_flight_limit=row["in_flight_limit"],
    )


def draft_of(body: SubscriptionCreate | SubscriptionReplace) -> Draft:
    """The checked parts of a body. Raises Problem 422."""
    given = body.model_fields_set
    filters = wanted(body)
    return read_draft(
        name=body.name,
        filters=filters,
        sink=body.sink,
        delivery=body.delivery,
        signing_secrets=body.signing_secrets,
        auth=body.auth if "auth" in given else KEEP,
        tls=body.tls if "tls" in given else KEEP,
        transform=body.transform if "transform" in given else KEEP,
    )
