"""From a kind and what one source says differently to what its requests are checked and mapped by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shared.core.cloudevents import InvalidEvent
from shared.core.cloudevents.rules import check_name
from shared.core.problems import Fault
from shared.core.webhooks import kind as kinds
from shared.core.webhooks.kind import Kind, Mapping, Scheme, Signature, Text, Timestamp
from shared.core.webhooks.legal import CHECKS, RESERVED
from shared.core.webhooks.template import InvalidTemplate, Template

_SIGNED = re.compile(r"\{([^{}]*)\}")

ED25519_KEY = (32, 32)
"""The size of a public key in bytes, at least and at most (RFC 8032, section 5.1.5)."""

ALLOWED = frozenset({*CHECKS, "extensions"})


class SourceSettings(Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """What one source says for itself; what is absent is as its kind says."""

    header: kinds.HeaderName | UnsetType = UNSET
    prefix: kinds.Label | UnsetType = UNSET
    separator: Annotated[str, Meta(pattern=r"^[, ;]\Z")] | UnsetType | None = UNSET
    algorithm: kinds.Algorithm | UnsetType = UNSET
    encoding: kinds.Encoding | UnsetType = UNSET
    secret_encoding: kinds.SecretEncoding | UnsetType = UNSET
    signed: Text | UnsetType = UNSET
    timestamp_header: kinds.HeaderName | UnsetType | None = UNSET
    id_header: kinds.HeaderName | UnsetType | None = UNSET
    tolerance_seconds: kinds.Tolerance | UnsetType = UNSET
    mapping: dict[str, Any] | UnsetType = UNSET


class InvalidSettings(ValueError):
    """Settings that cannot be used. Pointers of `faults` begin in the settings."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


Attributes = dict[str, tuple[Template, ...]]
"""Templates by attribute name, extensions among them."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature's description with its text taken apart: names and the bytes between them."""

    described: Signature
    content: tuple[bytes | str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How requests to one source are checked, answered and mapped."""

    kind: Kind
    signing: Signing | None
    attributes: Attributes
    replies: tuple[tuple[kinds.Reply, Template], ...]


def read_settings(kind: Kind, settings: dict[str, Any]) -> Recipe:
    """The recipe of a source of this kind with these settings. Raises InvalidSettings."""
    faults = [
        Fault(f"/{_escaped(name)}", _not_taken(kind, name)) for name in settings if name not in kind.settings
    ]
    if faults:
        raise InvalidSettings(faults)
    try:
        said = msgspec.convert(settings, SourceSettings)
    except msgspec.ValidationError as error:
        raise InvalidSettings([_fault(error)]) from None
    try:
        signing = None if kind.signature is None else compile_signature(_merge(kind.signature, said))
    except InvalidTemplate as error:
        raise InvalidSettings([Fault("/signed", str(error))]) from None
    return Recipe(
        kind,
        signing,
        _mapped(kind.mapping, said.mapping),
        tuple((reply, Template(reply.body)) for reply in kind.replies),
    )


def compile_signature(described: Signature) -> Signing:
    """The description with its text taken apart. Raises InvalidTemplate for one that cannot be checked."""
    parts: list[bytes | str] = []
    position = 0
    for match in _SIGNED.finditer(described.signed):
        parts += (described.signed[position : match.start()].encode(), match[1])
        position = match.end()
    parts.append(described.signed[position:].encode())
    names = [part for part in parts if isinstance(part, str)]
    if unknown := sorted(set(names) - {"body", "timestamp", "id"}):
        raise InvalidTemplate(
            f"{{{unknown[0][:40]}}} is not known: there are {{body}}, {{timestamp}}, {{id}}"
        )
    if names.count("body") != 1:
        raise InvalidTemplate(
            "{body} must be in it once: a signature that does not cover the body proves nothing"
        )
    if ("timestamp" in names) != (described.timestamp is not None):
        raise InvalidTemplate("{timestamp} must be in it exactly when there is a timestampHeader")
    if ("id" in names) != (described.id_header is not None):
        raise InvalidTemplate("{id} must be in it exactly when there is an idHeader")
    at = described.timestamp
    if at is not None and (at.header is None) == (at.item is None):
        raise InvalidTemplate("the timestamp is either in a header or an item of the signature's")
    return Signing(described, tuple(part for part in parts if part != b""))


def compile_mapping(mapping: Mapping) -> Attributes:
    """The templates of a kind. Raises InvalidTemplate."""
    for name in mapping.extensions:
        if (fault := _extension_fault(name)) is not None:
            raise InvalidTemplate(f"mapping.extensions.{name[:40]}: {fault}")
    return {name: tuple(map(Template, texts)) for name, texts in _texts(mapping).items()}


def _texts(mapping: Mapping) -> dict[str, tuple[str, ...]]:
    named = {name: getattr(mapping, name) for name in CHECKS}
    return {**named, **mapping.extensions}


def _mapped(mapping: Mapping, said: dict[str, Any] | UnsetType) -> Attributes:
    attributes = compile_mapping(mapping)
    if isinstance(said, UnsetType):
        return attributes
    faults: list[Fault] = []
    extensions = said.get("extensions", {})
    if not isinstance(extensions, dict) or len(extensions) > kinds.MAX_EXTENSIONS:
        faults.append(
            Fault("/mapping/extensions", f"must be an object with at most {kinds.MAX_EXTENSIONS} members")
        )
        extensions = {}
    for name, given in said.items():
        if name not in ALLOWED:
            known = ", ".join((*CHECKS, "extensions"))
            faults.append(
                Fault(f"/mapping/{_escaped(name)}", f"is not an attribute to map; there are {known}")
            )
        elif name != "extensions":
            _prepend(attributes, faults, name, given, f"/mapping/{name}")
    for name, given in extensions.items():
        pointer = f"/mapping/extensions/{_escaped(name)}"
        if (fault := _extension_fault(name)) is not None:
            faults.append(Fault(pointer, fault))
        else:
            _prepend(attributes, faults, name, given, pointer)
    if faults:
        raise InvalidSettings(faults)
    return attributes


def _extension_fault(name: str) -> str | None:
    if name in RESERVED:
        return "is an attribute of the specification, not an extension"
    try:
        check_name(name)
    except InvalidEvent as error:
        return error.detail
    return None


def _prepend(attributes: Attributes, faults: list[Fault], name: str, given: object, pointer: str) -> None:
    """Put the templates given, one text or a list of them, before those there are."""
    texts = given if isinstance(given, list) else [given]
    if len(texts) > kinds.MAX_TEMPLATES:
        faults.append(Fault(pointer, f"must have at most {kinds.MAX_TEMPLATES} templates"))
        return
    read: list[Template] = []
    for index, text in enumerate(texts):
        try:
            read.append(_template(name, text))
        except (InvalidTemplate, InvalidEvent) as error:
            faults.append(Fault(f"{pointer}/{index}" if isinstance(given, list) else pointer, str(error)))
    attributes[name] = (*read, *attributes.get(name, ()))


def _template(name: str, text: object) -> Template:
    """A template for that attribute; one without expressions must be a value that the attribute may have."""
    if not isinstance(text, str) or kinds.is_template_text(text) is None:
        raise InvalidTemplate("must be a text of 1 to 1,000 characters without control characters")
    template = Template(text)
    if template.constant and (check := CHECKS.get(name)) is not None:
        check(text)
    return template


def _merge(signature: Signature, said: SourceSettings) -> Signature:
    """The kind's description with what the source says differently; that changes its first scheme."""
    replace = msgspec.structs.replace
    first, *others = signature.schemes
    algorithm = _or(said.algorithm, first.algorithm)
    form = replace(
        first.secret,
        encoding=_or(said.secret_encoding, first.secret.encoding),
        size=ED25519_KEY if algorithm == "ed25519" else first.secret.size,
    )
    scheme: Scheme = replace(
        first,
        algorithm=algorithm,
        encoding=_or(said.encoding, first.encoding),
        prefix=_or(said.prefix, first.prefix),
        secret=form,
    )
    timestamp = signature.timestamp
    if not isinstance(said.timestamp_header, UnsetType):
        header = said.timestamp_header
        timestamp = None if header is None else replace(timestamp or Timestamp(), header=header, item=None)
    if timestamp is not None:
        timestamp = replace(
            timestamp, tolerance_seconds=_or(said.tolerance_seconds, timestamp.tolerance_seconds)
        )
    merged: Signature = replace(
        signature,
        header=_or(said.header, signature.header),
        separator=_or(said.separator, signature.separator),
        signed=_or(said.signed, signature.signed),
        id_header=_or(said.id_header, signature.id_header),
        schemes=(scheme, *others),
        timestamp=timestamp,
    )
    return merged


def _or(said: Any, otherwise: Any) -> Any:
    return otherwise if isinstance(said, UnsetType) else said


def _not_taken(kind: Kind, name: str) -> str:
    if name in kinds.SETTINGS:
        return f"a source of kind {kind.name} does not take this: its kind says it"
    return f"is not a setting; a source of kind {kind.name} takes {', '.join(kind.settings)}"


def _fault(error: msgspec.ValidationError) -> Fault:
    """Msgspec's "… - at `$.mapping.type[0]`" as a pointer."""
    detail, _, path = str(error).partition(" - at `")
    steps = re.findall(r"[^.\[\]`$]+", path)
    pointer = "".join(f"/{_escaped(step)}" for step in steps if step not in {"key in ", "..."})
    return Fault(pointer, detail[:1].lower() + detail[1:])


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
