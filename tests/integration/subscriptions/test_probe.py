"""A test event goes out as a delivery would, now, and counts as none."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from standardwebhooks import Webhook

from functions.subscriptions.app import create
from functions.subscriptions.probe import ALL, ONE
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key
from tests.support.sink import Answer, Received, Sink
from tests.support.stream import an_event, store

HMAC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"n": 1}}


async def subscribe(client: httpx.AsyncClient, sink: str, **members: Any) -> str:
    answer = await client.post("/subscriptions", json={"name": "crm in", "sink": sink, **members})
    assert answer.status_code == 201, answer.text
    return f"/subscriptions/{answer.json()['id']}/probe"


async def probe(client: httpx.AsyncClient, address: str, **body: Any) -> Any:
    answer = await client.post(address, json=body) if body else await client.post(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_test_event_says_what_it_is_and_what_came_of_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, sink: Sink
) -> None:
    sink.answer(202, headers={"x-seen": "yes"}, body=b"thanks")
    address = await subscribe(client, sink.url, signingSecrets=[HMAC])
    found = await probe(client, address)
    (request,) = sink.requests
    assert request.header("ce-type") == "dev.weir.probe"
    assert found["event"]["source"] == f"/projects/{project.name}/subscriptions/crm%20in"
    assert request.json()["subscription"] == address.split("/")[2]
    assert Webhook(HMAC).verify(request.body, dict(request.headers))
    assert found["delivered"]
    assert (found["statusCode"], found["error"], found["advice"]) == (202, None, None)
    assert found["durationMs"] > 0
    assert found["response"]["body"] == "thanks"
    assert found["response"]["headers"]["x-seen"] == "yes"
    assert found["request"]["url"] == sink.url
    assert found["request"]["headers"]["webhook-id"] == request.id == found["event"]["id"]
    assert found["request"]["headers"]["webhook-signature"] == "***"
    assert json.loads(found["request"]["body"]) == request.json() == found["event"]["data"]
    assert found["circuitClosed"] is False
    assert await pool.fetchval("SELECT count(*) FROM deliveries WHERE project_id = $1", project.id) == 0
    assert await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id) == 0


async def test_it_is_made_and_sent_as_the_subscription_says(client: httpx.AsyncClient, sink: Sink) -> None:
    sink.choose(lambda r: Answer(200, body=f"you are {r.header('authorization')}".encode()))
    address = await subscribe(
        client,
        sink.url,
        auth={"type": "bearer", "token": "s3cret-token"},
        transform={"jsonata": '{"type": "changed", "data": data.n + 1}'},
        delivery={
            "format": "json",
            "headers": {"X-Team": "a"},
            "ceOverrides": {"extensions": {"region": "eu"}},
        },
    )
    found = await probe(client, address, event=EVENT)
    (request,) = sink.requests
    assert request.header("authorization") == "Bearer s3cret-token"
    assert request.header("x-team") == "a"
    assert (request.json()["type"], request.json()["region"], request.json()["data"]) == ("changed", "eu", 2)
    assert found["event"]["type"] == "t"
    assert found["request"]["headers"]["authorization"] == "***"
    assert found["response"]["body"] == "you are Bearer [redacted]"
    assert "s3cret-token" not in json.dumps(found)


async def test_a_subscription_of_batches_gets_a_batch_of_one(client: httpx.AsyncClient, sink: Sink) -> None:
    address = await subscribe(client, sink.url, delivery={"batchSize": 10})
    found = await probe(client, address)
    (request,) = sink.requests
    assert request.header("content-type") == "application/cloudevents-batch+json"
    assert [one["type"] for one in request.json()] == ["dev.weir.probe"]
    assert found["request"]["batchSize"] == 1
    assert json.loads(found["request"]["body"]) == request.json()


@pytest.mark.parametrize("state", ["paused", "disabled"])
async def test_it_goes_out_whatever_the_state_and_changes_nothing(
    client: httpx.AsyncClient, sink: Sink, state: str
) -> None:
    sink.answer(410)
    address = await subscribe(client, sink.url, state=state)
    found = await probe(client, address)
    assert (found["delivered"], found["statusCode"]) == (False, 410)
    assert "disables the subscription" in found["advice"]
    kept = (await client.get(address.removesuffix("/probe"))).json()
    assert (kept["state"], kept["stateReason"], kept["version"]) == (state, None, 1)


async def test_a_reply_is_shown_and_not_taken_in(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, sink: Sink
) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "r", "ce-source": "/r", "ce-type": "reply"}
    sink.answer(200, headers=headers, body=b"{}")
    address = await subscribe(client, sink.url, delivery={"replies": True})
    found = await probe(client, address)
    assert sink.requests[0].header("prefer") == "reply"
    assert found["response"]["headers"]["ce-type"] == "reply"
    assert await pool.fetchval("SELECT count(*) FROM events WHERE project_id = $1", project.id) == 0


async def test_a_stored_event_can_be_sent_by_who_may_read_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings, sink: Sink
) -> None:
    (uid,) = await store(pool, project.id, [an_event(data=b"[1]")])
    address = await subscribe(client, sink.url)
    found = await probe(client, address, uid=str(uid))
    assert found["event"]["data"] == [1]
    assert sink.requests[0].body == b"[1]"
    key = await create_key(pool, settings, project.id, scopes=("subscriptions:write",))
    headers = {"authorization": f"Bearer {key}"}
    answer = await client.post(address, json={"uid": str(uid)}, headers=headers)
    assert answer.status_code == 403
    assert (await client.post(address, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"event": EVENT, "uid": str(uuid4())}, "/uid"),
        ({"uid": str(uuid4())}, "/uid"),
        ({"event": {"specversion": "1.0"}}, "/event/id"),
        ({"event": EVENT, "sink": "http://example.com"}, "/sink"),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    client: httpx.AsyncClient, sink: Sink, body: Any, pointer: str
) -> None:
    address = await subscribe(client, sink.url)
    answer = await client.post(address, json=body)
    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    assert sink.requests == []


async def test_a_subscription_that_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"/subscriptions/{uuid4()}/probe")).status_code == 404


@pytest.mark.parametrize(
    ("sink_answer", "error", "advice"),
    [
        (Answer(401), None, "give it again in `auth`"),
        (
            Answer(302, {"location": "https://example.com/"}),
            "redirected to https://example.com/",
            "not followed",
        ),
        (Answer(500), None, "look into its log"),
        (Answer(drop=True), "the connection was closed without an answer", "hung up"),
    ],
)
async def test_a_failure_says_what_to_do_next(
    client: httpx.AsyncClient, sink: Sink, sink_answer: Answer, error: str | None, advice: str
) -> None:
    sink.choose(lambda _: sink_answer)
    found = await probe(client, await subscribe(client, sink.url))
    assert found["delivered"] is False
    assert error is None or error in found["error"]
    assert advice in found["advice"]
    assert len(sink.requests) == 1


async def test_a_sink_that_does_not_answer_is_waited_for_as_long_as_a_delivery_would(
    client: httpx.AsyncClient, sink: Sink
) -> None:
    sink.answer(hang=True)
    found = await probe(client, await subscribe(client, sink.url, delivery={"timeout": "PT0.2S"}))
    assert found["error"] == "no answer within 0.2 s"
    assert "`delivery.timeout`" in found["advice"]
    assert found["response"] is None
    assert found["request"]["headers"]["ce-type"] == "dev.weir.probe"


async def test_a_test_waits_less_than_a_patient_delivery(
    client: httpx.AsyncClient, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.subscriptions.probe.REQUEST_SECONDS", 0.2)
    sink.answer(hang=True)
    found = await probe(client, await subscribe(client, sink.url, delivery={"timeout": "PT1M"}))
    assert found["error"] == "no answer within 0.2 s"
    assert found["advice"].startswith("A delivery waits 60 s, longer than a test")


async def test_all_of_it_has_an_end(
    client: httpx.AsyncClient, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.subscriptions.probe.SECONDS", 0.2)
    sink.answer(hang=True)
    found = await probe(client, await subscribe(client, sink.url))
    assert found["error"] == "no answer within 0.2 s, the most that a test waits"


async def test_a_transform_that_fails_sends_nothing(client: httpx.AsyncClient, sink: Sink) -> None:
    address = await subscribe(client, sink.url, transform={"jsonata": "$number(type)"})
    found = await probe(client, address)
    assert "the transform failed" in found["error"]
    assert found["advice"].startswith("Correct the transform")
    assert (found["request"], found["response"], sink.requests) == (None, None, [])


async def test_addresses_are_guarded_as_those_of_deliveries(
    settings: Settings, project: Project, sink: Sink
) -> None:
    resources = Resources(settings.model_copy(update={"sink_allow": ()}))
    base = f"http://weir.test/v1/projects/{project.name}"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create(resources)), base_url=base, headers=project.headers
    ) as client:
        found = await probe(client, await subscribe(client, sink.url))
    await resources.close()
    assert "is not public and not allowed for sinks" in found["error"]
    assert "WEIR_SINK_ALLOW" in found["advice"]
    assert sink.requests == []


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_sink_of_the_environment_is_only_known_where_dispatch_runs(
    client: httpx.AsyncClient, sink: Sink, monkeypatch: pytest.MonkeyPatch, *, allowed: bool
) -> None:
    monkeypatch.setenv("K_SINK", sink.url)
    monkeypatch.setenv("WEIR_BOUND_SINK", str(allowed))
    found = await probe(client, await subscribe(client, "env:K_SINK"))
    assert found["delivered"] is allowed
    assert len(sink.requests) == allowed
    if not allowed:
        assert "only known where dispatch runs" in found["error"]


async def test_tests_are_limited_for_each_subscription_and_the_project(
    client: httpx.AsyncClient, sink: Sink
) -> None:
    first = await subscribe(client, sink.url)
    answers = [(await client.post(first)) for _ in range(ONE.tries + 1)]
    assert [answer.status_code for answer in answers] == [200] * ONE.tries + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert len(sink.requests) == ONE.tries
    left = ALL.tries - ONE.tries  # what was refused for the one subscription is not taken from the others
    others = [await subscribe(client, sink.url, name=f"n{n}") for n in range(left // ONE.tries + 1)]
    tries = [others[n // ONE.tries] for n in range(left + 1)]
    answers = await asyncio.gather(*(client.post(address) for address in tries))
    assert sorted(answer.status_code for answer in answers) == [200] * left + [429]


async def test_binary_answers_are_shown_as_what_they_are(client: httpx.AsyncClient, sink: Sink) -> None:
    sink.answer(200, body=b"\xff\x00")
    found = await probe(client, await subscribe(client, sink.url))
    assert found["response"]["bodyEncoding"] == "base64"
    assert base64.b64decode(found["response"]["body"]) == b"\xff\x00"


async def test_a_token_is_had_for_it_as_for_a_delivery(client: httpx.AsyncClient, sink: Sink) -> None:
    async with Sink() as endpoint:

        def give(_: Received) -> Answer:
            body = {"access_token": "token-1", "token_type": "bearer"}
            return Answer(200, {"content-type": "application/json"}, json.dumps(body).encode())

        endpoint.choose(give)
        auth = {
            "type": "oauth2",
            "tokenUrl": f"{endpoint.url}/token",
            "clientId": "weir",
            "clientSecret": "s:cret%",
        }
        address = await subscribe(client, sink.url, auth=auth)
        assert (await probe(client, address))["delivered"]
        assert sink.requests[0].header("authorization") == "Bearer token-1"
        endpoint.answer(401, body=b'{"error": "invalid_client", "error_description": "s:cret% is wrong"}')
        sink.answer(401)
        found = await probe(client, address)
    assert (found["delivered"], found["statusCode"]) == (False, 401)
    assert found["error"].endswith("invalid_client: [redacted] is wrong")
    assert "`auth`" in found["advice"]
