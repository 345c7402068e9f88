"""What benches store is found like anything else."""

import asyncpg
import httpx

from tests.bench.stored import fill
from tests.support.projects import Project


async def test_a_filled_project_answers(
    client: httpx.AsyncClient, database_url: str, project: Project
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        made = await fill(connection, project.id, 600, 3)
    finally:
        await connection.close()
    bars = (await client.get("/events/histogram")).json()
    assert (bars["total"]["total"], bars["searched"]) == (600, None)
    for params in (
        {"subject": made.subjects[0]},
        {"id": made.ids[0]},
        {"extension": f"partitionkey:{made.customers[0]}"},
    ):
        found = (await client.get("/events", params={**params, "limit": 500})).json()["items"]
        assert str(made.uids[0]) in {item["uid"] for item in found}
    dead = (await client.get("/deliveries", params={"status": "dead", "limit": 500})).json()["items"]
    assert {item["id"] for item in dead} == {str(one) for one in made.dead} != set()
