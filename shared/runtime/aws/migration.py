"""The database brought to the schema of this package, as a function: a deploy calls it before new code is called."""

import asyncio
import os
from typing import Any


def migrate(event: dict[str, Any], _context: object) -> dict[str, str | None]:
    """Migrate to `target` of the payload, or as far as the code that still serves allows; where it is then.

    `running` of the payload is the last migration of that code; without it what takes anything away waits, until
    it is named as `target`. Answers `{"revision": …}`.

    Raises KeyError without `WEIR_DATABASE_URL`, and what `shared.db.migrate` raises.
    """
    from shared.db import migrate as database

    url = os.environ["WEIR_DATABASE_URL"]
    asked = event if isinstance(event, dict) else {}

    async def run() -> str | None:
        if target := asked.get("target"):
            await database.migrate(url, target)
        else:
            await database.expand(url, asked.get("running"))
        return (await database.status(url))[0]

    return {"revision": asyncio.run(run())}
