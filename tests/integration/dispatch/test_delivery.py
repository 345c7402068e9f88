"""From a stored event to a sink: what arrives, what is recorded."""

import asyncio
from itertools import pairwise
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from shared.core.ids import delivery_id
from shared.core.signing import new_secret
from tests.integration.dispatch.conftest import World, event
from tests.support.sink import Answer, Received, Sink


@pytest.mark.spec("S01", "K4.3")
async def test_an_event_is_delivered_once_and_recorded(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(f"{sink.url}/hook")
    world.start()
    (uid,) = await world.emit(subject="a", partitionkey="k")
    (request,) = await sink.wait(1)
    (row,) = await world.settled()
    assert row["status"] == "delivered"
    assert row["event_uid"] == uid
    assert row["id"] == delivery_id(uid, subscription)
    assert (row["attempt_count"], row["first_status_code"], row["last_status_code"]) == (1, 200, 200)
    assert row["first_detail"]["url"] == f"{sink.url}/hook"
    assert row["first_detail"]["address"] == "127.0.0.1"
    dns, connect, tls, first_byte, body = row["first_detail"]["timings"]
    assert (dns, tls) == (None, None)
    assert 0 <= connect + first_byte + body <= row["first_duration_us"]
    assert str(row["id"]) == request.id
    assert request.path == "/hook"
    assert request.header("ce-subject") == "a"
    assert request.header("ce-partitionkey") == "k"
    assert request.header("content-type") == "application/json"
    assert request.header("user-agent").startswith("weir/")
    assert request.header("traceparent").startswith("00-")
    assert request.body == b'{"n": 1}'
    assert len(sink.requests) == 1


@pytest.mark.spec("S07", "K4.1")
async def test_only_what_matches_is_delivered(world: World, sink: Sink) -> None:
    await world.subscribe(f"{sink.url}/made", [{"exact": {"type": "com.example.made"}}])
    await world.subscribe(f"{sink.url}/all")
    await world.subscribe(f"{sink.url}/none", [{"prefix": {"type": "org."}}])
    world.start()
    await world.emit()
    await world.emit(type="com.example.other")
    await world.settled(3)
    assert sorted(r.path for r in sink.requests) == ["/all", "/all", "/made"]


async def test_a_new_subscription_gets_the_next_event(world: World, sink: Sink) -> None:
    world.start()
    await world.subscribe(f"{sink.url}/first")
    await world.emit()
    await world.settled(1)
    await world.subscribe(f"{sink.url}/second")
    await world.emit()
    rows = await world.settled(3)
    assert len(rows) == 3
    assert sorted(r.path for r in sink.requests) == ["/first", "/first", "/second"]


@pytest.mark.spec("X01")
async def test_an_events_trace_goes_on_and_its_attribute_stays(world: World, sink: Sink) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await world.subscribe(sink.url)
    world.start()
    await world.emit(traceparent=trace)
    (request,) = await sink.wait(1)
    assert request.header("ce-traceparent") == trace
    assert request.header("traceparent").startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert request.header("traceparent") != trace


@pytest.mark.spec("W03")
async def test_an_event_without_data_goes_structured(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    await world.send(event(data=None, id="1"))
    (request,) = await sink.wait(1)
    assert request.header("content-type").startswith("application/cloudevents+json")
    assert request.json()["id"] == "1"
    assert "data" not in request.json()


async def test_the_json_format_is_structured(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, format="json")
    world.start()
    await world.emit(id="7")
    (request,) = await sink.wait(1)
    assert request.json()["data"] == {"n": 1}


async def test_deliveries_are_signed_with_each_secret(world: World, sink: Sink) -> None:
    secrets = [new_secret(), new_secret()]
    await world.subscribe(sink.url, secrets=secrets)
    world.start()
    await world.emit()
    (request,) = await sink.wait(1)
    for secret in secrets:
        Webhook(secret).verify(request.body, {k.lower(): v for k, v in request.headers})


async def test_many_events_are_all_delivered_in_few_commits(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    world.start()
    before = await world.pool.fetchval("SELECT count(DISTINCT xmin::text) FROM deliveries")
    await asyncio.gather(*(world.emit(25) for _ in range(20)))
    rows = await world.settled(500)
    assert {row["status"] for row in rows} == {"delivered"}
    assert len(sink.requests) == len({r.id for r in sink.requests}) == 500
    commits = await world.pool.fetchval("SELECT count(DISTINCT xmin::text) FROM deliveries") - before
    assert commits < 250


async def test_the_first_attempt_is_in_the_row_and_later_ones_are_rows(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.05S", retry=5)
    sink.answers([Answer(503, body=b"later"), Answer(500), 200])
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("delivered", 3)
    assert row["first_status_code"] == 503
    assert row["first_detail"]["response"]["body"] == "later"
    attempts = await world.pool.fetch(
        "SELECT * FROM attempts WHERE delivery_id = $1 ORDER BY number", row["id"]
    )
    assert [(a["number"], a["status_code"]) for a in attempts] == [(2, 500), (3, 200)]
    assert len({r.id for r in sink.requests}) == 1


@pytest.mark.spec("K2.2")
async def test_retries_wait_as_the_policy_says(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.2S", retry=3)
    sink.answers([500, 500, 500], then=200)
    world.start()
    await world.emit()
    requests = await sink.wait(4)
    gaps = [b.at - a.at for a, b in pairwise(requests)]
    for gap, nominal in zip(gaps, (0.2, 0.4, 0.8), strict=True):
        assert gap >= nominal * 0.8 - 0.02


async def test_retry_after_is_honoured(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.05S", retry=1)
    sink.answers([Answer(429, {"retry-after": "1"})])
    world.start()
    await world.emit()
    first, second = await sink.wait(2)
    assert second.at - first.at >= 0.95


async def test_a_delivery_that_runs_out_of_retries_is_dead(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT0.02S", retry=2)
    sink.answer(500)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"], row["last_status_code"]) == ("dead", 3, 500)
    assert len(sink.requests) == 3


@pytest.mark.spec("W05b", "K2.3")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(world: World, sink: Sink, status: int) -> None:
    await world.subscribe(f"{sink.url}/a")
    sink.answer(status, headers={"location": f"{sink.url}/b"})
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"], row["last_status_code"]) == ("dead", 1, status)
    assert "not followed" in row["last_error"]
    assert [r.path for r in sink.requests] == ["/a"]


@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_client_errors_are_dead_at_once(world: World, sink: Sink, status: int) -> None:
    await world.subscribe(sink.url)
    sink.answer(status)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("dead", 1)


@pytest.mark.spec("W09b")
async def test_gone_disables_the_subscription(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url)
    sink.answer(410)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert row["status"] == "dead"
    saved = await world.pool.fetchrow("SELECT * FROM subscriptions WHERE id = $1", subscription)
    assert (saved["state"], saved["state_reason"]) == ("disabled", "gone")
    (entry,) = await world.pool.fetch("SELECT * FROM audit WHERE chain = $1", saved["project_id"])
    assert (entry["action"], entry["actor_kind"]) == ("subscription.disabled", "weir")
    assert (entry["thing_id"], entry["before"]["state"]) == (str(subscription), "active")
    assert entry["after"] == {"state": "disabled", "stateReason": "gone"}
    other = await world.subscribe(f"{sink.url}/other")
    sink.answer(200)
    await world.emit()
    rows = await world.settled(2)
    assert len(rows) == 2
    assert {r["subscription_id"] for r in rows} == {subscription, other}


async def test_what_waits_for_a_sink_that_is_gone_is_cancelled(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, backoffDelay="PT1H")
    sink.answers([503, 410])
    world.start()
    await world.emit()

    async def retried() -> bool:
        return any(row["status"] == "retrying" for row in await world.deliveries())

    await world.until(retried)
    await world.emit()
    rows = await world.settled(2)
    assert [row["status"] for row in rows] == ["cancelled", "dead"]


@pytest.mark.spec("W09b")
async def test_what_was_queued_for_a_sink_that_is_gone_is_not_sent(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, maxInFlight=2)
    sink.answer(410, delay=0.05)
    world.start()
    await world.emit(300)
    rows = await world.settled(300)
    assert {row["status"] for row in rows} == {"dead", "cancelled"}
    assert len(sink.requests) == sum(row["status"] == "dead" for row in rows) <= 4


async def test_a_410_of_an_address_that_was_changed_meanwhile_disables_nothing(
    world: World, sink: Sink
) -> None:
    subscription = await world.subscribe(f"{sink.url}/old")
    waiting = await world.subscribe(f"{sink.url}/old", backoffDelay="PT1H")
    sink.choose(lambda r: Answer(410, delay=0.7) if r.path == "/old" else Answer())
    world.start()
    await world.emit()
    await sink.wait(2)
    await world.pool.execute(
        "UPDATE subscriptions SET sink = $2, version = version + 1 WHERE id = $1",
        subscription,
        f"{sink.url}/new",
    )
    await world.pool.execute("UPDATE projects SET version = version + 1 WHERE id = $1", world.project.id)
    await world.settled(2)
    states = dict(await world.pool.fetch("SELECT id, state FROM subscriptions"))
    assert (states[subscription], states[waiting]) == ("active", "disabled")
    await world.emit()
    rows = await world.settled(3)
    assert sorted(row["status"] for row in rows) == ["dead", "dead", "delivered"]


async def test_an_address_that_is_not_allowed_is_not_connected_to(world: World) -> None:
    await world.subscribe("http://169.254.169.254/latest", retry=0)
    await world.subscribe("http://[::ffff:10.0.0.1]/", retry=0)
    world.start()
    await world.emit()
    rows = await world.settled(2)
    assert {row["status"] for row in rows} == {"dead"}
    assert all("not public" in row["last_error"] for row in rows)


async def test_no_answer_is_an_error_in_words(world: World, sink: Sink) -> None:
    await world.subscribe("http://127.0.0.1:1/", retry=0)
    await world.subscribe(f"{sink.url}/drop", retry=0)
    await world.subscribe(f"{sink.url}/hang", retry=0, timeout="PT0.2S")
    answers = {"/drop": Answer(drop=True), "/hang": Answer(hang=True)}
    sink.choose(lambda request: answers[request.path])
    world.start()
    await world.emit()
    rows = await world.settled(3)
    assert sorted(row["last_error"] for row in rows) == [
        "no answer within 0.2 s",
        "no connection: Connection refused",
        "the connection was closed without an answer",
    ]


async def test_what_a_sink_answers_is_kept_to_a_limit(world: World, sink: Sink) -> None:
    await world.subscribe(f"{sink.url}/text", retry=0)
    await world.subscribe(f"{sink.url}/binary", retry=0)
    bodies = {"/text": b"a\x00b" + b"x" * 20_000, "/binary": b"\xff\xfe"}
    sink.choose(lambda request: Answer(500, body=bodies[request.path]))
    world.start()
    await world.emit()
    rows = await world.settled(2)
    text, binary = sorted((r["first_detail"]["response"] for r in rows), key=lambda r: "encoding" in r)
    assert text["truncated"]
    assert text["body"].startswith("a�bx")
    assert len(text["body"]) == 8192
    assert (binary["encoding"], binary["body"]) == ("base64", "//4=")


async def test_a_dead_letter_goes_to_its_own_sink_with_the_reason(world: World, sink: Sink) -> None:
    await world.subscribe(
        f"{sink.url}/hook", retry=1, backoffDelay="PT0.02S", deadLetterSink=f"{sink.url}/dead"
    )
    failures = iter([500])

    def choose(request: Received) -> Answer:
        if request.path == "/hook":
            return Answer(422, body=b"no such order")
        return Answer(next(failures, 200))

    sink.choose(choose)
    world.start()
    await world.emit(id="42")
    (row,) = await world.settled()
    dead = [r for r in sink.requests if r.path == "/dead"]
    assert row["status"] == "dead"
    assert row["last_status_code"] == 422
    assert (row["dead_letter"]["status"], row["dead_letter"]["attempts"]) == ("delivered", 2)
    assert len(dead) == 2
    assert dead[0].header("ce-id") == "42"
    assert dead[0].header("ce-knativeerrordest") == f"{sink.url}/hook"
    assert dead[0].header("ce-knativeerrorcode") == "422"
    assert dead[0].header("ce-knativeerrordata") == "bm8gc3VjaCBvcmRlcg=="
    assert dead[0].body == b'{"n": 1}'


async def test_a_subscription_that_cannot_be_read_ends_its_deliveries(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, [{"nothing": {}}])
    await world.subscribe(f"{sink.url}/good")
    world.start()
    await world.emit()
    rows = await world.settled(2)
    assert {row["status"] for row in rows} == {"dead", "delivered"}
    (dead,) = (row for row in rows if row["status"] == "dead")
    assert "cannot be used" in dead["last_error"]


async def test_a_poisoned_event_does_not_stop_its_shard(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url)
    key = uuid4().hex
    ((poison,), (_good,)) = (
        await world.send(event(partitionkey=key)),
        await world.send(event(partitionkey=key)),
    )
    await world.pool.execute("UPDATE events SET data_kind = 99 WHERE uid = $1", poison.uid)
    world.start()
    world.tick()
    (row,) = await world.settled()
    assert row["status"] == "delivered"


async def test_events_for_many_are_delivered_to_each_once_and_those_for_few_among_them(
    world: World, sink: Sink
) -> None:
    for number in range(60):
        await world.subscribe(f"{sink.url}/many/{number}", [{"exact": {"type": "com.example.many"}}])
    await world.subscribe(f"{sink.url}/few", [{"exact": {"type": "com.example.few"}}])
    mixed = [event(type=f"com.example.{'few' if number % 8 else 'many'}") for number in range(400)]
    stored = await world.send(*mixed)
    world.start()
    rows = await world.settled(50 * 60 + 350)
    assert {row["status"] for row in rows} == {"delivered"}
    many = [one.uid for number, one in enumerate(stored) if number % 8 == 0]
    assert sum(row["event_uid"] in many for row in rows) == 50 * 60
    assert len({request.id for request in sink.requests}) == len(sink.requests) == 50 * 60 + 350
