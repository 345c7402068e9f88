"""Seals what is secret at rest with the newest key: `python -m shared.auth.reseal [--batch 200] [--status]`.

Needs the settings of the functions: `WEIR_DATABASE_URL`, `WEIR_SECRET`, and `WEIR_SEALING_KEYS` or
`WEIR_SEALING_KEYS_FILE`. Functions serve on meanwhile. Ended in between, run again it goes on. It says on stderr how far
it is; the last line on stdout is JSON: `{"key": …, "sealed": …, "left": {…}, "unreadable": […]}`. The exit code is 1 while
something is left that another key has sealed: as long, that key must be kept.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from shared.audit.by import by_operator
from shared.audit.record import record
from shared.auth import sealed
from shared.auth.beside import Beside

SHOWN = 20
"""How many of what cannot be opened are named."""


async def status(beside: Beside) -> dict[str, Any]:
    """How many secrets each key has sealed, and where."""
    async with beside.pool() as pool:
        counts = await sealed.count(pool, beside.sealing)
    first, _ = beside.sealing.first()
    return {
        "key": first,
        "places": {place: dict(found) for place, found in counts.items()},
        "left": sealed.left(counts, beside.sealing),
    }


async def rotate(beside: Beside, *, batch: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Seal with the first key what is not, and say what is left."""
    first, _ = beside.sealing.first()
    done, unreadable = 0, []
    async with beside.pool() as pool:
        total = sum(sealed.left(await sealed.count(pool, beside.sealing), beside.sealing).values())
        tell(f"{total} secrets are to be sealed with the key {first!r}")
        async for step in sealed.seal_anew(pool, beside.sealing, batch):
            done += step.sealed
            unreadable += [f"{step.place} {identity}" for identity in step.unreadable]
            tell(f"{done} of {total}: {step.place}")
        rest = sealed.left(await sealed.count(pool, beside.sealing), beside.sealing)
        if done:
            async with pool.acquire() as connection, connection.transaction():
                await record(
                    connection,
                    by_operator("shared.auth.reseal"),
                    "secrets.resealed",
                    project_id=None,
                    id=first,
                    after={"key": first, "count": done},
                )
    return {"key": first, "sealed": done, "left": rest, "unreadable": unreadable[:SHOWN]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.auth.reseal", description=__doc__)
    parser.add_argument("--batch", type=int, default=sealed.BATCH, help="rows of a transaction")
    parser.add_argument("--status", action="store_true", help="count, and change nothing")
    chosen = parser.parse_args(arguments)
    if chosen.batch < 1:
        parser.error("--batch must be at least 1")
    try:
        beside = Beside.of()
    except ValueError as error:
        parser.error(str(error))

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 a command's own output

    work = status(beside) if chosen.status else rotate(beside, batch=chosen.batch, tell=tell)
    said = asyncio.run(work)
    print(json.dumps(said))  # noqa: T201
    return 1 if said["left"] else 0


if __name__ == "__main__":
    sys.exit(main())
