"""What a subscription proves itself to its sink with, at rest: sealed together, for that subscription alone."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from shared.auth.sealing import SealingKeys, seal, unseal

AUTH, PRIVATE_KEY = "auth", "privateKey"
"""The secrets there may be: of `auth`, and the key in `tls`."""

SIGNING_PURPOSE = b""
"""What signing secrets are sealed for."""

_read_signing = msgspec.json.Decoder(tuple[str, ...]).decode
_read = msgspec.json.Decoder(dict[str, str]).decode


def seal_credentials(keys: SealingKeys, subscription_id: UUID, secrets: Mapping[str, str]) -> bytes | None:
    """The secrets of that subscription by their names as the database keeps them; None for none."""
    if not secrets:
        return None
    return seal(keys, msgspec.json.encode(secrets), purpose=purpose_of(subscription_id))


def open_credentials(keys: SealingKeys, subscription_id: UUID, sealed: bytes | None) -> dict[str, str]:
    """What was given to `seal_credentials`. Raises UnsealError."""
    return {} if sealed is None else _read(unseal(keys, sealed, purpose=purpose_of(subscription_id)))


def open_signing_secrets(keys: SealingKeys, sealed: bytes | None) -> tuple[str, ...]:
    """What requests are signed with. Raises UnsealError."""
    return () if sealed is None else _read_signing(unseal(keys, sealed, purpose=SIGNING_PURPOSE))


def purpose_of(subscription_id: UUID) -> bytes:
    """What binds sealed secrets to their subscription."""
    return b"subscription:" + subscription_id.bytes
