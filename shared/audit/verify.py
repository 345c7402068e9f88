"""Whether the chains in the database hold: of one a part at a time, or all of them by `python -m shared.audit.verify`.

The command prints a line of JSON for each chain and exits with 1 when one does not hold. It needs the database
(`WEIR_DATABASE_URL`), as its owner, and no other setting. `--head PROJECT=SEQUENCE:HASH` has a head that was noted before be
found again; `-` for PROJECT is the chain of what concerns none.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.audit import queries
from shared.audit.chain import FIRST, Break

if TYPE_CHECKING:
    from asyncpg import Connection, Pool

PART = 10_000
"""Rows that are computed at a time."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a chain. `sequence` and `hash` are the last row's that was looked at; `head_…` those of its end.

    `is_last` says that nothing follows. With a break the rest says nothing.
    """

    rows: int
    sequence: int
    hash: str
    head_sequence: int
    head_hash: str
    broken: Break | None
    is_last: bool


async def verify_part(on: "Connection | Pool", chain: UUID, after: int = 0, limit: int = PART) -> Part:
    """The rows behind the number `after`, that one being believed."""
    row = await queries.verify(on, chain, after, limit)
    before = FIRST if after == 0 else _hex(row["hash_before"])
    sequence = after if row["sequence"] is None else row["sequence"]
    digest = before if row["hash"] is None else _hex(row["hash"])
    head_sequence, head_hash = row["head_sequence"], _hex(row["head_hash"]) or FIRST
    is_last = row["rows"] < limit
    broken = None
    if not before:
        broken = Break(after, None, "missing")
    elif row["reason"] is not None:
        broken = Break(row["broken_sequence"], str(row["broken_id"]), row["reason"])
    elif is_last and (sequence, digest) != (head_sequence, head_hash):
        broken = Break(min(sequence, head_sequence) + 1, None, "head")
    return Part(row["rows"], sequence, digest, head_sequence, head_hash, broken, is_last)


def _hex(digest: bytes | None) -> str:
    return "" if digest is None else digest.hex()


async def holds(on: "Connection | Pool", chain: UUID, sequence: int, digest: str) -> bool:
    """Whether the chain has the row of that number with that hash still."""
    return await queries.has(on, chain, sequence, bytes.fromhex(digest))


async def verify_all(on: "Connection", heads: Mapping[str, tuple[int, str]]) -> list[dict[str, Any]]:
    """What there is to say of each chain; `heads` are those noted before, by the name of their project."""
    said = []
    for row in await queries.chains(on):
        name = "-" if row["chain"] == queries.NO_PROJECT else row["project"] or str(row["chain"])
        rows, part = 0, None
        while part is None or not (part.is_last or part.broken):
            part = await verify_part(on, row["chain"], 0 if part is None else part.sequence)
            rows += part.rows
        noted = heads.get(name)
        broken = part.broken
        if broken is None and noted is not None and not await holds(on, row["chain"], *noted):
            broken = Break(noted[0], None, "head")
        said.append(
            {
                "project": name,
                "rows": rows,
                "head": f"{part.head_sequence}:{part.head_hash}",
                "holds": broken is None,
                **({} if broken is None else {"at": broken.sequence, "reason": broken.reason}),
            }
        )
    missing = heads.keys() - {one["project"] for one in said}
    said += [{"project": name, "rows": 0, "holds": False, "reason": "head"} for name in sorted(missing)]
    return said


def read_head(text: str) -> tuple[int, str]:
    """`SEQUENCE:HASH`. Raises ValueError."""
    sequence, _, digest = text.partition(":")
    if not sequence.isdigit() or len(bytes.fromhex(digest)) != 32:
        raise ValueError(f"{text!r} is no head: it is a number, a colon and 64 hexadecimal digits")
    return int(sequence), digest.lower()


async def _run(database_url: str, heads: Mapping[str, tuple[int, str]]) -> list[dict[str, Any]]:
    import asyncpg

    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        return await verify_all(connection, heads)
    finally:
        await connection.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.audit.verify", description=__doc__)
    parser.add_argument("--head", action="append", default=[], metavar="PROJECT=SEQUENCE:HASH")
    given = parser.parse_args(arguments).head
    try:
        heads = {name: read_head(head) for name, _, head in (one.rpartition("=") for one in given)}
    except ValueError as error:
        parser.error(str(error))
    said = asyncio.run(_run(os.environ["WEIR_DATABASE_URL"], heads))
    for one in said:
        print(json.dumps(one))  # noqa: T201 a command's own output
    return 0 if all(one["holds"] for one in said) else 1


if __name__ == "__main__":
    sys.exit(main())
