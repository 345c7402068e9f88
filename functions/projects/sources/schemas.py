"""The HTTP shapes of sources of third parties."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, RootModel, WithJsonSchema

from shared.core.webhooks.kind import NAME
from shared.core.webhooks.secret import MAX_SECRETS
from shared.runtime.schema import Ignored, Request, Schema

MAX_RATE = 1_000_000

Name = Annotated[
    str, Field(max_length=63), WithJsonSchema({"type": "string", "pattern": NAME.replace(r"\Z", "$")})
]
Rate = Annotated[int | None, Field(ge=1, le=MAX_RATE)]
Secrets = Annotated[list[str] | None, Field(max_length=MAX_SECRETS)]

_TEMPLATES: dict[str, Any] = {
    "description": "A template, or several in the order in which they are tried.",
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 1000},
        {"type": "array", "maxItems": 40, "items": {"type": "string", "minLength": 1, "maxLength": 1000}},
    ],
}

_SETTINGS: dict[str, Any] = {
    "type": "object",
    "description": "What this source says differently from its kind; which members a kind takes, "
    "`GET …/source-kinds` says.",
    "additionalProperties": False,
    "properties": {
        "header": {"type": "string", "description": "The header with the signature."},
        "prefix": {"type": "string", "description": "What stands before the signature, such as `sha256=`."},
        "separator": {
            "type": ["string", "null"],
            "enum": [",", " ", ";", None],
            "description": "What parts several signatures in the header.",
        },
        "algorithm": {"type": "string", "enum": ["sha1", "sha256", "sha512", "ed25519"]},
        "encoding": {"type": "string", "enum": ["hex", "base64"], "description": "Of the signature."},
        "secretEncoding": {"type": "string", "enum": ["raw", "hex", "base64"]},
        "signed": {
            "type": "string",
            "description": "The text that is signed, of `{body}`, `{timestamp}` and `{id}`.",
        },
        "timestampHeader": {"type": ["string", "null"], "description": "Seconds since 1970."},
        "idHeader": {"type": ["string", "null"]},
        "toleranceSeconds": {"type": "integer", "minimum": 1, "maximum": 86400},
        "mapping": {
            "type": "object",
            "description": "Templates for attributes, tried before those of the kind.",
            "additionalProperties": False,
            "properties": {
                **dict.fromkeys(
                    ("type", "source", "subject", "id", "time", "datacontenttype", "dataschema"), _TEMPLATES
                ),
                "extensions": {"type": "object", "additionalProperties": _TEMPLATES},
            },
        },
    },
}


def _describe(schema: dict[str, Any]) -> None:
    schema.clear()
    schema.update(_SETTINGS)


class SourceSettings(RootModel[dict[str, Any]]):
    """What a source says for itself; `shared.core.webhooks.recipe` reads it."""

    model_config = ConfigDict(json_schema_extra=_describe)


class _Given(Request):
    """A body that was read from here can be sent back: members that only Weir writes are ignored."""

    settings: SourceSettings = Field(default_factory=lambda: SourceSettings({}))
    rate_per_second: Rate = Field(
        default=None, description="How many requests a second; null is no own limit."
    )
    burst: Rate = Field(default=None, description="How many at once; needs `ratePerSecond`.")
    id: Ignored = None
    secret_count: Ignored = None
    url: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class SourceCreate(_Given):
    """A source to be. Where its kind can use any secret, one is made when none is given."""

    name: Name
    kind: str
    secrets: Secrets = Field(default=None, description="One, or two while they change. Never shown again.")


class SourceReplace(_Given):
    """A source as it shall be. An absent kind stays as it is; the name is part of the address and stays too."""

    name: str | None = None
    kind: str | None = None
    secrets: Secrets = Field(
        default=None,
        description="The secrets to take from now on. Absent or empty keeps those there are; null takes them away.",
    )


class SecretRequest(Request):
    """The next secret; one is made when it is absent and the kind can use any."""

    secret: str | None = None


class SourceBody(Schema):
    """A source. `url` is where the third party has to send to; `secretCount` is null for secrets lost."""

    id: str
    name: str
    kind: str
    settings: SourceSettings
    secrets: list[str] = Field(description="Always empty: secrets are not shown.")
    secret_count: int | None
    rate_per_second: int | None
    burst: int | None
    url: str
    created_at: datetime
    updated_at: datetime


class SourceWithSecretBody(SourceBody):
    """A source after its secrets were set. `secret` is one that was made here, shown this once."""

    secret: str | None


class SourceList(Schema):
    """Sources by name."""

    items: list[SourceBody]
    next: str | None = None


class KindSecretsBody(Schema):
    """What secrets a source of a kind has; `generated` says that one is made when none is given."""

    required: bool
    generated: bool
    hint: str


class KindBody(Schema):
    """A kind of source. `settings` are those that its sources may have; `mapping` the templates of attributes."""

    name: str
    title: str
    description: str
    documentation: list[str]
    secrets: KindSecretsBody
    settings: list[str]
    mapping: dict[str, list[str]]
    signature_header: str | None
    cloudevents: bool


class KindList(Schema):
    """The kinds there are, by name."""

    items: list[KindBody]
    next: str | None = None
