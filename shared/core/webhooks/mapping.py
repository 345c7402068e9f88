"""From a request to a CloudEvent, by the templates of its source."""

import hashlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from shared.core.cloudevents import Event, InvalidEvent, from_parts
from shared.core.cloudevents.event import Value
from shared.core.cloudevents.media import media_type
from shared.core.cloudevents.rules import check_extension
from shared.core.ids import uuid7
from shared.core.pointers import find, read_pointer
from shared.core.problems import NOT_A_CLOUDEVENT, Fault, Problem
from shared.core.webhooks.kind import Reply
from shared.core.webhooks.legal import CHECKS, REQUIRED
from shared.core.webhooks.recipe import Recipe
from shared.core.webhooks.template import rfc3339, text_of
from shared.core.webhooks.verify import Signed

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1_000

_decode = msgspec.json.Decoder().decode


class Request:
    """A request to a source, verified: what templates take their values from.

    `received` is Unix time in seconds. What is no JSON has nothing at any pointer.
    """

    __slots__ = ("_document", "_fields", "_headers", "_words", "body", "signed")

    def __init__(
        self,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        signed: Signed,
        *,
        name: str,
        project: str,
        received: float,
        form_payload: str | None = None,
    ) -> None:
        self.body = body
        self.signed = signed
        self._headers: dict[str, str] = {}
        for header, value in headers:
            # Of a header that is there twice the first counts: a proxy adds behind what the sender wrote.
            self._headers.setdefault(header.decode("latin-1").lower(), _text(value))
        self._words = {"name": name, "project": project, "received": rfc3339(received)}
        self._fields = self._form()
        payload = self._fields.get(form_payload) if form_payload is not None else None
        self._document = _json(body if payload is None else payload.encode("utf-8", "replace"))

    def header(self, name: str) -> str | None:
        """A header, by its name in lower case."""
        return self._headers.get(name)

    def form(self, name: str) -> str | None:
        """A field of a form."""
        return self._fields.get(name)

    def at(self, pointer: tuple[str, ...]) -> Any:
        """What is at a JSON pointer, or `MISSING`."""
        return find(pointer, self._document)

    def word(self, name: str) -> str | None:
        """A value that has a name of its own."""
        if name == "digest":
            return hashlib.sha256(self.body).hexdigest()
        if name == "unique":
            return str(uuid7())
        if name == "id":
            return self.signed.id
        if name == "timestamp":
            return self.signed.timestamp
        return self._words.get(name)

    def _form(self) -> dict[str, str]:
        said = media_type(self._headers.get("content-type", "").strip())
        if said is None or self._headers["content-type"].partition(";")[0].strip().lower() != FORM:
            return {}
        try:
            pairs = parse_qsl(self.body.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            return {}
        fields: dict[str, str] = {}
        for name, value in pairs:
            fields.setdefault(name, value)
        return fields


def answer_of(recipe: Recipe, request: Request) -> tuple[Reply, str] | None:
    """What a request is answered with at once, when the kind has an answer for such; None for an event."""
    for reply, body in recipe.replies:
        asked = all(
            text_of(request.at(read_pointer(pointer))) == expected for pointer, expected in reply.when.items()
        )
        if asked and (text := body.fill(request)) is not None:
            return reply, text
    return None


def to_event(recipe: Recipe, request: Request) -> Event:
    """The event of a request. Its data are the body as it came, whatever type that says to have.

    A template whose value no event may have is passed over, as one without a value is. Raises Problem 400
    when none is left for `type`, `source` or `id`.
    """
    attributes: dict[str, Value] = {"specversion": "1.0"}
    faults: list[Fault] = []
    for name, templates in recipe.attributes.items():
        reason = "has no value in this request"
        for template in templates:
            value = template.fill(request)
            if value is None:
                continue
            try:
                if name in CHECKS:
                    CHECKS[name](value)
                else:
                    check_extension(name, value)
            except InvalidEvent as error:
                reason = error.detail
                continue
            attributes[name] = value
            break
        else:
            if name in REQUIRED:
                tried = " · ".join(template.text for template in templates)
                faults.append(Fault(f"/{name}", f"{reason}; tried {tried}"))
    if faults:
        raise Problem(
            NOT_A_CLOUDEVENT,
            "The request was signed as it should be, but it makes no CloudEvent. Change the mapping of this source.",
            errors=faults,
        )
    return from_parts(attributes, request.body)


def _text(value: bytes) -> str:
    try:
        return value.strip(b" \t").decode()
    except UnicodeDecodeError:
        return value.strip(b" \t").decode("latin-1")


def _json(body: bytes) -> Any:
    try:
        return _decode(body)
    except (ValueError, RecursionError):
        return None
