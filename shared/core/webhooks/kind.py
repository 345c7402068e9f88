"""What a kind of source says of itself: the shape of the files in `kinds/`, checked when one is read.

A file is JSON with lowerCamelCase members. Nothing about a third party is written in code.
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"
HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z"
MAX_TEMPLATES = 40
MAX_EXTENSIONS = 20
MAX_TOLERANCE_SECONDS = 86_400

HeaderName = Annotated[str, Meta(pattern=HEADER_NAME)]
TEXT = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,1000}\Z"
Text = Annotated[str, Meta(pattern=TEXT)]
"""Without control characters and surrogates, which neither an attribute nor the database takes."""

Label = Annotated[str, Meta(max_length=40, pattern=r"^[\x21-\x7e]*\Z")]
"""What stands before a signature: `sha256=`, `v1,`. Visible ASCII, since it stands in a header."""

Algorithm = Literal["sha1", "sha256", "sha512", "ed25519"]
Encoding = Literal["hex", "base64"]
SecretEncoding = Literal["raw", "hex", "base64"]
Tolerance = Annotated[int, Meta(ge=1, le=MAX_TOLERANCE_SECONDS)]

SETTINGS = (
    "header",
    "prefix",
    "separator",
    "algorithm",
    "encoding",
    "secretEncoding",
    "signed",
    "timestampHeader",
    "idHeader",
    "toleranceSeconds",
    "mapping",
)
"""Everything that a source may say for itself, where its kind lets it."""

SettingName = Literal[
    "header",
    "prefix",
    "separator",
    "algorithm",
    "encoding",
    "secretEncoding",
    "signed",
    "timestampHeader",
    "idHeader",
    "toleranceSeconds",
    "mapping",
]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A member that nobody knows is an error, so that a typing error is seen."""


class SecretForm(_Part, frozen=True):
    """How a secret's text becomes a key: what follows `prefix`, decoded. `size` is its range in bytes."""

    prefix: Label = ""
    encoding: SecretEncoding = "raw"
    size: tuple[int, int] = (1, 1_024)


class Scheme(_Part, frozen=True):
    """One way to sign. Signatures that begin with `prefix` and secrets that begin with theirs belong to it."""

    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: Label = ""
    secret: SecretForm = SecretForm()


class Timestamp(_Part, frozen=True):
    """Where the sender says when it signed, in seconds since 1970: a header, or an `item` of the signature's.

    A request whose time is further than `tolerance_seconds` from now, before or after, is refused.
    """

    header: HeaderName | None = None
    item: Label | None = None
    tolerance_seconds: Tolerance = 300


class Signature(_Part, frozen=True):
    """How requests are signed: `signed` is the text, of `{body}`, `{timestamp}` and `{id}`.

    `separator` parts the signatures (and other items) in one header.
    """

    header: HeaderName
    schemes: Annotated[tuple[Scheme, ...], Meta(min_length=1, max_length=8)] = (Scheme(),)
    signed: Text = "{body}"
    separator: Literal[",", " ", ";"] | None = None
    timestamp: Timestamp | None = None
    id_header: HeaderName | None = None


class Token(_Part, frozen=True):
    """A secret that the request itself carries, as a bearer token (RFC 6750, sections 2.1 and 2.3)."""


class Secrets(_Part, frozen=True):
    """What secrets such a source has. Without one where none is `required`, an API key is asked for.

    `generate` is the form that a generated one has; None where only the third party can give it.
    """

    hint: Text
    required: bool = True
    generate: Literal["text", "whsec"] | None = None


class Reply(_Part, frozen=True):
    """A request to be answered at once, and not stored: one whose values at these JSON pointers are these."""

    when: Annotated[dict[str, str], Meta(min_length=1, max_length=10)]
    body: Text
    content_type: Text = "text/plain"
    status: Annotated[int, Meta(ge=200, le=299)] = 200


Templates = Annotated[tuple[Text, ...], Meta(max_length=MAX_TEMPLATES)]
"""Templates in the order in which they are tried: the first that gives a legal value counts."""


class Mapping(_Part, frozen=True):
    """The attributes of the event, each by the first of its templates that gives a legal value."""

    type: Templates = ()
    source: Templates = ()
    subject: Templates = ()
    id: Templates = ()
    time: Templates = ()
    datacontenttype: Templates = ("{header:content-type}",)
    dataschema: Templates = ()
    extensions: Annotated[dict[str, Templates], Meta(max_length=MAX_EXTENSIONS)] = {}


class Kind(_Part, frozen=True):
    """A kind of source. `cloudevents` takes what comes as a CloudEvent as the event that it is.

    `form_payload` names the field of a form whose JSON is what pointers point into.
    """

    name: Annotated[str, Meta(pattern=NAME)]
    title: Text
    description: Text
    documentation: tuple[Text, ...]
    secrets: Secrets
    mapping: Mapping
    signature: Signature | None = None
    token: Token | None = None
    settings: tuple[SettingName, ...] = ("mapping",)
    replies: tuple[Reply, ...] = ()
    form_payload: Text | None = None
    cloudevents: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec reports with the file's other faults."""
        if (self.signature is None) == (self.token is None):
            raise ValueError("a kind has either a signature or a token")
        for name in ("type", "source", "id"):
            if not getattr(self.mapping, name):
                raise ValueError(f"mapping.{name} must have at least one template")


read_kind = msgspec.json.Decoder(Kind).decode
is_name = re.compile(NAME).match
"""Whether a text may be the name of a kind or of a source."""
is_template_text = re.compile(TEXT).match
"""Whether a text has a length and signs that a template may have."""
