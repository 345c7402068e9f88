"""The stores that pods use, on this machine's loopback."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cli.local.servers import PostgresServer, RedisServer
from tests.knative.tool import Tool
from tests.support.stores import execute, with_path


@dataclass(frozen=True)
class Stores:
    """The database as this machine reaches it, and both stores as pods do.

    `postgres` and `redis` are the servers themselves where they are ours, so that a test may stop and start them.
    """

    here: str
    database: str
    redis_url: str
    postgres: PostgresServer | None = None
    redis: RedisServer | None = None


class OwnStores:
    """An embedded Postgres and Redis, made reachable from pods."""

    def __init__(self, folder: Path, tool: Tool) -> None:
        self._tool = tool
        self._postgres = PostgresServer(folder / "postgres", None, durable=False)
        self._redis = RedisServer(folder / "redis", None, durable=False)
        self._open = ExitStack()

    def __enter__(self) -> Stores:
        with ExitStack() as opening:
            for server in (self._postgres, self._redis):
                server.start()
                opening.callback(server.stop)
            asyncio.run(execute(self._postgres.url, "CREATE DATABASE knative"))
            here = with_path(self._postgres.url, "knative")
            database, redis = (
                opening.enter_context(self._tool.exposed(url)) for url in (here, self._redis.url)
            )
            self._open = opening.pop_all()
        return Stores(here, database, redis, self._postgres, self._redis)

    def __exit__(self, *_: object) -> None:
        self._open.close()
