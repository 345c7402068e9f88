"""The secrets of a source at rest: sealed together, for that source alone."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from shared.auth.sealing import SealingKeys, seal, unseal

_read = msgspec.json.Decoder(tuple[str, ...]).decode


def seal_secrets(keys: SealingKeys, source_id: UUID, secrets: Sequence[str]) -> bytes | None:
    """The secrets of that source, the newest first, as the database keeps them; None for none."""
    if not secrets:
        return None
    return seal(keys, msgspec.json.encode(secrets), purpose=purpose_of(source_id))


def open_secrets(keys: SealingKeys, source_id: UUID, sealed: bytes | None) -> tuple[str, ...]:
    """What was given to `seal_secrets`. Raises UnsealError."""
    return () if sealed is None else _read(unseal(keys, sealed, purpose=purpose_of(source_id)))


def purpose_of(source_id: UUID) -> bytes:
    """What binds sealed secrets to their source."""
    return b"source:" + source_id.bytes
