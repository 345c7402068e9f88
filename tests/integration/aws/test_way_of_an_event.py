"""The whole way on AWS: a request of API Gateway, a wake in SQS or EventBridge, a delivery at a real sink."""

import asyncio
import json
from uuid import uuid4

import pytest

from tests.support.aws import message, payload, request

STRUCTURED = {"content-type": "application/cloudevents+json"}


@pytest.fixture
def sqs(client):
    return client("sqs")


@pytest.fixture
def queue(sqs, monkeypatch):
    url = sqs.create_queue(QueueName=f"weir-{uuid4().hex[:8]}")["QueueUrl"]
    monkeypatch.setenv("WEIR_WAKE_QUEUE_URL", url)
    return url


def taken(sqs, url):
    """What is in the queue, as Lambda's poller hands it to a function."""
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in got:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [message(each["Body"], number) for number, each in enumerate(got)]


async def subscribe(call, project, sink, **members):
    subscriptions = await call("subscriptions")
    answer = await subscriptions(
        request(
            "POST",
            f"/v1/projects/{project.name}/subscriptions",
            {"content-type": "application/json", **project.headers},
            json.dumps({"sink": sink.url, **members}),
        )
    )
    assert answer["statusCode"] == 201, answer
    return json.loads(answer["body"])


def posted(project, **members):
    event = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/shop",
        "type": "com.example.bought",
        **members,
    }
    return request("POST", f"/in/{project.name}", {**STRUCTURED, **project.headers}, json.dumps(event))


async def test_from_api_gateway_by_a_queue_to_a_sink(call, project, sink, sqs, queue):
    await subscribe(call, project, sink)
    ingest, dispatch = await call("ingest"), await call("dispatch")
    answer = await ingest(posted(project, data={"n": 1}))
    assert answer["statusCode"] == 202, answer
    records = await asyncio.to_thread(taken, sqs, queue)  # it was sent before the answer
    assert len(records) == 1
    assert (await dispatch({"Records": records})) == {"batchItemFailures": []}
    (got,) = sink.requests
    assert got.json() == {"n": 1}
    explore = await call("explore")
    uid = json.loads(answer["body"])["uid"]
    found = await explore(request("GET", f"/v1/projects/{project.name}/events/{uid}", project.headers))
    assert [d["status"] for d in json.loads(found["body"])["deliveries"]] == ["delivered"]


async def test_every_request_is_woken_for(call, project, sqs, queue):
    """The next request may come to another sandbox, or none for an hour: nothing is put off till then."""
    ingest = await call("ingest")
    for _ in range(2):
        assert (await ingest(posted(project, partitionkey="one")))["statusCode"] == 202
        (record,) = await asyncio.to_thread(taken, sqs, queue)
        assert json.loads(record["body"])["type"] == "dev.weir.wake"


async def test_a_lost_wake_is_made_up_for_by_the_tick(call, project, sink, sqs, queue):
    await subscribe(call, project, sink)
    ingest, dispatch = await call("ingest"), await call("dispatch")
    await ingest(posted(project))
    await asyncio.to_thread(taken, sqs, queue)
    assert await dispatch(payload("schedule")) is None
    assert len(sink.requests) == 1


async def test_ingest_answers_when_the_queue_is_gone(call, project, sqs, queue, capfd):
    sqs.delete_queue(QueueUrl=queue)
    ingest = await call("ingest")
    assert (await ingest(posted(project)))["statusCode"] == 202
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (warned,) = [line for line in lines if line["level"] == "warning"]
    assert "dev.weir.wake was not sent and waits for the tick" in warned["message"]
    assert "SendMessage was answered with 4" in warned["message"]


async def test_by_a_bus(call, project, sink, client, monkeypatch, sqs):
    events = client("events")
    bus = f"weir-{uuid4().hex[:8]}"
    events.create_event_bus(Name=bus)
    url = sqs.create_queue(QueueName=bus)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps({"detail-type": ["dev.weir.wake"]}))
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "dispatch", "Arn": arn}])
    monkeypatch.setenv("WEIR_WAKE_BUS", bus)
    await subscribe(call, project, sink)
    ingest, dispatch = await call("ingest"), await call("dispatch")
    assert (await ingest(posted(project)))["statusCode"] == 202
    (record,) = await asyncio.to_thread(taken, sqs, url)
    envelope = json.loads(record["body"])  # what a rule with the function as its target hands over itself
    assert (envelope["source"], envelope["detail-type"]) == ("weir", "dev.weir.wake")
    assert await dispatch(envelope) is None
    assert len(sink.requests) == 1


async def test_nothing_is_held_between_invocations(call, project, sink, pool, sqs, queue):
    await subscribe(call, project, sink)
    ingest, dispatch = await call("ingest"), await call("dispatch")
    for count in (1, 2):
        await ingest(posted(project))
        await dispatch({"Records": await asyncio.to_thread(taken, sqs, queue)})
        assert len(sink.requests) == count
        held = "SELECT count(*) FROM shards WHERE owner IS NOT NULL AND lease_until > now()"
        assert await pool.fetchval(held) == 0
        assert await pool.fetchval("SELECT count(*) FROM dispatchers WHERE seen_until > now()") == 0


async def test_a_dispatch_that_runs_out_of_time_wakes_the_next(call, project, sink, sqs, queue):
    """The sink answers when it is let: the first invocation's time ends before, the second one delivers."""
    await subscribe(call, project, sink, delivery={"timeout": "PT1S", "retry": 3, "backoffDelay": "PT30S"})
    ingest, dispatch = await call("ingest"), await call("dispatch")
    sink.answers([503])
    await ingest(posted(project))
    records = await asyncio.to_thread(taken, sqs, queue)
    # The retry is due in half a minute, and is waited for: longer than this invocation has.
    assert await dispatch({"Records": records}, seconds=6) == {"batchItemFailures": []}
    assert len(sink.requests) == 1
    successors = await asyncio.to_thread(taken, sqs, queue)
    assert successors
    assert {json.loads(record["body"])["type"] for record in successors} == {"dev.weir.wake"}
