"""How Weir says to a sink who it is."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.integration.dispatch.conftest import World
from tests.support.sink import Answer, Received, Sink


@pytest.fixture
async def endpoint() -> AsyncIterator[Sink]:
    """A token endpoint that gives out token-1, token-2 and so on."""
    async with Sink() as running:
        give_tokens(running)
        yield running


def give_tokens(endpoint: Sink, expires_in: object = 3600, **options: Any) -> None:
    def choose(_request: Received) -> Answer:
        body = {
            "access_token": f"token-{len(endpoint.requests) + 1}",
            "token_type": "bearer",
            "expires_in": expires_in,
        }
        return Answer(200, {"content-type": "application/json"}, json.dumps(body).encode(), **options)

    endpoint.choose(choose)


def grant(endpoint: Sink, **more: Any) -> dict[str, Any]:
    return {
        "type": "oauth2",
        "tokenUrl": f"{endpoint.url}/token",
        "clientId": "weir id",
        "clientSecret": "s:cret%",
        **more,
    }


@pytest.mark.spec("W14", "W15", "W16", "W17b")
@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"type": "bearer", "token": "abc.def"}, "authorization", "Bearer abc.def"),
        (
            {"type": "basic", "username": "weir", "password": "pä:ss"},
            "authorization",
            "Basic " + base64.b64encode("weir:pä:ss".encode()).decode(),
        ),
        ({"type": "header", "name": "X-Api-Key", "value": "k 1"}, "x-api-key", "k 1"),
    ],
)
async def test_a_credential_goes_with_each_request_and_is_kept_nowhere(
    world: World, sink: Sink, auth: dict[str, Any], name: str, value: str
) -> None:
    await world.subscribe(sink.url, auth=auth)
    world.start()
    await world.emit(2)
    rows = await world.settled(2)
    assert [request.header(name) for request in sink.requests] == [value, value]
    assert rows[0]["first_detail"]["sent"]["headers"][name] == "***"
    assert value not in str([dict(row) for row in rows])


async def test_a_dead_letter_sink_gets_no_credential_and_the_event_as_it_came(
    world: World, sink: Sink
) -> None:
    async with Sink() as dead:
        await world.subscribe(
            sink.url,
            auth={"type": "bearer", "token": "abc"},
            jsonata='{"type": "changed", "data": data}',
            headers={"x-team": "a"},
            ceOverrides={"extensions": {"region": "eu"}},
            retry=0,
            deadLetterSink=dead.url,
        )
        sink.answer(400)
        world.start()
        await world.emit()
        (request,) = await dead.wait(1)
        assert request.header("authorization") is None
        assert request.header("x-team") is None
        assert request.header("ce-region") is None
        assert request.header("ce-type") == "com.example.made"
        assert request.header("ce-knativeerrorcode") == "400"


async def test_a_token_is_asked_for_once_and_used_for_all(world: World, sink: Sink, endpoint: Sink) -> None:
    await world.subscribe(sink.url, auth=grant(endpoint, scope="events write", audience="sinks"))
    await world.subscribe(sink.url, auth=grant(endpoint, scope="events write", audience="sinks"))
    give_tokens(endpoint, delay=0.1)
    world.start()
    await world.emit(20)
    await world.settled(40)
    assert {request.header("authorization") for request in sink.requests} == {"Bearer token-1"}
    (asked,) = endpoint.requests
    assert asked.header("content-type") == "application/x-www-form-urlencoded"
    assert asked.header("authorization") == "Basic " + base64.b64encode(b"weir+id:s%3Acret%25").decode()
    assert dict(parse_qsl(asked.body.decode())) == {
        "grant_type": "client_credentials",
        "scope": "events write",
        "audience": "sinks",
    }


async def test_a_client_may_say_who_it_is_in_the_body(world: World, sink: Sink, endpoint: Sink) -> None:
    await world.subscribe(sink.url, auth=grant(endpoint, clientAuthentication="post"))
    world.start()
    await world.emit()
    await world.settled()
    (asked,) = endpoint.requests
    assert asked.header("authorization") is None
    assert dict(parse_qsl(asked.body.decode()))["client_secret"] == "s:cret%"


async def test_a_token_that_the_sink_refuses_is_renewed_once_within_the_attempt(
    world: World, sink: Sink, endpoint: Sink
) -> None:
    sink.choose(lambda request: Answer(200 if request.header("authorization") != "Bearer token-1" else 401))
    await world.subscribe(sink.url, auth=grant(endpoint))
    world.start()
    await asyncio.gather(*(world.emit() for _ in range(5)))
    rows = await world.settled(5)
    assert {(row["status"], row["attempt_count"], row["last_status_code"]) for row in rows} == {
        ("delivered", 1, 200)
    }
    assert len(endpoint.requests) == 2


async def test_a_sink_that_refuses_every_token_ends_the_delivery(
    world: World, sink: Sink, endpoint: Sink
) -> None:
    sink.answer(401)
    await world.subscribe(sink.url, auth=grant(endpoint))
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["last_status_code"]) == ("dead", 401)
    assert len(sink.requests) == 2


async def test_a_token_is_renewed_before_it_ends(world: World, sink: Sink, endpoint: Sink) -> None:
    give_tokens(endpoint, expires_in=1)
    await world.subscribe(sink.url, auth=grant(endpoint))
    world.start()

    async def renewed() -> bool:
        await world.emit()
        return len(endpoint.requests) >= 3

    await world.until(renewed)
    rows = await world.settled()
    assert {row["status"] for row in rows} == {"delivered"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer(400, body=b'{"error": "invalid_client", "error_description": "who?"}'),
            "it answered 400 invalid_client: who?",
        ),
        (Answer(200, body=b"<html>"), "its answer has no access_token that can be used"),
        (
            Answer(200, body=b'{"access_token": "a\\nb", "token_type": "bearer"}'),
            "its answer has no access_token that can be used",
        ),
        (Answer(200, body=b'{"access_token": "ab", "token_type": "mac"}'), "its token_type is not Bearer"),
        (Answer(302, {"location": "http://127.0.0.1:1/"}), "it answered 302"),
        (Answer(200, drop=True), "the connection was closed"),
    ],
)
async def test_without_a_token_the_attempt_has_failed_and_says_why(
    world: World, sink: Sink, endpoint: Sink, answer: Answer, words: str
) -> None:
    endpoint.choose(lambda _: answer)
    await world.subscribe(sink.url, auth=grant(endpoint), retry=0)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert row["status"] == "dead"
    assert f"no token from {endpoint.url}/token: " in row["last_error"]
    assert words in row["last_error"]
    assert "s:cret" not in row["last_error"]
    assert sink.requests == []


async def test_a_token_endpoint_that_recovers_loses_nothing(world: World, sink: Sink, endpoint: Sink) -> None:
    endpoint.answers([Answer(503), Answer(503)])
    await world.subscribe(
        sink.url, auth=grant(endpoint), retry=20, backoffDelay="PT0.2S", backoffMax="PT0.4S"
    )
    world.start()
    await world.emit()
    await endpoint.wait(2)
    give_tokens(endpoint)
    (row,) = await world.settled()
    assert row["status"] == "delivered"
    assert row["attempt_count"] > 1


async def test_a_token_endpoint_is_guarded_like_a_sink(world: World, sink: Sink) -> None:
    auth = {"type": "oauth2", "tokenUrl": "http://10.0.0.1/t", "clientId": "a", "clientSecret": "b"}
    await world.subscribe(sink.url, auth=auth, retry=0)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert "the address 10.0.0.1 is not public" in row["last_error"]


async def test_a_credential_that_cannot_be_opened_is_said(world: World, sink: Sink) -> None:
    subscription = await world.subscribe(sink.url, auth={"type": "bearer", "token": "a"})
    await world.pool.execute(
        "UPDATE subscriptions SET credentials_sealed = $2 WHERE id = $1", subscription, b"\x01" + bytes(40)
    )
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert row["status"] == "dead"
    assert "its credential cannot be opened" in row["last_error"]
    assert sink.requests == []


HMAC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": "abc.def/ghi"},
        {"type": "basic", "username": "weir", "password": "pä:ss"},
        {"type": "header", "name": "X-Api-Key", "value": "key 1"},
        "oauth2",
        None,
    ],
)
@pytest.mark.parametrize("status", [200, 400])
async def test_an_echo_of_the_request_puts_no_secret_on_record(
    world: World, sink: Sink, endpoint: Sink, auth: Any, status: int
) -> None:
    def echo(request: Received) -> Answer:
        headers = {name.lower(): value for name, value in request.headers}
        said = {k: v for k, v in headers.items() if k in {"authorization", "x-api-key", "webhook-signature"}}
        body = json.dumps({"headers": said, "secret": HMAC, "padding": "é"}).encode()
        return Answer(status, {f"x-echo-{name}": value for name, value in said.items()}, body)

    sink.choose(echo)
    async with Sink() as dead:
        given = grant(endpoint) if auth == "oauth2" else auth
        await world.subscribe(sink.url, auth=given, secrets=[HMAC], retry=0, deadLetterSink=dead.url)
        world.start()
        await world.emit()
        (row,) = await world.settled()
        (request,) = sink.requests
        response = row["first_detail"]["response"]
        kept = response["body"] + str(response["headers"])
        if status == 400:
            (letter,) = await dead.wait(1)
            kept += base64.b64decode(letter.header("ce-knativeerrordata") or "").decode()
        secrets = [request.header("webhook-signature").split(",")[1], HMAC]
        sent = filter(None, (request.header("authorization"), request.header("x-api-key")))
        secrets += [value.removeprefix("Bearer ").removeprefix("Basic ") for value in sent]
        assert all(secret not in kept for secret in secrets)
        assert "[redacted]" in response["body"]
        assert "[redacted]" in response["headers"]["x-echo-webhook-signature"]


async def test_the_beginning_of_a_secret_at_the_end_of_what_is_read_is_not_kept(
    world: World, sink: Sink
) -> None:
    token = "t0ken" * 100
    sink.answer(400, body=b"." * (8 * 1024 - 250) + token.encode())
    await world.subscribe(sink.url, auth={"type": "bearer", "token": token}, retry=0)
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert row["first_detail"]["response"]["truncated"]
    assert row["first_detail"]["response"]["body"].endswith("..[redacted]")
