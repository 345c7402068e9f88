"""Whether a request was signed with one of a source's secrets, over the bytes of its body as they came."""

import base64
import binascii
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.core.problems import UNAUTHENTICATED, Problem
from shared.core.webhooks.kind import Scheme, Signature, Timestamp
from shared.core.webhooks.recipe import Signing
from shared.core.webhooks.secret import key_of

MAX_ITEMS = 16
"""How many signatures of one header are looked at: each costs a comparison for every secret."""

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signature covered beside the body."""

    id: str | None = None
    timestamp: str | None = None


def verify(signing: Signing, secrets: Sequence[str], headers: Headers, body: bytes, *, now: float) -> Signed:
    """What was signed. `now` is Unix time in seconds; `body` the bytes as they came.

    Every secret and every signature of the header are tried, whichever fits, so that the time taken tells
    nothing of them. Raises Problem 401 for a signature that is missing, stale or wrong; its detail names
    the header and what to do, never what would have been right.
    """
    described = signing.described
    values = _values(headers, described)
    items = _items(_one(values, described.header, described.header), described)
    timestamp = None
    if described.timestamp is not None:
        timestamp = _timestamp(described, described.timestamp, values, items, now)
    signed_id = None
    if described.id_header is not None:
        signed_id = _one(values, described.id_header, described.header)
    named = {
        "body": body,
        "timestamp": (timestamp or "").encode(),
        "id": (signed_id or "").encode("latin-1"),
    }
    content = b"".join(part if isinstance(part, bytes) else named[part] for part in signing.content)
    if not any(item.startswith(scheme.prefix) for scheme in described.schemes for item in items):
        forms = " or ".join(f"{scheme.prefix}…" for scheme in described.schemes)
        raise refused(f"{described.header} has no signature of the form {forms}.", described.header)
    fits = False
    for secret in secrets:
        for scheme in described.schemes:
            key = key_of(scheme.secret, secret)
            if key is not None:
                fits |= _fits(scheme, key, content, items)
    if not fits:
        raise refused(
            f"The signature in {described.header} does not fit the body and the secrets of this source. Both sides "
            "must have the same secret, and nothing on the way may change the body.",
            described.header,
        )
    return Signed(signed_id, timestamp)


def has_token(secrets: Sequence[str], given: str) -> bool:
    """Whether `given` is one of `secrets`; all of them are compared."""
    text = given.encode("utf-8", "replace")
    found = False
    for secret in secrets:
        found |= hmac.compare_digest(secret.encode(), text)
    return found


def refused(detail: str, header: str) -> Problem:
    """401, with the challenge that RFC 9110, section 11.6.1, asks for."""
    return Problem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": f'Webhook header="{header}"'})


def _values(headers: Headers, described: Signature) -> dict[str, list[str]]:
    """The values of the headers that matter, by their names in lower case."""
    wanted = {described.header.lower()}
    if described.timestamp is not None and described.timestamp.header is not None:
        wanted.add(described.timestamp.header.lower())
    if described.id_header is not None:
        wanted.add(described.id_header.lower())
    found: dict[str, list[str]] = {}
    for name, value in headers:
        text = name.decode("latin-1").lower()
        if text in wanted:
            found.setdefault(text, []).append(value.decode("latin-1").strip(" \t"))
    return found


def _one(values: dict[str, list[str]], header: str, challenge: str) -> str:
    found = values.get(header.lower(), [])
    if len(found) > 1:
        raise refused(f"The header {header} is there more than once.", challenge)
    if not found or not found[0]:
        raise refused(
            f"The header {header} is missing: this source takes signed requests alone. Set a secret at the sender.",
            challenge,
        )
    return found[0]


def _items(value: str, described: Signature) -> list[str]:
    if described.separator is None:
        return [value]
    items = [item for part in value.split(described.separator) if (item := part.strip())]
    if len(items) > MAX_ITEMS:
        raise refused(f"{described.header} has more than {MAX_ITEMS} items.", described.header)
    return items


def _timestamp(
    described: Signature, where: Timestamp, values: dict[str, list[str]], items: list[str], now: float
) -> str:
    if where.header is not None:
        place, text = where.header, _one(values, where.header, described.header)
    else:
        prefix = where.item or ""
        place = f"{described.header} ({prefix}…)"
        found = [item.removeprefix(prefix) for item in items if item.startswith(prefix)]
        if len(found) != 1:
            raise refused(f"{described.header} must have one {prefix}… with its time.", described.header)
        text = found[0]
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise refused(f"The time in {place} is not a number of seconds since 1970.", described.header)
    if abs(now - int(text)) > where.tolerance_seconds:
        raise refused(
            f"The time in {place} is more than {where.tolerance_seconds} seconds from now. An old request must be "
            "signed anew; a new one means that the clocks differ.",
            described.header,
        )
    return text


def _fits(scheme: Scheme, key: bytes, content: bytes, items: list[str]) -> bool:
    given = [
        found
        for item in items
        if item.startswith(scheme.prefix)
        and (found := _decoded(item[len(scheme.prefix) :], scheme.encoding)) is not None
    ]
    if scheme.algorithm == "ed25519":
        return any(_is_ed25519(key, signature, content) for signature in given)
    expected = hmac.digest(key, content, scheme.algorithm)
    fits = False
    for signature in given:
        fits |= hmac.compare_digest(expected, signature)
    return fits


def _decoded(text: str, encoding: str) -> bytes | None:
    try:
        if encoding == "hex":
            return binascii.unhexlify(text)
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_ed25519(key: bytes, signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
