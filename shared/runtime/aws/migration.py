"""The database brought to the schema of this package, as a function: a deploy calls it before new code is called."""

import asyncio
import os
from typing import Any


def migrate(event: dict[str, Any], _context: object) -> dict[str, str | None]:
    """Migrate to `target` of the payload, or as far as this package goes; `{"revision": …}` is where it is then.

    Raises KeyError without `WEIR_DATABASE_URL`, and what `shared.db.migrate` raises.
    """
    from shared.db import migrate as database

    url = os.environ["WEIR_DATABASE_URL"]
    target = event.get("target") if isinstance(event, dict) else None

    async def run() -> str | None:
        await database.migrate(url, target or "head")
        return (await database.status(url))[0]

    return {"revision": asyncio.run(run())}
