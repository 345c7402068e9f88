"""Answers that are events."""

import json
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from tests.integration.dispatch.conftest import World
from tests.support.sink import Answer, Received, Sink

MADE = [{"exact": {"type": "com.example.made"}}]


def binary(status: int = 200, body: bytes = b'{"ok":true}', **headers: str) -> Answer:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "r-1",
        "ce-source": "/sink",
        "ce-type": "com.example.reply",
        "content-type": "application/json",
    }
    return Answer(status, attributes | headers, body)


def structured(status: int = 200, **members: Any) -> Answer:
    event = {"specversion": "1.0", "id": "r-1", "source": "/sink", "type": "com.example.reply", **members}
    return Answer(status, {"content-type": "application/cloudevents+json"}, json.dumps(event).encode())


async def replies(world: World) -> list[asyncpg.Record]:
    return await world.pool.fetch(
        "SELECT * FROM events WHERE project_id = $1 AND source = '/sink' ORDER BY uid", world.project.id
    )


@pytest.mark.spec("K5.1", "K5.2", "X08")
@pytest.mark.parametrize("answer", [binary(), structured(data={"ok": True})])
async def test_a_200_with_an_event_is_taken_in(world: World, sink: Sink, answer: Answer) -> None:
    sink.choose(lambda _: answer)
    subscription = await world.subscribe(sink.url, MADE, replies=True)
    world.start()
    await world.emit(id="cause")
    (row,) = await world.settled()
    assert sink.requests[0].header("prefer") == "reply"
    (stored,) = await replies(world)
    name = await world.pool.fetchval("SELECT name FROM subscriptions WHERE id = $1", subscription)
    assert (stored["id"], stored["type"], stored["producer"]) == ("r-1", "com.example.reply", f"reply:{name}")
    assert stored["extensions"] == {"causationid": "cause", "weirhops": 1}
    assert json.loads(stored["data"]) == {"ok": True}
    assert row["first_detail"]["reply"] == {"uid": str(stored["uid"]), "duplicate": False}
    assert (row["status"], row["last_error"]) == ("delivered", None)


@pytest.mark.spec("K5.3")
async def test_a_reply_goes_to_all_subscriptions_and_its_origin_too(world: World, sink: Sink) -> None:
    sink.choose(lambda r: binary() if r.header("ce-type") == "com.example.made" else Answer(200))
    await world.subscribe(f"{sink.url}/origin", replies=True)
    await world.subscribe(f"{sink.url}/other", [{"exact": {"type": "com.example.reply"}}])
    world.start()
    await world.emit()
    await world.settled(3)
    seen = sorted((r.path, r.header("ce-type")) for r in sink.requests)
    assert seen == [
        ("/origin", "com.example.made"),
        ("/origin", "com.example.reply"),
        ("/other", "com.example.reply"),
    ]


@pytest.mark.spec("K5.2", "K5.5")
@pytest.mark.parametrize(
    ("answer", "wants"),
    [
        (binary(202), True),
        (structured(202), True),
        (binary(201), True),
        (binary(), False),
        (Answer(200, {"content-type": "application/json"}, b'{"id": "1"}'), True),
        (Answer(200, {"content-type": "text/html"}, b"<p>thanks"), True),
        (Answer(200), True),
    ],
)
async def test_what_is_no_reply_is_passed_over(world: World, sink: Sink, answer: Answer, wants: bool) -> None:
    sink.choose(lambda _: answer)
    await world.subscribe(sink.url, MADE, replies=wants)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["last_error"]) == ("delivered", None)
    assert sink.requests[0].header("prefer") == ("reply" if wants else None)
    assert await replies(world) == []


@pytest.mark.spec("K5.4")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, {"content-type": "application/cloudevents+json"}, b"{"), "the reply is no CloudEvent"),
        (Answer(200, {"content-type": "application/cloudevents+json"}, b""), "the reply is no CloudEvent"),
        (structured(type=None), "type must be present"),
        (
            Answer(200, {"content-type": "application/cloudevents-batch+json"}, b"[]"),
            "the reply is no CloudEvent",
        ),
        (Answer(200, {"content-type": "application/cloudevents+avro"}, b"x"), "the reply is no CloudEvent"),
        (binary(**{"ce-source": "%%% not a uri"}), "the reply is no CloudEvent"),
        (binary(body=b"x" * 1_100_000, **{"content-type": "text/plain"}), "bytes of data"),
        (binary(body=b"x" * 3_000_000, **{"content-type": "text/plain"}), "longer than an event may be"),
    ],
)
async def test_a_reply_that_is_no_event_fails_the_delivery(
    world: World, sink: Sink, answer: Answer, words: str
) -> None:
    sink.choose(lambda _: answer)
    await world.subscribe(sink.url, MADE, replies=True, retry=1, backoffDelay="PT0.05S")
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"], row["last_status_code"]) == ("dead", 2, 200)
    assert words in row["last_error"]
    assert await replies(world) == []


@pytest.mark.spec("K5.3")
async def test_a_reply_that_cannot_be_stored_fails_the_delivery_and_is_asked_for_again(
    world: World, sink: Sink
) -> None:
    sink.choose(lambda _: binary())
    await world.pool.execute(
        "INSERT INTO event_types (project_id, type, schema_mode, facets) VALUES ($1, $2, 'reject', $3)",
        world.project.id,
        "com.example.reply",
        {"ok": "/ok"},
    )
    await world.pool.execute(
        "INSERT INTO event_schemas (project_id, type, version, schema, digest) VALUES ($1, $2, 1, $3, $4)",
        world.project.id,
        "com.example.reply",
        '{"required": ["order"]}',
        world.project.id.bytes,
    )
    await world.subscribe(sink.url, MADE, replies=True, retry=50, backoffDelay="PT0.2S", backoffMax="PT0.2S")
    world.start()
    await world.emit()
    await sink.wait(2)
    rows = await world.deliveries()
    assert rows[0]["status"] == "retrying"
    assert "order" in rows[0]["last_error"]
    assert await replies(world) == []
    await world.pool.execute(
        "UPDATE event_types SET schema_mode = 'off' WHERE project_id = $1", world.project.id
    )
    await world.pool.execute(
        "UPDATE projects SET intake_version = intake_version + 1 WHERE id = $1", world.project.id
    )
    (row,) = await world.settled()
    assert row["status"] == "delivered"
    (stored,) = await replies(world)
    assert stored["facets"] == {"ok": True}


async def test_the_same_reply_again_is_one_event(world: World, sink: Sink) -> None:
    sink.choose(lambda _: binary())
    await world.subscribe(sink.url, MADE, replies=True)
    world.start()
    await world.emit(3)
    rows = await world.settled(3)
    assert len(await replies(world)) == 1
    assert sorted(row["first_detail"]["reply"]["duplicate"] for row in rows) == [False, True, True]


@pytest.mark.spec("K4.8")
async def test_a_loop_is_cut_after_sixteen_replies(world: World, sink: Sink) -> None:
    def again(request: Received) -> Answer:
        hops = int(request.header("ce-weirhops") or 0)
        return binary(**{"ce-id": f"r-{hops + 1}", "ce-type": "com.example.made"})

    sink.choose(again)
    await world.subscribe(sink.url, MADE, replies=True)
    world.start()
    await world.emit()
    rows = await world.settled(17)
    assert len(rows) == 17
    assert {row["status"] for row in rows} == {"delivered"}
    notes = [row["last_error"] for row in rows if row["last_error"]]
    assert len(notes) == 1
    assert "taken for a loop" in notes[0]
    assert [row["extensions"]["weirhops"] for row in await replies(world)] == list(range(1, 17))


@pytest.mark.parametrize(("said", "then"), [("15", 16), ("nonsense", 1), (-4, 1), (3, 4)])
async def test_hops_are_counted_from_what_the_cause_says(
    world: World, sink: Sink, said: object, then: int
) -> None:
    sink.choose(lambda _: binary(**{"ce-weirhops": "0", "ce-causationid": "mine"}))
    await world.subscribe(sink.url, MADE, replies=True)
    world.start()
    await world.emit(weirhops=said)
    await world.settled()
    (stored,) = await replies(world)
    assert stored["extensions"] == {"causationid": "mine", "weirhops": then}


@pytest.mark.spec("K1.13")
async def test_a_large_reply_comes_in_whole(world: World, sink: Sink) -> None:
    body = b"\xff" * 900_000
    headers: Mapping[str, str] = {"content-type": "application/octet-stream"}
    sink.choose(lambda _: binary(body=body, **headers))
    await world.subscribe(sink.url, MADE, replies=True)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    (stored,) = await replies(world)
    assert bytes(stored["data"]) == body
    assert len(row["first_detail"]["response"]["body"]) <= 2000


@pytest.mark.spec("K3.9")
async def test_an_undeliverable_reply_is_a_dead_letter_like_any_event(world: World, sink: Sink) -> None:
    sink.choose(lambda r: binary() if r.path == "/made" else Answer(422))
    async with Sink() as dead:
        await world.subscribe(f"{sink.url}/made", MADE, replies=True)
        await world.subscribe(
            f"{sink.url}/reply", [{"exact": {"type": "com.example.reply"}}], deadLetterSink=dead.url
        )
        world.start()
        await world.emit()
        (letter,) = await dead.wait(1)
        assert letter.header("ce-type") == "com.example.reply"
        assert letter.header("ce-knativeerrorcode") == "422"
