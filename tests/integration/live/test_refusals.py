"""What cannot be watched is said at once, and in bounded time."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest

from functions.live.app import create
from functions.live.service import Tail, read_start
from functions.live.settings import LiveSettings
from functions.live.stream import Stream
from functions.live.wanted import Wanted
from shared.core.ids import uuid7
from shared.core.problems import UNAUTHENTICATED, Problem
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.live.conftest import Watched
from tests.support.background import Background
from tests.support.projects import Project
from tests.support.served import Served
from tests.support.tailing import watching
from tests.support.waiting import until


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"sql": "type ="}, "/query/sql"),
        ({"sql": "data.total = 1"}, "/query/sql"),
        ({"cel": "data.x +"}, "/query/cel"),
        ({"facet": "no colon"}, "/query/facet"),
        ({"ratePerSecond": "0"}, "/query/ratePerSecond"),
        ({"since": "yesterday"}, "/query/since"),
        ({"since": (datetime.now(UTC) - timedelta(days=2)).isoformat()}, "/query/since"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_its_name(
    watched: Watched, params: dict[str, str], pointer: str
) -> None:
    answer = await watched.client.get(watched.tail, params=params)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "place",
    [
        "nonsense",
        "12",
        "-1-01a22254-0cc0-729d-8f69-c8aff3f9b218",
        f"{2**63}-01a22254-0cc0-729d-8f69-c8aff3f9b218",
        f"1-{UUID(int=(1 << 128) - 1)}",
        "1-zzzzzzzz-0000-7000-8000-000000000000",
    ],
)
async def test_a_place_that_no_stream_gave_is_refused(watched: Watched, place: str) -> None:
    answer = await watched.client.get(watched.tail, headers={"last-event-id": place})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == "/header/Last-Event-ID"


async def test_a_place_that_somebody_made_up_leads_to_what_is_theirs_anyway(watched: Watched) -> None:
    uids = await watched.emit_many("1", "2")
    for place in (f"0-{uuid7()}", f"{2**62}-{UUID(uids[0])}"):
        async with watching(watched.client, watched.tail, after=place) as seen:
            found = [message.uid for message in await seen.until("live") if message.kind == "message"]
        assert set(uids) <= set(found)


async def test_a_place_of_long_ago_says_what_is_not_sent(watched: Watched) -> None:
    long_ago = uuid7(int((datetime.now(UTC) - timedelta(days=3)).timestamp() * 1000))
    uid = await watched.emit("1")
    # `uuid7` never goes back in one process, so the text is put together.
    ms = int((datetime.now(UTC) - timedelta(days=3)).timestamp() * 1000)
    old = UUID(int=(ms << 80) | (long_ago.int & ((1 << 80) - 1)))
    async with watching(watched.client, watched.tail, after=f"1-{old}") as seen:
        dropped = await seen.next("dropped")
        assert dropped.data["reason"] == "past"
        assert dropped.data["count"] is None
        assert (await seen.next()).uid == uid


async def test_lambda_cannot_stream_and_says_so(resources: Resources, project: Project) -> None:
    app = create(resources)

    async def on_lambda(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await app({**scope, "aws.event": {}}, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(on_lambda), base_url="http://weir", headers=project.headers
    ) as client:
        answer = await client.get(f"/v1/projects/{project.name}/live/events")
    assert answer.status_code == 501
    assert answer.json()["type"].endswith("/not-streamed")
    assert "since" in answer.json()["detail"]


async def test_past_the_limit_a_reader_is_asked_to_come_back(
    database_url: str, redis_url: str, project: Project, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_LIVE_PROJECT_READERS_MAX", "2")
    with Background(settings) as weir:
        async with httpx.AsyncClient(base_url=weir.url, headers=project.headers, timeout=30) as client:
            tail = f"/v1/projects/{project.name}/live/events"
            async with watching(client, tail) as first, watching(client, tail) as second:
                await first.next("live")
                await second.next("live")
                refused = await client.get(tail)
                assert refused.status_code == 503
                assert refused.headers["retry-after"] == "5"
            await until(partial(_has_room, client, tail))


async def test_readers_that_catch_up_count_too_and_none_is_cut_off(
    settings: Settings, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_LIVE_PROJECT_READERS_MAX", "2")
    with Background(settings) as weir:
        async with (
            httpx.AsyncClient(base_url=weir.url, headers=project.headers, timeout=30) as client,
            AsyncExitStack() as opened,
        ):
            tail = f"/v1/projects/{project.name}/live/events"
            since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
            answers = await asyncio.gather(
                *(opened.enter_async_context(client.stream("GET", tail, params=since)) for _ in range(8))
            )
            assert sorted(answer.status_code for answer in answers) == [200] * 2 + [503] * 6


async def test_a_credential_that_is_refused_ends_catching_up_too(
    watched: Watched, resources: Resources
) -> None:
    for number in range(6):
        await watched.emit(str(number), "x" * 400_000)

    async def refuse() -> None:
        raise Problem(UNAUTHENTICATED, "The API key has been revoked.")

    live = LiveSettings(live_beat_seconds=1e-9)
    stream = Stream(resources, live)
    tail = Tail(
        stream,
        resources,
        watched.project.id,
        Wanted(),
        start=read_start(None, datetime.now(UTC) - timedelta(hours=1)),
        rate_per_second=None,
        data_max_bytes=None,
        check=refuse,
        settings=live,
    )
    said = [piece async for piece in tail.pieces()]
    assert b"event: end" in said[-1]
    assert b"revoked" in said[-1]
    assert sum(piece.count(b"order.created") for piece in said) < 6
    await stream.close()


async def test_who_catches_up_is_told_of_a_restart_too(watched: Watched, resources: Resources) -> None:
    for number in range(9):
        await watched.emit(str(number), "x" * 400_000)
    live = LiveSettings()
    stream = Stream(resources, live)
    tail = Tail(
        stream,
        resources,
        watched.project.id,
        Wanted(),
        start=read_start(None, datetime.now(UTC) - timedelta(hours=1)),
        rate_per_second=None,
        data_max_bytes=None,
        check=_let_pass,
        settings=live,
    )
    said = []
    async for piece in tail.pieces():
        said.append(piece)
        resources.draining = resources.draining or b"order.created" in piece
    await stream.close()
    assert b'event: end\ndata: {"reason":"restart"}' in said[-1]
    assert 0 < sum(piece.count(b"order.created") for piece in said) < 9


async def _let_pass() -> None:
    """A credential that is good."""


async def _has_room(client: httpx.AsyncClient, tail: str) -> bool:
    """Whether those that went away have made room, which their server has to notice."""
    async with client.stream("GET", tail) as answer:
        return answer.is_success


async def test_a_process_that_ends_tells_its_readers_and_does_not_wait_for_them(
    settings: Settings, project: Project
) -> None:
    with Served(["-m", "shared.runtime.serve", "live"], settings) as served:
        async with (
            httpx.AsyncClient(base_url=served.url, headers=project.headers, timeout=30) as client,
            watching(client, f"/v1/projects/{project.name}/live/events") as seen,
        ):
            await seen.next("live")
            served.process.terminate()
            ended = await seen.next("end")
        assert ended.data["reason"] == "restart"
        assert served.process.wait(20) == 0
