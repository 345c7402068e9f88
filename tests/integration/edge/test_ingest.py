"""Limits of a function hold behind the edge, in the function's words."""

from collections.abc import Iterator

import asyncpg
import pytest

from tests.integration.ingest.conftest import DATA, Post, serve, stored
from tests.support.edge import edge
from tests.support.projects import Project
from tests.support.wire import Wire


@pytest.fixture(scope="module")
def port(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """An edge before the real door, which has a third of a second for a body."""
    folder = tmp_path_factory.mktemp("edge")
    (folder / "console").mkdir()
    with (
        serve(database_url, redis_url, WEIR_BODY_TIMEOUT_SECONDS="0.3") as door,
        edge(folder, folder / "console", f"127.0.0.1:{door.port}") as front,
    ):
        yield int(front.url.rpartition(":")[2])


@pytest.fixture
def post(project: Project) -> Post:
    return Post(project)


async def test_a_body_that_does_not_come_is_408(
    port: int, post: Post, pool: asyncpg.Pool, project: Project
) -> None:
    whole = post()
    with Wire(port) as wire:
        reply = wire.send(whole[: -len(DATA) // 2]).reply()
        assert reply.status == 408
        assert reply.document["detail"] == "The body of the request did not come in time."
    assert not await stored(pool, project)
    with Wire(port) as wire:
        assert wire.send(whole).reply().status == 202


async def test_a_head_that_is_too_long_for_the_function_is_431(port: int, post: Post) -> None:
    lines = {f"x-{number}": "y" * 20_000 for number in range(4)}
    with Wire(port) as wire:
        reply = wire.send(post(**lines)).reply()
    assert reply.status == 431
    assert reply.document["detail"] == "The head of a request may have at most 65536 bytes."
