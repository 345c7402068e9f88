"""What the query string of a list may ask: the same for rows and for counts, so that every number leads to its rows."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AfterValidator, Field

from functions.explore.search import (
    OfDeliveries,
    Outcome,
    Search,
    key_range,
    read_codes,
    read_extensions,
    read_facets,
)
from shared.auth.access import Access
from shared.auth.dependency import requires
from shared.core.problems import FORBIDDEN, Problem
from shared.runtime.listing import Instant, LastCode, storable

EVENTS_READ = "events:read"
DELIVERIES_READ = "deliveries:read"
MAX_VALUE = 2048
MAX_VALUES = 20
MAX_PAIRS = 10

EventReader = Annotated[Access, Depends(requires(EVENTS_READ))]
DeliveryReader = Annotated[Access, Depends(requires(DELIVERIES_READ))]

Exact = Annotated[str, Query(max_length=MAX_VALUE), AfterValidator(storable)]
_One = Annotated[str, Field(max_length=MAX_VALUE), AfterValidator(storable)]
_Pair = Annotated[str, Field(max_length=300), AfterValidator(storable)]

AnyOf = Annotated[
    list[_One], Query(max_length=MAX_VALUES, description="Exactly this; given again, any of them.")
]
Producer = Annotated[
    list[_One],
    Query(
        max_length=MAX_VALUES,
        description="Who sent them: `source:NAME`, `producer:NAME`, `key:ID` or `user:ID`; given again, any of them.",
    ),
]
TypePrefix = Annotated[
    Exact | None, Query(alias="typePrefix", min_length=1, max_length=MAX_VALUE, description="Begins so.")
]
SourcePrefix = Annotated[
    Exact | None, Query(alias="sourcePrefix", min_length=1, max_length=MAX_VALUE, description="Begins so.")
]
SubjectPrefix = Annotated[
    Exact | None, Query(alias="subjectPrefix", min_length=1, max_length=MAX_VALUE, description="Begins so.")
]
Text = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="Text in type, source, subject, id or payload, in any case; no pattern. Looks through the newest "
        "10,000 events that fit the rest; `searched` says how far, `next` goes on.",
    ),
    AfterValidator(storable),
]
DeliveryText = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        description="Text in the sink, the subscription's name, the error, or the event's type or subject, in any "
        "case; no pattern. `searched` says how far it looked, `next` goes on.",
    ),
    AfterValidator(storable),
]
Facet = Annotated[
    list[_Pair],
    Query(
        max_length=MAX_PAIRS,
        description="`name:value` of a facet that the type declares. Of one facet any of the values, of different ones "
        "all must hold. A number or a boolean is written as in JSON.",
    ),
]
Extension = Annotated[
    list[_Pair],
    Query(
        max_length=MAX_PAIRS,
        description="`name:value` of an extension attribute, such as `partitionkey:C-7`. Of one attribute any of the "
        "values, of different ones all must hold.",
    ),
]
SchemaFault = Annotated[
    bool | None,
    Query(alias="schemaFault", description="Only those that their schema warned of, or only the others."),
]
OutcomeOf = Annotated[
    list[Outcome],
    Query(
        max_length=6,
        description="How the event stands: `dead` with a dead letter, else `retrying` or `pending` with one under way, "
        "else `delivered`, else `cancelled`; `unmatched` without any delivery. Given again, any of them.",
    ),
]
Subscriptions = Annotated[
    list[UUID], Query(max_length=MAX_VALUES, description="Of this subscription; given again, any of them.")
]
Sinks = Annotated[
    list[_One],
    Query(max_length=MAX_VALUES, description="To exactly this address; given again, any of them."),
]
StatusCode = Annotated[
    list[LastCode],
    Query(
        alias="statusCode",
        max_length=MAX_VALUES,
        description="What the last attempt got: `503`, `5xx`, or `none` without an answer; given again, any of them.",
    ),
]
ErrorText = Annotated[
    _One | None,
    Query(min_length=1, max_length=200, description="Text in the error of the last attempt, in any case."),
]
Replay = Annotated[UUID | None, Query(description="Made by this replay, or last opened again by it.")]
Since = Annotated[Instant | None, Query(description="Received at or after this instant.")]
Until = Annotated[Instant | None, Query(description="Received before this instant.")]


def asked_of_deliveries(
    *,
    subscription: Subscriptions = [],  # noqa: B006 FastAPI copies it
    sink: Sinks = [],  # noqa: B006
    status_code: StatusCode = [],  # noqa: B006
    error: ErrorText = None,
    replay: Replay = None,
) -> OfDeliveries:
    """What one delivery has to be like."""
    return OfDeliveries(
        subscriptions=tuple(subscription),
        sinks=tuple(sink),
        codes=read_codes(status_code),
        error=error,
        replay=replay,
    )


def asked_of_attributes(
    *,
    type: AnyOf = [],  # noqa: A002, B006 CloudEvents' word
    type_prefix: TypePrefix = None,
    source: AnyOf = [],  # noqa: B006
    source_prefix: SourcePrefix = None,
    id: Exact | None = None,  # noqa: A002 CloudEvents' word
    subject: AnyOf = [],  # noqa: B006
    subject_prefix: SubjectPrefix = None,
    producer: Producer = [],  # noqa: B006
    extension: Extension = [],  # noqa: B006
    facet: Facet = [],  # noqa: B006
    since: Since = None,
    until: Until = None,
) -> dict[str, Any]:
    """What the event has to be like, as members of a `Search`. Raises Problem 422."""
    low, high = key_range(since, until)
    return {
        "low": low,
        "high": high,
        "types": tuple(type),
        "type_prefix": type_prefix,
        "sources": tuple(source),
        "source_prefix": source_prefix,
        "id": id,
        "subjects": tuple(subject),
        "subject_prefix": subject_prefix,
        "producers": tuple(producer),
        "extensions": read_extensions(extension),
        "facets": read_facets(facet),
    }


Attributes = Annotated[dict[str, Any], Depends(asked_of_attributes)]
DeliveryConditions = Annotated[OfDeliveries, Depends(asked_of_deliveries)]


def search_of_events(
    *,
    access: EventReader,
    attributes: Attributes,
    deliveries: DeliveryConditions,
    schema_fault: SchemaFault = None,
    outcome: OutcomeOf = [],  # noqa: B006 FastAPI copies it
    q: Text | None = None,
) -> Search:
    """Events. Raises Problem 422, and 403 for who asks of deliveries and may not read them."""
    if deliveries.is_asked and DELIVERIES_READ not in access.permissions:
        raise Problem(
            FORBIDDEN, f"To search events by their deliveries needs the permission {DELIVERIES_READ} as well."
        )
    return Search(
        project_id=access.project_id,
        **attributes,
        faulty=schema_fault,
        outcomes=tuple(outcome),
        text=q,
        deliveries=deliveries,
    )


def search_of_deliveries(
    *,
    access: DeliveryReader,
    attributes: Attributes,
    deliveries: DeliveryConditions,
    event: Annotated[UUID | None, Query(description="The uid of an event.")] = None,
    q: DeliveryText | None = None,
) -> Search:
    """Deliveries. Raises Problem 422, and 403 for who asks of events and may not read them."""
    search = Search(project_id=access.project_id, **attributes, text=q, deliveries=deliveries)
    if search.asks_of_events and EVENTS_READ not in access.permissions:
        raise Problem(
            FORBIDDEN, f"To search deliveries by their events needs the permission {EVENTS_READ} as well."
        )
    return search.of_event(event)


EventsAsked = Annotated[Search, Depends(search_of_events)]
DeliveriesAsked = Annotated[Search, Depends(search_of_deliveries)]
