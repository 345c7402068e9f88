"""The statements of the pages for operators run, and do what the pages say."""

import re
from pathlib import Path

import asyncpg
import pytest

from shared.core.ids import delivery_id
from tests.integration.dispatch.conftest import World, world
from tests.support.sink import Sink

__all__ = ["world"]

OPERATE = Path(__file__).resolve().parents[3] / "docs" / "operate"
BLOCK = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
STATEMENTS = {
    f"{page.stem}-{number}": block
    for page in sorted(OPERATE.rglob("*.md"))
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
async def test_a_statement_runs(statement: str, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        tried = connection.transaction()
        await tried.start()
        try:
            await connection.execute(statement)
        finally:
            await tried.rollback()


async def test_dead_letters_are_tried_once_more(world: World, sink: Sink) -> None:
    sink.answer(400)
    identity = await world.subscribe(sink.url)
    handler = world.start()
    (uid,) = await world.emit()
    await world.settled()
    name = await world.pool.fetchval("SELECT name FROM subscriptions WHERE id = $1", identity)
    (statement,) = BLOCK.findall((OPERATE / "runbooks" / "dead-letters-rise.md").read_text())
    sink.answer(200)
    changed = await world.pool.execute(
        statement.replace("'PROJECT'", f"'{world.project.name}'").replace("'SUBSCRIPTION'", f"'{name}'")
    )
    assert changed == "UPDATE 1"
    world.tick()
    await sink.wait(2)

    async def delivered() -> bool:
        (row,) = await world.deliveries()
        return (row["id"], row["status"]) == (delivery_id(uid, identity), "delivered")

    await world.until(delivered)
    assert len({request.id for request in sink.requests}) == 1
    assert handler is world.handlers[0]
