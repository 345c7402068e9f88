"""One deploy at a time, and none that waits for one that died."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cli.deploy import lease
from cli.deploy.lease import Lease
from cli.errors import INVALID, CommandError
from tests.integration.deploy.api_server import ApiServer

PATH = "/apis/coordination.k8s.io/v1/namespaces/weir/leases/weir-deploy"


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    async with ApiServer() as server:
        yield server


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become tenths."""
    monkeypatch.setattr(lease, "SECONDS", 2)
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.1)


async def test_it_is_held_and_given_back(server: ApiServer) -> None:
    for _ in range(2):
        held = Lease(server.kubernetes())
        async with held.held(print):
            held.check()
            assert server.objects[PATH]["spec"]["holderIdentity"] == held.holder
        assert server.objects[PATH]["spec"]["holderIdentity"] == ""
        with pytest.raises(CommandError):
            held.check()


async def test_a_second_one_is_refused_while_the_first_lives(server: ApiServer) -> None:
    first, second = Lease(server.kubernetes()), Lease(server.kubernetes())
    async with first.held(print):
        with pytest.raises(CommandError, match="is deploying here") as refused:
            async with second.held(print):
                pytest.fail("both have it")
        assert refused.value.exit_code == INVALID
        assert first.holder in refused.value.message
        first.check()


async def test_of_one_that_died_it_is_taken_over(server: ApiServer) -> None:
    dead, told = Lease(server.kubernetes()), []
    await dead._acquire(print)
    heir = Lease(server.kubernetes())
    async with heir.held(told.append):
        assert server.objects[PATH]["spec"]["holderIdentity"] == heir.holder
    assert dead.holder in told[0]


async def test_two_that_would_take_it_over_do_not_both_get_it(server: ApiServer) -> None:
    await Lease(server.kubernetes())._acquire(print)
    ended = asyncio.Event()
    got: list[str] = []

    async def take() -> None:
        mine = Lease(server.kubernetes())
        async with mine.held(lambda _line: None):
            got.append(mine.holder)
            await ended.wait()

    takers = [asyncio.create_task(take()) for _ in range(2)]
    await asyncio.wait(takers, return_when=asyncio.FIRST_COMPLETED)
    ended.set()
    results = await asyncio.gather(*takers, return_exceptions=True)
    assert len(got) == 1
    assert sum(isinstance(result, CommandError) for result in results) == 1


async def test_who_lost_it_changes_nothing_any_more(server: ApiServer) -> None:
    held = Lease(server.kubernetes())
    async with held.held(print):
        taken = server.objects[PATH]
        server.put(PATH, taken | {"spec": taken["spec"] | {"holderIdentity": "somebody else"}})
        async with asyncio.timeout(60):
            while held._until:  # noqa: ASYNC110 the lease tells nobody
                await asyncio.sleep(0.02)
        with pytest.raises(CommandError, match="another deploy may have it"):
            held.check()
    assert server.objects[PATH]["spec"]["holderIdentity"] == "somebody else"
