"""What one cache keeps in Redis: whose it is, how old it is, and in which form it is written."""

import hmac
from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from typing import Any, Generic

import msgspec

from shared.cache.level2 import STAMP_LENGTH, Level2
from shared.cache.lookup import K, Seen, V

PROOF_LENGTH = 32
"""Hexadecimal signs of a proof: 128 bits."""


class Shelf(Generic[K, V]):
    """The second level of a `Lookup`: entries of the type `kind`, which msgspec can write, by their names.

    An entry is `<stamp><proof><JSON>`. The stamp is Redis's time from before the load, and the entry ends by that, for
    everybody. The proof is keyed with the deployment's secret: who can write to Redis grants nobody anything. Redis's
    name of an entry has a digest of the form and of `meaning`: versions that read it otherwise do not meet. Nothing
    that is secret may be in it: it can be read there.
    """

    def __init__(
        self,
        level2: Level2,
        cache: str,
        kind: Any,
        *,
        name_of: Callable[[K], str],
        key_of: Callable[[str], K],
        seconds: float,
        none_seconds: float | None = None,
        meaning: str = "",
    ) -> None:
        self._level2 = level2
        self._cache = cache
        self._kind = kind
        self._name_of = name_of
        self._key_of = key_of
        self._seconds = seconds
        self._none_seconds = seconds if none_seconds is None else none_seconds
        self._meaning = meaning
        self._changing: dict[K, object] = {}

    async def read(self, key: K) -> Seen[V] | None:
        """What is there and not too old. None while Redis is away, and while what was changed here is not known there."""
        if key in self._changing:
            return None
        name = self._place(key)
        found = await self._level2.read(name)
        if found is None or key in self._changing:
            return None
        now, entry = found
        return self._read(name, entry, now) or Seen(now)

    def write(self, key: K, value: V, stamp: int) -> None:
        """Keep it, for others too. Returns at once."""
        name = self._place(key)
        body = msgspec.json.encode(value)
        moment = f"{stamp:0{STAMP_LENGTH}d}"
        entry = moment + self._proof(name, moment, body) + body.decode()
        self._level2.write(name, stamp, entry, stamp // 1000 + int(self._time_of(value) * 1000))

    def forget(self, key: K) -> None:
        """Mark it as changed, and tell the others. Until that is known to be done this process does not look there."""
        from asyncio import get_running_loop

        mark = self._changing[key] = object()

        def done() -> None:
            if self._changing.get(key) is mark:
                del self._changing[key]

        longest = max(self._seconds, self._none_seconds)
        get_running_loop().call_later(longest, done)
        name = self._name_of(key)
        self._level2.forget(self._place(key), int(longest * 1000), self._cache, name, done)

    def heed(self, forget: Callable[[K], None]) -> None:
        """Call `forget` with what other processes forget."""
        self._level2.heed(self._cache, lambda name: forget(self._key_of(name)))

    def _read(self, name: str, entry: str | None, now: int) -> Seen[V] | None:
        if entry is None or len(entry) <= STAMP_LENGTH + PROOF_LENGTH:
            return None  # nothing, or the mark of a change
        moment, proof = entry[:STAMP_LENGTH], entry[STAMP_LENGTH : STAMP_LENGTH + PROOF_LENGTH]
        body = entry[STAMP_LENGTH + PROOF_LENGTH :].encode()
        if not hmac.compare_digest(proof.encode(), self._proof(name, moment, body).encode()):
            return None
        try:
            value: V = msgspec.json.decode(body, type=self._kind)
            age = (now - int(moment)) / 1_000_000
        except (msgspec.MsgspecError, ValueError):
            return None
        # Redis's clock may have been set back, or it is another Redis: such an age says nothing.
        left = self._time_of(value) - age if age >= 0 else 0.0
        return Seen(now, left, value) if left > 0 else None

    def _time_of(self, value: V) -> float:
        return self._none_seconds if value is None else self._seconds

    def _place(self, key: K) -> str:
        return self._prefix + self._name_of(key)

    @cached_property
    def _prefix(self) -> str:
        form = msgspec.json.encode(msgspec.json.schema(self._kind), order="sorted")
        digest = sha256(form + self._meaning.encode()).hexdigest()[:12]
        return f"weir:cache:{self._cache}:{digest}:"

    def _proof(self, name: str, moment: str, body: bytes) -> str:
        bound = b"\0".join((name.encode(), moment.encode(), body))
        return hmac.digest(self._key, bound, "sha256").hex()[:PROOF_LENGTH]

    @cached_property
    def _key(self) -> bytes:
        return hmac.digest(self._level2.secret.get_secret_value().encode(), b"weir cache v1", "sha256")
