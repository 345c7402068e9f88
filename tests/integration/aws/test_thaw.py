"""Between two calls a sandbox is frozen: what died meanwhile is replaced before anybody notices."""

import asyncio
import contextlib
import json
from uuid import uuid4

import pytest

from shared.runtime.aws import sandbox
from shared.runtime.aws.sandbox import Moment, Pause
from shared.runtime.settings import Settings
from tests.support.aws import request

STRUCTURED = {"content-type": "application/cloudevents+json"}


def posted(project):
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": "com.example.bought"}
    return request("POST", f"/in/{project.name}", {**STRUCTURED, **project.headers}, json.dumps(event))


class Link:
    """Postgres behind a connection that can be lost without a word, as in a network whose state was dropped."""

    def __init__(self, url):
        from urllib.parse import urlsplit, urlunsplit

        self._url = urlsplit(url)
        self._joined = urlunsplit
        self._lost = set()
        self.opened = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        name, _, _ = self._url.netloc.rpartition("@")
        self.url = self._joined(self._url._replace(netloc=f"{name}@127.0.0.1:{port}"))
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    _tasks = ()

    async def closed(self):
        """Wait until the server has closed all that are open, and this end was told."""
        async with asyncio.timeout(60):
            await asyncio.gather(*self._tasks[1::2])

    def lose(self):
        """From now on nothing goes through those that are open, and neither side is told."""
        self._lost = set(range(self.opened))

    async def _join(self, reader, writer):
        number, self.opened = self.opened, self.opened + 1
        ahead, back = await asyncio.open_connection(self._url.hostname, self._url.port)
        ways = [self._carry(number, reader, back), self._carry(number, ahead, writer)]
        tasks = [asyncio.get_running_loop().create_task(way) for way in ways]
        self._tasks = (*self._tasks, *tasks)

    async def _carry(self, number, reader, writer):
        try:
            while data := await reader.read(65536):
                if number not in self._lost:
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def link(settings):
    async with Link(settings.database_url.get_secret_value()) as made:
        yield made


def through(link, settings):
    return Settings.model_validate({**settings.model_dump(), "database_url": link.url})


def paused(called, *, world, process):
    """As if the last call had been that long ago, by both clocks."""
    rested = called.sandbox._rested
    called.sandbox._rested = Moment(rested.world - world, rested.process - process)


async def test_connections_that_the_server_closed_are_replaced(call, project, pool, link, settings):
    ingest = await call("ingest", through(link, settings))
    assert (await ingest(posted(project)))["statusCode"] == 202
    before = link.opened
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE '%pg_terminate%'"
    )
    await link.closed()
    assert (await ingest(posted(project)))["statusCode"] == 202
    assert link.opened > before


async def test_connections_that_were_lost_without_a_word_are_replaced(call, project, link, settings):
    ingest = await call("ingest", through(link, settings))
    assert (await ingest(posted(project)))["statusCode"] == 202
    before = link.opened
    link.lose()
    paused(ingest, world=600, process=600)
    assert (await ingest(posted(project)))["statusCode"] == 202
    assert link.opened > before


async def test_connections_that_live_are_kept(call, project, link, settings):
    ingest = await call("ingest", through(link, settings))
    await ingest(posted(project))
    before = link.opened
    paused(ingest, world=600, process=600)
    assert (await ingest(posted(project)))["statusCode"] == 202
    assert link.opened == before


async def test_what_is_remembered_does_not_outlive_a_pause_that_the_clock_did_not_see(call, project, pool):
    """A key that was revoked in it must not be believed for having been so a second ago."""
    ingest = await call("ingest")
    assert (await ingest(posted(project)))["statusCode"] == 202
    await pool.execute("DELETE FROM api_keys WHERE project_id = $1", project.id)
    paused(ingest, world=600, process=0)
    assert (await ingest(posted(project)))["statusCode"] == 401


class Silent:
    """A queue that takes what is sent and never says so."""

    async def send(self, kind, data):
        await asyncio.Event().wait()

    async def close(self):
        pass


async def test_a_queue_that_is_silent_takes_no_more_time_than_there_is(call, project, monkeypatch):
    monkeypatch.setattr(sandbox, "WAKE_SECONDS", 600)
    ingest = await call("ingest")
    ingest.sandbox.resources.wake.carrier = Silent()
    async with asyncio.timeout(120):
        await ingest(posted(project), seconds=6)


async def test_a_call_that_is_traced_goes_to_what_was_opened_last(call, project, pool, monkeypatch):
    monkeypatch.setenv(
        "_X_AMZN_TRACE_ID", f"Root=1-6927d6d1-{uuid4().hex[:24]};Parent=53995c3f42cd8ad8;Sampled=1"
    )
    ingest = await call("ingest")
    assert (await ingest(posted(project)))["statusCode"] == 202
    paused(ingest, world=600, process=0)
    assert (await ingest(posted(project)))["statusCode"] == 202


@pytest.mark.parametrize(
    ("pause", "was_long", "was_not_noticed"),
    [
        (Pause(0.1, 0.1), False, False),
        (Pause(60, 60), True, False),
        (Pause(60, 0.1), True, True),
        (Pause(-3600, 60), True, False),  # the world's clock was set back
    ],
)
def test_a_pause_is_judged_by_both_clocks(pause, was_long, was_not_noticed):
    assert (pause.was_long, pause.was_not_noticed) == (was_long, was_not_noticed)
