"""From a stored event to a sink."""

from tests.integration.dispatch.conftest import World
from tests.support.sink import Sink


async def test_an_event_is_delivered_once_and_recorded(world: World, sink: Sink) -> None:
    await world.subscribe(f"{sink.url}/hook")
    world.start()
    (uid,) = await world.emit(subject="a")
    (request,) = await sink.wait(1)
    (row,) = await world.settled()
    assert row["status"] == "delivered"
    assert row["event_uid"] == uid
    assert row["attempt_count"] == 1
    assert row["first_status_code"] == 200
    assert str(row["id"]) == request.id
    assert request.path == "/hook"
    assert request.header("ce-subject") == "a"
    assert request.body == b'{"n": 1}'
    assert len(sink.requests) == 1
