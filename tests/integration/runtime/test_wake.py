"""A wake takes the shortest way there is, and no failure on that way reaches whoever sent it."""

import asyncio
import threading

import pytest
from pydantic import SecretStr

from shared.runtime.broker import Broker
from shared.runtime.early import EarlyWake
from shared.runtime.local_broker import LocalBroker
from shared.runtime.resources import Resources


class Woken:
    def __init__(self):
        self.shards = []
        self._changed = asyncio.Condition()

    async def handle(self, event):
        async with self._changed:
            self.shards.append(event["data"]["shards"])
            self._changed.notify_all()

    async def drain(self):
        pass

    async def times(self, count):
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(lambda: len(self.shards) >= count)
        return self.shards


@pytest.fixture
def woken(resources):
    handler = Woken()
    resources.wake.local = LocalBroker()
    resources.wake.local.subscribe(handler, ("dev.weir.wake",))
    return handler


async def sent(resources):
    """Wait until what was waiting has been sent."""
    await resources.wake.close()


async def test_a_listener_in_the_process_is_told_at_once(resources, woken):
    told = []

    def listener(shards):
        told.append(shards)
        return shards

    end = resources.wake.listen(listener)
    resources.wake.shards({1, 2})
    assert told == [{1, 2}]
    end()
    resources.wake.shards({3})
    assert told == [{1, 2}]
    assert await woken.times(1) == [[3]]


async def test_what_no_listener_takes_goes_on(resources, woken):
    resources.wake.listen(lambda shards: shards & {1})
    resources.wake.shards({1, 2})
    assert await woken.times(1) == [[2]]


async def test_a_subscriber_of_the_shard_is_told_through_redis(resources, woken):
    client = await resources.redis()
    async with client.pubsub() as channel:
        await channel.subscribe("weir:wake:4")
        assert (await channel.get_message(timeout=5))["type"] == "subscribe"
        resources.wake.shards({4, 5})
        message = await channel.get_message(timeout=5)
        assert (message["type"], message["channel"]) == ("message", "weir:wake:4")
    assert await woken.times(1) == [[5]]


async def test_calls_are_joined(resources, woken):
    for shard in range(16):
        resources.wake.shards({shard})
    assert await woken.times(1) == [list(range(16))]


async def test_the_broker_is_asked_once_a_second_for_a_shard_and_again_after_it(resources, woken):
    started = asyncio.get_running_loop().time()
    resources.wake.shards({1})
    assert await woken.times(1) == [[1]]
    for _ in range(50):
        resources.wake.shards({1})
        await asyncio.sleep(0)
    assert await woken.times(2) == [[1], [1]]
    assert asyncio.get_running_loop().time() - started > 0.9


async def test_without_redis_the_broker_is_asked(settings):
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1")})
    resources = Resources(away)
    handler = Woken()
    resources.wake.local = LocalBroker()
    resources.wake.local.subscribe(handler, ("dev.weir.wake",))
    resources.wake.shards({9})
    assert await handler.times(1) == [[9]]
    await resources.close()


async def test_closing_sends_what_waits(resources, woken):
    resources.wake.shards({1})
    await woken.times(1)
    resources.wake.shards({1, 2})
    await sent(resources)
    await woken.times(2)
    assert {shard for shards in woken.shards[1:] for shard in shards} == {1, 2}


async def test_knative_gets_a_cloudevent_at_k_sink(resources, sink, monkeypatch):
    monkeypatch.setenv("K_SINK", sink.url)
    monkeypatch.setenv("K_CE_OVERRIDES", '{"extensions": {"cluster": "blue"}}')
    monkeypatch.setenv("K_SERVICE", "ingest")
    resources.wake.shards({3})
    (request,) = await sink.wait(1)
    assert request.method == "POST"
    assert request.header("ce-type") == "dev.weir.wake"
    assert request.header("ce-specversion") == "1.0"
    assert request.header("ce-source") == "/weir/ingest"
    assert request.header("ce-cluster") == "blue"
    assert request.header("ce-id")
    assert request.json() == {"shards": [3]}


async def test_a_broker_that_refuses_is_no_error(sink, caplog):
    sink.answer(503)
    broker = Broker(sink.url)
    assert not await broker.send("dev.weir.wake", {"shards": [1]})
    assert "answered 503" in caplog.text


async def test_a_broker_that_is_away_is_no_error(caplog):
    broker = Broker("http://127.0.0.1:1/")
    assert not await broker.send("dev.weir.wake", {"shards": [1]})
    assert "did not take" in caplog.text


async def test_without_k_sink_it_is_said_once(caplog, monkeypatch):
    monkeypatch.delenv("K_SINK", raising=False)
    monkeypatch.setenv("K_CE_OVERRIDES", "")
    broker = Broker.from_environment()
    for _ in range(3):
        assert not await broker.send("dev.weir.wake", {"shards": [1]})
    assert caplog.text.count("K_SINK is not set") == 1


async def test_a_broker_that_keeps_its_request_open_holds_up_nobody(resources, sink, monkeypatch):
    sink.answer(hang=True)
    monkeypatch.setenv("K_SINK", sink.url)
    resources.wake.shards({3})
    await sink.wait(1)
    resources.wake.shards({4})
    requests = await sink.wait(2)
    assert [request.json()["shards"] for request in requests] == [[3], [4]]
    await resources.wake.close()


async def test_an_early_wake_is_out_before_anything_else_is_done(resources, sink, monkeypatch):
    """Whoever sends it goes on to load a function, which keeps the loop busy."""
    sink.answer(hang=True)
    monkeypatch.setenv("K_SINK", sink.url)
    await resources.wake.early()
    (request,) = await sink.wait(1)
    assert request.json() == {"shards": list(range(16))}


async def test_an_early_wake_holds_nothing_up(resources, monkeypatch):
    monkeypatch.setenv("K_SINK", "http://127.0.0.1:1/")
    await asyncio.wait_for(resources.wake.early(), 5)
    monkeypatch.delenv("K_SINK")
    await asyncio.wait_for(resources.wake.early(), 5)


async def test_what_was_sent_before_the_process_was_loaded_is_not_sent_again(resources, sink, monkeypatch):
    sink.answer(delay=0.5)
    monkeypatch.setenv("K_SINK", sink.url)
    sent = EarlyWake.sent()
    (request,) = await sink.wait(1)
    assert request.json() == {"shards": list(range(16))}
    assert request.header("ce-type") == "dev.weir.wake"
    await resources.wake.early(sent)
    resources.wake.shards({3})  # everybody was asked for just now
    await resources.wake.settle(5)
    assert [request.json()["shards"] for request in sink.requests] == [list(range(16)), [3]]


async def test_an_early_wake_that_was_refused_is_sent_again(resources, sink, monkeypatch):
    sink.answers([503])
    monkeypatch.setenv("K_SINK", sink.url)
    sent = EarlyWake.sent()
    await sink.wait(1)
    await resources.wake.early(sent)
    assert [request.json() for request in await sink.wait(2)] == 2 * [{"shards": list(range(16))}]
    await resources.wake.close()


async def test_an_early_wake_to_nobody_holds_nothing_up(resources, monkeypatch):
    assert EarlyWake.sent() is None
    monkeypatch.setenv("K_SINK", "https://127.0.0.1:1/")  # its certificates are looked at later
    assert EarlyWake.sent() is None
    monkeypatch.setenv("K_SINK", "http://127.0.0.1:1/")
    sent = EarlyWake.sent()
    await asyncio.wait_for(resources.wake.early(sent), 5)
    assert sent.connection() is None


async def test_an_early_wake_that_takes_too_long_is_sent_anew_and_leaves_nothing_open(
    resources, sink, monkeypatch
):
    answered, connections = threading.Event(), []

    class Slow(Broker):
        def send_now(self, *message, **options):
            answered.wait(10)
            connections.append(super().send_now(*message, **options))
            return connections[-1]

    monkeypatch.setenv("K_SINK", sink.url)
    sent = EarlyWake(Slow(sink.url))
    await resources.wake.early(sent)
    assert [request.json() for request in await sink.wait(1)] == [{"shards": list(range(16))}]
    answered.set()
    await asyncio.to_thread(sent._thread.join, 10)
    assert [connection.fileno() for connection in connections] == [-1]
    await resources.wake.close()


async def test_locally_there_is_nothing_to_start(resources, woken):
    await resources.wake.early()
    resources.wake.stay(3, 5)
    resources.wake.shards({1})
    assert await woken.times(1) == [[1]]


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n"])
async def test_what_is_no_http_is_a_broker_that_is_away(answer, caplog):
    async def speak(reader, writer):
        await reader.readline()
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    broker = Broker(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert not await broker.send("dev.weir.wake", {"shards": [1]})
    assert "did not take" in caplog.text
    server.close()


class Taking:
    """A carrier that notes what it is given."""

    def __init__(self):
        self.sent = []

    async def send(self, kind, data):
        await asyncio.sleep(0)
        self.sent.append((kind, data["shards"]))
        return True

    async def close(self):
        self.sent.append("closed")


async def test_what_settles_leaves_nothing_for_later(resources):
    carrier = resources.wake.carrier = Taking()
    resources.wake.shards({1})
    await resources.wake.settle(5)
    assert carrier.sent == [("dev.weir.wake", [1])]
    resources.wake.shards({1})  # within the second in which it would be put off
    await resources.wake.settle(5)
    assert carrier.sent == [("dev.weir.wake", [1])] * 2
    await resources.wake.settle(5)
    await resources.wake.close()
    assert carrier.sent == [*[("dev.weir.wake", [1])] * 2, "closed"]


async def test_what_was_put_off_is_sent_when_it_settles(resources):
    carrier = resources.wake.carrier = Taking()
    resources.wake.shards({1})
    await resources.wake._sender
    resources.wake.shards({1})
    await resources.wake._sender
    assert resources.wake._later is not None
    await resources.wake.settle(5)
    assert carrier.sent == [("dev.weir.wake", [1])] * 2
    assert resources.wake._later is None
