"""Where sealed secrets lie in the database, and how they are sealed anew with another key.

Rows are taken in batches of a transaction each, and a row is written only if nobody has changed it meanwhile. So it can
be ended at any time and begun again, and nobody waits for it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.auth import signing_keys, sink_secrets, source_secrets
from shared.auth.sealing import SealingKeys, UnsealError, rewrap, sealed_with

if TYPE_CHECKING:
    from asyncpg import Pool, Record

BATCH = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed secrets. `purpose_of` says of a row's `id` what its secret is sealed for."""

    table: str
    id: str
    column: str
    purpose_of: Callable[[Any], bytes]

    @property
    def name(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.column}"


def _of_totp(user_id: UUID) -> bytes:
    return b"totp:" + user_id.bytes


PLACES = (
    Place("signing_keys", "kid", "private_sealed", signing_keys.purpose_of),
    Place("totp_secrets", "user_id", "secret_sealed", _of_totp),
    Place("sources", "id", "secrets_sealed", source_secrets.purpose_of),
    Place("subscriptions", "id", "signing_secrets_sealed", lambda _: sink_secrets.SIGNING_PURPOSE),
    Place("subscriptions", "id", "credentials_sealed", sink_secrets.purpose_of),
)
"""Every one there is; a test compares with the models."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some rows of `place`: sealed anew, and the ids of those that no key opens."""

    place: str
    sealed: int
    unreadable: tuple[str, ...]


async def seal_anew(pool: "Pool", keys: SealingKeys, size: int = BATCH) -> AsyncIterator[Batch]:
    """Seal with the first of `keys` what is not, `size` rows at a time."""
    wanted = sealed_with(keys.first()[0])
    for place in PLACES:
        last: Any = None
        while rows := await _rest(pool, place, wanted, last, size):
            last = rows[-1]["id"]
            yield await _seal_anew(pool, place, keys, rows)


async def count(pool: "Pool", keys: SealingKeys) -> dict[str, Counter[str]]:
    """How many secrets there are in each place, by the id of the key that sealed them."""
    names = [*keys.ids, *(["?"] if "?" not in keys.ids else [])]
    starts = [sealed_with(name) for name in keys.ids]
    found: dict[str, Counter[str]] = {}
    for place in PLACES:
        rows = await pool.fetch(
            f"""
            SELECT coalesce((SELECT n FROM unnest($1::bytea[]) WITH ORDINALITY AS k (start, n)
                             WHERE substring({place.column} FOR length(k.start)) = k.start
                             LIMIT 1), cardinality($1::bytea[]) + 1) AS key, count(*) AS count
            FROM {place.table} WHERE {place.column} IS NOT NULL GROUP BY 1
            """,  # noqa: S608 of the list above
            starts,
        )
        found[place.name] = Counter({names[row["key"] - 1]: row["count"] for row in rows})
    return found


async def _rest(pool: "Pool", place: Place, wanted: bytes, last: Any, size: int) -> "list[Record]":
    """Some rows behind `last` that the wanted key has not sealed."""
    rows: list[Record] = await pool.fetch(
        f"""
        SELECT {place.id} AS id, {place.column} AS sealed FROM {place.table}
        WHERE {place.column} IS NOT NULL AND substring({place.column} FOR $1) <> $2
          {"" if last is None else f"AND {place.id} > $4"}
        ORDER BY {place.id} LIMIT $3
        """,  # noqa: S608 of the list above
        len(wanted),
        wanted,
        size,
        *([] if last is None else [last]),
    )
    return rows


async def _seal_anew(pool: "Pool", place: Place, keys: SealingKeys, rows: "list[Record]") -> Batch:
    changed, unreadable = [], []
    for row in rows:
        try:
            changed.append(
                (row["id"], row["sealed"], rewrap(keys, row["sealed"], purpose=place.purpose_of(row["id"])))
            )
        except UnsealError:
            unreadable.append(str(row["id"]))
    async with pool.acquire() as connection, connection.transaction():
        # In the order of ids, as everybody else locks rows.
        await connection.executemany(
            f"UPDATE {place.table} SET {place.column} = $3 WHERE {place.id} = $1 AND {place.column} = $2",  # noqa: S608
            changed,
        )
    return Batch(place.name, len(changed), tuple(unreadable))


def left(counts: dict[str, Counter[str]], keys: SealingKeys) -> dict[str, int]:
    """How many secrets each key but the first still seals; `?` are those of a key that is not here."""
    first, _ = keys.first()
    every: Counter[str] = sum(counts.values(), Counter())
    return {name: number for name, number in sorted(every.items()) if name != first}
