"""Whoever looks for an event that has been archived is told where it is."""

import httpx

from functions.explore.app import create
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.support import stream


async def test_an_archived_event_is_not_just_not_there(keeping: Keeping, resources: Resources) -> None:
    day = a_day()
    (uid,) = await keeping.store([stream.an_event()], day)
    await keeping.keep(7)
    await keeping.tick()
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        url = f"/v1/projects/{keeping.project.name}/events"
        answer = await client.get(f"{url}/{uid}", headers=keeping.project.headers)
        assert answer.status_code == 404
        assert f"Events of {day} are in the archive" in answer.json()["detail"]
        other = await client.get(f"{url}/{str(uid)[:-12]}{'0' * 12}", headers=keeping.project.headers)
        assert "archive" not in other.json()["detail"]
