"""The JSON Schemas of the members of a subscription, and which events it selects."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from functions.subscriptions.draft import MAX_EXPRESSION
from shared.core.delivery import (
    DEFAULT,
    MAX_BATCH,
    MAX_DURATION_SECONDS,
    MAX_IN_FLIGHT,
    MAX_RATE,
    MAX_RETRY,
    MAX_TIMEOUT_SECONDS,
    policy_json,
)
from shared.core.durations import format_duration
from shared.core.overrides import MAX_EXTENSIONS
from shared.core.sink_headers import MAX_HEADERS, MAX_VALUE
from shared.runtime.schema import Request

_LEAF = {
    "type": "object",
    "description": "Attribute names and the text that each is compared with. All must hold.",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "minLength": 1},
}
_NESTED = {"type": "object", "description": "A dialect object.", "additionalProperties": True}

DIALECT: dict[str, Any] = {
    "type": "object",
    "description": "One dialect of the CloudEvents Subscriptions API: exactly one of these members.",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {
        "exact": _LEAF,
        "prefix": _LEAF,
        "suffix": _LEAF,
        "all": {"type": "array", "minItems": 1, "items": _NESTED},
        "any": {"type": "array", "minItems": 1, "items": _NESTED},
        "not": _NESTED,
        "sql": {
            "type": "string",
            "minLength": 1,
            "description": "A CloudEvents SQL expression on context attributes; `cesql` is the same.",
        },
        "cesql": {"type": "string", "minLength": 1, "description": "Knative's name of `sql`."},
        "cel": {
            "type": "string",
            "minLength": 1,
            "description": "A CEL expression on `event`, the context attributes, and `data`.",
        },
    },
}

KNATIVE_FILTER: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Knative's way: attributes and the text each must be, an empty text for any. "
    "Becomes `filters`, and counts only without those.",
    "additionalProperties": False,
    "properties": {
        "attributes": {
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^[a-z0-9]*[a-z][a-z0-9]*$"},
            "additionalProperties": {"type": "string"},
        }
    },
}

FILTERS: dict[str, Any] = {
    "type": "array",
    "description": "Every entry must hold; an empty array lets every event through.",
    "items": DIALECT,
}


def _duration(high: float) -> dict[str, Any]:
    return {
        "type": ["string", "null"],
        "format": "duration",
        "description": f"An ISO 8601 duration of at most {format_duration(high)}.",
    }


_POLICY: dict[str, dict[str, Any]] = {
    "retry": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_RETRY,
        "description": "How many attempts may follow the first.",
    },
    "backoffPolicy": {"type": ["string", "null"], "enum": ["exponential", "linear", None]},
    "backoffDelay": _duration(MAX_DURATION_SECONDS),
    "backoffMax": _duration(MAX_DURATION_SECONDS),
    "timeout": _duration(MAX_TIMEOUT_SECONDS),
    "retryAfterMax": _duration(MAX_DURATION_SECONDS),
    "format": {"type": ["string", "null"], "enum": ["binary", "json", None]},
    "deadLetterSink": {"type": ["string", "null"], "format": "uri"},
    "ordering": {"type": ["string", "null"], "enum": ["none", "partitionkey", None]},
    "maxInFlight": {"type": ["integer", "null"], "minimum": 1, "maximum": MAX_IN_FLIGHT},
    "ratePerSecond": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "maximum": MAX_RATE,
        "description": "No limit when null.",
    },
    "batchSize": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": MAX_BATCH,
        "description": "Above 1 every request is a batch in the JSON batch format of at most so many events.",
    },
    "headers": {
        "type": ["object", "null"],
        "maxProperties": MAX_HEADERS,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": MAX_VALUE},
        "description": "Sent with every request. Shown again: what is secret belongs into `auth`.",
    },
    "ceOverrides": {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "extensions": {
                "type": ["object", "null"],
                "maxProperties": MAX_EXTENSIONS,
                "propertyNames": {"pattern": "^[a-z0-9]+$"},
                "additionalProperties": {"type": "string", "minLength": 1},
            }
        },
        "description": "Extensions that are set on every event on its way to the sink.",
    },
    "replies": {
        "type": ["boolean", "null"],
        "description": "Whether an event in a 200 is taken in as one of the project's.",
    },
}

GIVEN_POLICY: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Knative's DeliverySpec with what Weir adds. What is absent or null has its default.",
    "additionalProperties": False,
    "properties": {
        name: {**schema, "default": policy_json(DEFAULT)[name]} for name, schema in _POLICY.items()
    },
}


def _text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _auth(kind: str, required: tuple[str, ...], **members: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["type", *required],
        "properties": {"type": {"const": kind}, **members},
    }


def _secret(description: str) -> dict[str, Any]:
    return {**_text(description), "writeOnly": True, "minLength": 1}


_OPTIONAL: dict[str, Any] = {"type": ["string", "null"]}

AUTH: dict[str, Any] = {
    "description": "The credential that goes with every request to the sink. Its secret is never shown.",
    "anyOf": [
        _auth("bearer", (), token=_secret("Sent as `Authorization: Bearer`.")),
        _auth(
            "basic",
            ("username",),
            username=_text("Without a colon."),
            password=_secret("As RFC 7617 has it."),
        ),
        _auth("header", ("name",), name=_text("A header."), value=_secret("Its value.")),
        _auth(
            "oauth2",
            ("tokenUrl", "clientId"),
            tokenUrl=_text("Where a token is had for client credentials (RFC 6749, 4.4).", format="uri"),
            clientId=_text(),
            clientSecret=_secret("Of the client."),
            scope=_OPTIONAL,
            audience=_OPTIONAL,
            clientAuthentication={
                "type": ["string", "null"],
                "enum": ["basic", "post", None],
                "description": "Where the client's credential stands: in the header (default) or in the body.",
            },
        ),
        {"type": "null"},
    ],
}

TLS: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Who Weir says it is in TLS, and whom it trusts. All in PEM.",
    "additionalProperties": False,
    "properties": {
        "certificate": {**_OPTIONAL, "description": "The client's certificate, and the chain behind it."},
        "privateKey": {**_OPTIONAL, "writeOnly": True, "description": "Its key, not encrypted. Never shown."},
        "ca": {**_OPTIONAL, "description": "Those who may have signed the sink's; the system's when absent."},
        "subject": {**_OPTIONAL, "readOnly": True, "description": "Whom the certificate names."},
        "expiresAt": {"type": ["string", "null"], "format": "date-time", "readOnly": True},
    },
}

TRANSFORM: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "What is sent instead of the event: JSONata on the event in the JSON format.",
    "additionalProperties": False,
    "required": ["jsonata"],
    "properties": {"jsonata": _text(minLength=1, maxLength=MAX_EXPRESSION)},
}

Auth = Annotated[Any, WithJsonSchema(AUTH)]
Tls = Annotated[Any, WithJsonSchema(TLS)]
Transform = Annotated[Any, WithJsonSchema(TRANSFORM)]
Filters = Annotated[Any, WithJsonSchema(FILTERS)]


class Selection(Request):
    """Which events are wanted: all of it must hold."""

    filters: Annotated[Any, WithJsonSchema({**FILTERS, "default": []})] = None
    filter: Annotated[Any, WithJsonSchema(KNATIVE_FILTER)] = None
    source: Annotated[
        Any,
        WithJsonSchema(
            {"type": ["string", "null"], "minLength": 1, "description": "Only events of this source."}
        ),
    ] = None
    types: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": ["array", "null"],
                "items": {"type": "string", "minLength": 1},
                "description": "Only events of these types.",
            }
        ),
    ] = None
