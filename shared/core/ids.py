"""Identifiers: UUIDv7 (RFC 9562, section 5.7) and what is derived from it."""

import os
import threading
import time
from hashlib import blake2b
from uuid import UUID

SHARDS = 16
"""Slices of the stream. Stored with every event: changing it is a migration."""

_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_MAX_MS = (1 << 48) - 1


class _Clock:
    """The last UUIDv7 that this process made: the next one is always greater."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = 0
        self._tail = 0

    def next(self, now_ms: int) -> tuple[int, int]:
        with self._lock:
            if now_ms > self._ms:
                self._ms = now_ms
                # The highest bit stays free, so that a millisecond has room for 2^73 successors.
                self._tail = int.from_bytes(os.urandom(10)) >> 7
            else:
                # Same millisecond, or a clock that went back: go on from the last one (section 6.2).
                self._tail += 1 + (os.urandom(1)[0] << 8)
            return self._ms, self._tail


_clock = _Clock()


def _assemble(ms: int, tail: int) -> UUID:
    """A UUIDv7 of 48 bits of milliseconds and 74 bits of `tail`."""
    return UUID(int=(ms << 80) | _VERSION | ((tail >> 62) << 64) | _VARIANT | (tail & ((1 << 62) - 1)))


def uuid7(now_ms: int | None = None) -> UUID:
    """A new UUIDv7, greater than every one this process made before it.

    `now_ms` is Unix time in milliseconds, by default the system clock's.
    """
    return _assemble(*_clock.next(time.time_ns() // 1_000_000 if now_ms is None else now_ms))


def timestamp_ms(uid: UUID) -> int:
    """The Unix milliseconds in a UUIDv7."""
    return uid.int >> 80


def floor(ms: int) -> UUID:
    """The smallest uuid whose milliseconds are `ms`: the lower bound of a key range.

    It is below every UUIDv7 of that millisecond, and equal to SQL's `uuid_floor`.
    """
    return UUID(int=min(max(ms, 0), _MAX_MS) << 80)


def delivery_id(event_uid: UUID, subscription_id: UUID, salt: bytes = b"") -> UUID:
    """The id of the delivery of one event to one subscription: always the same for the same two.

    It has the event's milliseconds. A repeated delivery, as a replay makes it, passes a `salt`.
    """
    digest = blake2b(event_uid.bytes + subscription_id.bytes + salt, digest_size=10).digest()
    return _assemble(timestamp_ms(event_uid), int.from_bytes(digest) >> 6)


def identity(project_id: UUID, source: str, event_id: str) -> UUID:
    """What makes two events the same: a digest of project, `source` and `id` (CloudEvents, "id")."""
    texts = f"{len(source)}:{source}{event_id}".encode()
    return UUID(bytes=blake2b(project_id.bytes + texts, digest_size=16).digest())


def shard_of(project_id: UUID, key: str | bytes, shards: int = SHARDS) -> int:
    """The shard of what belongs together under `key`: a partition key, or an event's uid."""
    text = key.encode() if isinstance(key, str) else key
    return int.from_bytes(blake2b(project_id.bytes + text, digest_size=4).digest()) % shards
