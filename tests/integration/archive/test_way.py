"""The whole way of an old event: archived, dropped, found, brought back, and sent again to who can tell that it is a repeat."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from functions.archive.app import create as create_archive
from shared.core.ids import shard_of_uid
from shared.runtime.resources import Resources
from tests.integration.archive.conftest import Keeping, a_day
from tests.integration.replays.conftest import Again, again, client, sink, world
from tests.support import stream
from tests.support.sink import Sink

__all__ = ["again", "client", "sink", "world"]


@pytest.fixture
async def old(resources: Resources, keeping: Keeping) -> AsyncIterator[httpx.AsyncClient]:
    """The function that answers for what is old, asked with the project's key."""
    transport = httpx.ASGITransport(create_archive(resources))
    base = f"http://weir.test/v1/projects/{keeping.project.name}/archive"
    async with httpx.AsyncClient(
        transport=transport, base_url=base, headers=keeping.project.headers
    ) as opened:
        yield opened


async def test_an_archived_event_is_sent_again_and_is_known_as_a_repeat(
    keeping: Keeping, again: Again, old: httpx.AsyncClient, sink: Sink
) -> None:
    day = a_day()
    subscription = await again.world.subscribe(sink.url)
    uids = await keeping.store(
        [stream.an_event(n, subject=f"order-{n}", data=b'{"n": %d}' % n) for n in range(3)], day
    )
    # As if it came today: dispatch reads in the order of commits, whatever the time of receipt.
    await keeping.pool.executemany(
        "UPDATE events SET shard = $2, xid = stream_xid() WHERE uid = $1",
        [(uid, shard_of_uid(uid.bytes)) for uid in uids],
    )
    again.world.tick()
    await sink.wait(3, timeout=60)
    await again.world.settled(3, timeout=60)

    await keeping.keep(7)
    await keeping.tick()
    assert await keeping.rows() == set()
    assert not await keeping.has_partition(day)

    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat()
    by_id = (await old.get("/events", params={"id": "e-1"})).json()["items"]
    by_time = (await old.get("/events", params={"since": noon, "subject": "order-1"})).json()["items"]
    assert [one["uid"] for one in by_id] == [one["uid"] for one in by_time] == [str(uids[1])]
    (became,) = by_id[0]["deliveries"]
    assert (became["subscription"], became["status"]) == (str(subscription), "delivered")
    assert (became["attemptCount"], became["lastStatusCode"]) == (1, 200)
    assert became["endedAt"] is not None

    made = (await old.post("/recalls", json={"event": str(uids[1])})).json()
    assert (made["state"], made["events"]) == ("done", 1)
    assert await keeping.rows() == {uids[1]}
    replay = await again.replay(select={"event": str(uids[1])}, to=str(subscription))
    await sink.wait(4, timeout=60)
    await again.until(replay, timeout=60, state="done", delivered=1)

    (first,) = [one for one in sink.requests[:3] if one.header("ce-id") == "e-1"]
    repeat = sink.requests[3]
    assert len(sink.requests) == 4
    assert [repeat.header(name) for name in ("ce-id", "ce-source", "ce-subject")] == [
        "e-1",
        "/tests",
        "order-1",
    ]
    assert repeat.body == first.body
    assert (first.header("weir-replay"), repeat.header("weir-replay")) == (None, replay["id"])
