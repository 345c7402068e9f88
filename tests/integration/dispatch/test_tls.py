"""Certificates: whom Weir trusts, and who it says it is."""

import json
from typing import Any

from tests.integration.dispatch.conftest import World
from tests.support.certificates import authority
from tests.support.sink import Answer, Sink


def client(ca: str | None = None) -> dict[str, Any]:
    certificate, key = authority("Clients").certificate("weir")
    return {"certificate": certificate, "privateKey": key, "ca": ca or authority("Sinks").pem}


async def test_a_sink_is_shown_the_certificate_it_wants(world: World) -> None:
    async with Sink(authority("Sinks").server(authority("Clients"))) as sink:
        await world.subscribe(sink.url, tls=client())
        world.start()
        await world.emit(5)
        rows = await world.settled(5)
        assert {row["status"] for row in rows} == {"delivered"}
        assert len(sink.requests) == 5


async def test_connections_are_not_shared_with_who_has_no_certificate(world: World) -> None:
    """A pool that mixes them would let the second subscription in on the first one's certificate."""
    async with Sink(authority("Sinks").server(authority("Clients"))) as sink:
        good = await world.subscribe(f"{sink.url}/a", tls=client())
        await world.subscribe(f"{sink.url}/b", tls={"ca": authority("Sinks").pem}, retry=0)
        world.start()
        for _ in range(3):
            await world.emit()
        rows = await world.settled(6)
        assert {(row["subscription_id"] == good, row["status"]) for row in rows} == {
            (True, "delivered"),
            (False, "dead"),
        }
        assert {request.path for request in sink.requests} == {"/a"}


async def test_who_signed_the_sinks_certificate_is_checked(world: World) -> None:
    async with Sink(authority("Sinks").server()) as sink:
        await world.subscribe(sink.url, retry=0)
        await world.subscribe(sink.url, tls={"ca": authority("Others").pem}, retry=0)
        world.start()
        await world.emit()
        rows = await world.settled(2)
        assert {row["status"] for row in rows} == {"dead"}
        assert all("certificate" in row["last_error"] for row in rows)
        assert sink.requests == []


async def test_an_oauth2_token_and_a_certificate_go_together(world: World) -> None:
    token = json.dumps({"access_token": "t", "token_type": "Bearer"}).encode()
    async with Sink() as endpoint, Sink(authority("Sinks").server(authority("Clients"))) as sink:
        endpoint.choose(lambda _: Answer(200, body=token))
        auth = {"type": "oauth2", "tokenUrl": endpoint.url, "clientId": "a", "clientSecret": "b"}
        await world.subscribe(sink.url, tls=client(), auth=auth)
        world.start()
        await world.emit()
        (row,) = await world.settled()
        assert row["status"] == "delivered"
        assert sink.requests[0].header("authorization") == "Bearer t"
