"""What Postgres did for a statement."""

import json
from collections.abc import Iterator
from typing import Any

import asyncpg


class Plan:
    """An executed plan. `month` (YYYYMM) narrows answers to the partitions of that month."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.nodes = list(self._walk(document))

    def _walk(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from self._walk(child)

    def read(self, month: str) -> set[str]:
        """The partitions that were really read."""
        return {
            node["Relation Name"]
            for node in self.nodes
            if f"_p{month}" in node.get("Relation Name", "") and node["Actual Loops"] > 0
        }

    def sequential(self, month: str) -> set[str]:
        """Those of them that were read from end to end."""
        return {
            node["Relation Name"]
            for node in self.nodes
            if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in self.read(month)
        }

    def indexes(self) -> set[str]:
        """The indexes that were used."""
        return {
            node["Index Name"] for node in self.nodes if "Index Name" in node and node["Actual Loops"] > 0
        }

    def rows(self, start: str) -> float:
        """How many rows of the tables whose names start so were looked at."""
        return sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in self.nodes
            if node.get("Relation Name", "").startswith(start)
        )


async def plan(pool: asyncpg.Pool, statement: str, *values: Any, generic: bool = False) -> Plan:
    """Execute `statement`, take back what it changed, and say how it was done."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            mode = "force_generic_plan" if generic else "force_custom_plan"
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            return await plan_on(connection, statement, *values)
        finally:
            await transaction.rollback()


async def plan_on(connection: asyncpg.Connection, statement: str, *values: Any) -> Plan:
    """The same in a transaction of the caller's, with what it has set."""
    prepared = await connection.prepare(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING off) {statement}")
    found = await prepared.fetchval(*values)
    return Plan((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])
