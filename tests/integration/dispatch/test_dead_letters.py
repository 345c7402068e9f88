"""What becomes of what cannot be delivered (Knative data plane, and DeliverySpec)."""

import base64

import pytest

from tests.integration.dispatch.conftest import World
from tests.support.sink import Answer, Sink


@pytest.mark.spec("K3.7", "K3.8", "K3.9")
async def test_a_failing_sink_is_named_with_its_code_and_what_it_said(world: World, sink: Sink) -> None:
    async with Sink() as dead:
        await world.subscribe(f"{sink.url}/hook", deadLetterSink=dead.url)
        sink.answer(422, body=b"x" * 2000)
        world.start()
        await world.emit(id="a", mine="1")
        (letter,) = await dead.wait(1)
        assert letter.header("ce-id") == "a"
        assert letter.header("ce-mine") == "1"
        assert letter.body == b'{"n": 1}'
        assert letter.header("ce-knativeerrordest") == f"{sink.url}/hook"
        assert letter.header("ce-knativeerrorcode") == "422"
        data = letter.header("ce-knativeerrordata")
        assert data is not None
        assert len(data) == 1024
        assert set(base64.b64decode(data)) == {ord("x")}


@pytest.mark.spec("K3.8")
async def test_a_sink_that_cannot_be_reached_has_no_code(world: World) -> None:
    async with Sink() as dead:
        await world.subscribe("http://127.0.0.1:9/", retry=0, deadLetterSink=dead.url)
        world.start()
        await world.emit()
        (letter,) = await dead.wait(1)
        assert letter.header("ce-knativeerrordest") == "http://127.0.0.1:9/"
        assert letter.header("ce-knativeerrorcode") is None
        assert letter.header("ce-knativeerrordata") is None


@pytest.mark.spec("K3.9")
async def test_a_dead_letter_is_tried_again_and_the_delivery_stays_dead(world: World, sink: Sink) -> None:
    async with Sink() as dead:
        dead.answers([Answer(500), Answer(503)])
        await world.subscribe(sink.url, retry=3, backoffDelay="PT0.05S", deadLetterSink=dead.url)
        sink.answer(400)
        world.start()
        (uid,) = await world.emit()
        await dead.wait(3)
        (row,) = await world.settled()
        assert (row["status"], row["attempt_count"]) == ("dead", 1)
        assert (row["dead_letter"]["status"], row["dead_letter"]["attempts"]) == ("delivered", 3)
        assert len({request.id for request in dead.requests}) == 1
        found = await world.pool.fetchval(
            "SELECT event_uid FROM deliveries WHERE project_id = $1 AND status = 'dead'", world.project.id
        )
        assert found == uid


@pytest.mark.spec("K3.9")
async def test_one_that_its_sink_does_not_take_either_is_kept(world: World, sink: Sink) -> None:
    async with Sink() as dead:
        dead.answer(410)
        subscription = await world.subscribe(sink.url, deadLetterSink=dead.url)
        sink.answer(400)
        world.start()
        await world.emit()
        (row,) = await world.settled()
        assert row["status"] == "dead"
        assert row["dead_letter"]["status"] == "failed"
        state = await world.pool.fetchval("SELECT state FROM subscriptions WHERE id = $1", subscription)
        assert state == "active"
