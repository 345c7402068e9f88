"""What a subscription adds to its requests."""

import pytest
from standardwebhooks import Webhook

from shared.core.signing import new_secret
from tests.integration.dispatch.conftest import World, event
from tests.support.sink import Sink


@pytest.mark.spec("W02")
async def test_headers_and_extensions_of_the_subscription_are_sent(world: World, sink: Sink) -> None:
    secret = new_secret()
    await world.subscribe(
        sink.url,
        secrets=[secret],
        headers={"X-Team": "billing", "Accept": "application/json"},
        ceOverrides={"extensions": {"region": "eu west", "tenant": "7"}},
    )
    world.start()
    await world.emit(tenant="1", kept="yes")
    (request,) = await sink.wait(1)
    (row,) = await world.settled()
    assert request.method == "POST"
    assert request.header("x-team") == "billing"
    assert request.header("ce-region") == "eu%20west"
    assert request.header("ce-tenant") == "7"
    assert request.header("ce-kept") == "yes"
    assert request.header("ce-id") is not None
    Webhook(secret).verify(request.body, {k.lower(): v for k, v in request.headers})
    sent = row["first_detail"]["sent"]
    assert sent["headers"]["x-team"] == "billing"
    assert sent["headers"]["webhook-signature"] == "***"
    assert sent["body"] == '{"n": 1}'


async def test_extensions_are_members_in_structured_mode(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, format="json", ceOverrides={"extensions": {"region": "eu"}})
    world.start()
    await world.emit()
    (request,) = await sink.wait(1)
    assert request.json()["region"] == "eu"
    assert request.header("ce-region") is None


async def test_the_stored_event_stays_as_it_was(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, ceOverrides={"extensions": {"tenant": "7"}})
    await world.subscribe(f"{sink.url}/plain")
    world.start()
    (uid,) = await world.emit(tenant="1")
    await world.settled(2)
    by_path = {request.path: request.header("ce-tenant") for request in sink.requests}
    assert by_path == {"/": "7", "/plain": "1"}
    assert await world.pool.fetchval("SELECT extensions FROM events WHERE uid = $1", uid) == {"tenant": "1"}


@pytest.mark.spec("W04")
async def test_a_target_that_wants_the_origin_of_the_hand_shake_gets_it(world: World, sink: Sink) -> None:
    await world.subscribe(sink.url, headers={"WebHook-Request-Origin": "weir.example.com"})
    world.start()
    await world.emit(3)
    await world.settled(3)
    assert {r.header("webhook-request-origin") for r in sink.requests} == {"weir.example.com"}


@pytest.mark.spec("W14", "W17", "W18")
async def test_a_token_in_the_address_is_sent_and_nobody_is_to_keep_the_answer(
    world: World, sink: Sink
) -> None:
    await world.subscribe(f"{sink.url}/hook?a=1&access_token=secret")
    await world.subscribe(f"{sink.url}/other?a=1")
    world.start()
    await world.send(event())
    await world.settled(2)
    caching = {request.path: request.header("cache-control") for request in sink.requests}
    assert caching == {"/hook?a=1&access_token=secret": "no-store", "/other?a=1": None}
