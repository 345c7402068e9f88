import asyncpg
import pytest
import redis

from shared.runtime.outage import is_outage


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.exceptions.CannotConnectNowError("starting"),
        asyncpg.exceptions.AdminShutdownError("ending"),
        asyncpg.exceptions.DiskFullError("full"),
        asyncpg.exceptions.ConnectionDoesNotExistError("gone"),
        asyncpg.exceptions.InterfaceError("connection is closed"),
        redis.ConnectionError("refused"),
        redis.TimeoutError("slow"),
    ],
)
def test_a_store_that_is_away_is_an_outage(error):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("mistake"),
        asyncpg.exceptions.UniqueViolationError("twice"),
        asyncpg.exceptions.UndefinedTableError("typing error"),
        asyncpg.exceptions.InterfaceError("the server expects 1 argument for this query, 2 were passed"),
        redis.ResponseError("WRONGTYPE"),
    ],
)
def test_our_own_mistake_is_not(error):
    assert not is_outage(error)
