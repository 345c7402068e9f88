"""The sink that whoever runs Weir has named: `env:K_SINK`."""

import json

import pytest

from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World
from tests.support.certificates import authority
from tests.support.sink import Sink


@pytest.mark.spec("K9.1")
@pytest.mark.parametrize("overrides", [None, "", '{"extensions": {"cluster": "a", "region": "theirs"}}'])
async def test_events_go_where_the_environment_says(
    world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch, overrides: str | None
) -> None:
    monkeypatch.setenv("K_SINK", f"{sink.url}/bound")
    if overrides is not None:
        monkeypatch.setenv("K_CE_OVERRIDES", overrides)
    await world.subscribe("env:K_SINK", ceOverrides={"extensions": {"region": "ours"}})
    world.start()
    await world.emit()
    (request,) = await sink.wait(1)
    (row,) = await world.settled()
    assert request.path == "/bound"
    assert request.header("ce-cluster") == ("a" if overrides else None)
    assert request.header("ce-region") == ("theirs" if overrides else "ours")
    assert row["first_detail"]["url"] == f"{sink.url}/bound"


async def test_the_address_guard_is_for_what_users_name(
    settings: Settings, world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = Resources(settings.model_copy(update={"sink_allow": ()}))
    monkeypatch.setenv("K_SINK", sink.url)
    await world.subscribe("env:K_SINK")
    refused = await world.subscribe(sink.url, retry=0)
    handler = world.start(strict)
    world.resources.wake.local = strict.wake.local
    await world.emit()
    rows = await world.settled(2)
    assert {row["subscription_id"] == refused: row["status"] for row in rows} == {
        True: "dead",
        False: "delivered",
    }
    await handler.drain()
    world.handlers.remove(handler)
    await strict.close()


@pytest.mark.spec("K9.2")
async def test_the_certificates_of_the_environment_are_trusted_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sink(authority("Bound").server()) as sink:
        monkeypatch.setenv("K_SINK", sink.url)
        monkeypatch.setenv("K_CA_CERTS", authority("Bound").pem)
        await world.subscribe("env:K_SINK")
        other = await world.subscribe(sink.url, retry=0)
        world.start()
        await world.emit()
        rows = await world.settled(2)
        assert {row["subscription_id"] == other: row["status"] for row in rows} == {
            True: "dead",
            False: "delivered",
        }


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "K_SINK is not set where dispatch runs"),
        ({"K_SINK": "http://127.0.0.1:9/", "WEIR_BOUND_SINK": "false"}, "switched off where dispatch runs"),
        ({"K_SINK": "ftp://x"}, "must be an absolute http or https URL"),
        ({"K_SINK": "http://x", "K_CE_OVERRIDES": "{"}, "K_CE_OVERRIDES, where dispatch runs, is not JSON"),
        ({"K_SINK": "http://x", "K_CE_OVERRIDES": "[]"}, "must be an object"),
        (
            {"K_SINK": "http://x", "K_CE_OVERRIDES": json.dumps({"extensions": {"Big": "a"}})},
            "/extensions/Big",
        ),
    ],
)
async def test_what_is_wrong_with_it_is_said_by_each_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    monkeypatch.delenv("K_SINK", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    await world.subscribe("env:K_SINK", retry=1, backoffDelay="PT0.05S")
    world.start()
    await world.emit()
    (row,) = await world.settled()
    assert (row["status"], row["attempt_count"]) == ("dead", 2)
    assert words in row["last_error"]
