"""What a transform makes of an event on its way to the sink."""

import asyncio

import pytest

from events.dispatch.dispatcher import Dispatcher
from tests.integration.dispatch.conftest import World
from tests.support.sink import Sink

ENDLESS = "($f := function($x){$f($x + 1)}; $f(1))"


async def test_the_result_is_sent_and_shown(world: World, sink: Sink) -> None:
    await world.subscribe(
        sink.url,
        jsonata='{"type": type & ".short", "subject": "n=" & data.n, "weight": 6 / 2, "data": {"m": data.n + 1}}',
    )
    world.start()
    (uid,) = await world.emit(id="a", extra="gone")
    (row,) = await world.settled()
    (request,) = sink.requests
    assert request.json() == {"m": 2}
    assert request.header("ce-type") == "com.example.made.short"
    assert request.header("ce-subject") == "n=1"
    assert request.header("ce-weight") == "3"
    assert (request.header("ce-id"), request.header("ce-source")) == ("a", "/tests")
    assert request.header("ce-extra") is None
    assert request.id == str(row["id"])
    assert row["first_detail"]["sent"]["body"] == '{"m":2}'
    assert row["first_detail"]["sent"]["headers"]["ce-type"] == "com.example.made.short"
    assert await world.pool.fetchval("SELECT type FROM events WHERE uid = $1", uid) == "com.example.made"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("5", "the result is not an object"),
        ('{"time": "yesterday"}', "/time: time must be a timestamp"),
        ('{"Type": "a"}', "is not an attribute name"),
        ("$error('no')", "no"),
        ("1 / 0", "it cannot be evaluated"),
        ("($f := function($x){$f($x + 1) + 1}; $f(1))", "it calls itself too often"),
        ('{"data": $pad("x", 3000000)}', "the result has more than"),
        ('{"data": function($x){$x}}', "no JSON"),
    ],
)
async def test_a_wrong_result_ends_the_delivery_at_once(
    world: World, sink: Sink, expression: str, words: str
) -> None:
    async with Sink() as dead:
        await world.subscribe(sink.url, jsonata=expression, retry=5, deadLetterSink=dead.url)
        world.start()
        await world.emit(id="whole")
        (row,) = await world.settled()
        assert (row["status"], row["attempt_count"]) == ("dead", 1)
        assert row["last_error"].startswith("the transform failed: ")
        assert words in row["last_error"]
        assert sink.requests == []
        (letter,) = await dead.wait(1)
        assert letter.header("ce-id") == "whole"
        assert letter.header("ce-knativeerrordest") == sink.url


@pytest.mark.parametrize("expression", ["nothing", "null", "data.n > 5 ? $ : null"])
async def test_nothing_means_that_the_event_is_not_wanted(world: World, sink: Sink, expression: str) -> None:
    await world.subscribe(sink.url, jsonata=expression)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"], row["next_attempt_at"]) == ("cancelled", 1, None)
    assert "gave nothing" in row["last_error"]
    assert sink.requests == []


async def test_an_endless_one_holds_up_nobody_and_is_tried_again(world: World, sink: Sink) -> None:
    await world.subscribe(f"{sink.url}/never", jsonata=ENDLESS, retry=1, backoffDelay="PT0.1S")
    await world.subscribe(f"{sink.url}/plain")
    await world.subscribe(f"{sink.url}/changed", jsonata='{"data": 1}')
    world.start()
    await world.emit(20)
    rows = await world.settled(60)
    ended: dict[str, int] = {}
    for row in rows:
        ended[row["status"]] = ended.get(row["status"], 0) + 1
    assert ended == {"delivered": 40, "dead": 20}
    assert {row["attempt_count"] for row in rows if row["status"] == "dead"} == {2}
    assert {row["last_error"] for row in rows if row["status"] == "dead"} == {
        "the transform took more than 1 s"
    }
    at = {row["id"]: row["ended_at"] for row in rows}
    plain = [r for r in sink.requests if r.path == "/plain"]
    assert len(plain) == len([r for r in sink.requests if r.path == "/changed"]) == 20
    assert len(at) == 60


async def test_one_that_fails_for_some_events_lets_the_others_of_a_batch_go(world: World, sink: Sink) -> None:
    await world.subscribe(
        sink.url,
        batchSize=10,
        maxInFlight=1,
        jsonata="$number(id) % 3 = 0 ? $error('three') : $number(id) % 3 = 1 ? null : $",
    )
    world.start()
    await asyncio.gather(*(world.emit(id=str(number)) for number in range(1, 31)))
    rows = await world.settled(30)
    statuses = sorted(row["status"] for row in rows)
    assert statuses == ["cancelled"] * 10 + ["dead"] * 10 + ["delivered"] * 10
    sent = [one["id"] for request in sink.requests for one in request.json()]
    assert sorted(map(int, sent)) == [n for n in range(1, 31) if n % 3 == 2]


async def test_bytes_are_seen_and_sent_as_base64(world: World, sink: Sink) -> None:
    from shared.core.cloudevents import DataKind, Event

    await world.subscribe(sink.url, jsonata="$")
    world.start()
    await world.send(
        Event("1.0", "1", "/s", "t", datacontenttype="image/png", data=b"\x00\xff", data_kind=DataKind.BINARY)
    )
    (request,) = await sink.wait(1)
    assert (request.header("content-type"), request.body) == ("image/png", b"\x00\xff")


async def test_no_child_is_started_before_the_first_transform(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    handler = world.start()
    await world.emit()
    await world.settled()
    dispatcher = handler._dispatcher
    assert isinstance(dispatcher, Dispatcher)
    assert dispatcher._sender._transforms is None
