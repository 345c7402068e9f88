"""The cluster that the tests of this folder run on. They are collected under WEIR_KNATIVE=1 alone.

`make test-knative` sets it. With KUBECONFIG set, that cluster is used: WEIR_IMAGE names an image that it
can pull, WEIR_KNATIVE_DATABASE_URL and WEIR_KNATIVE_REDIS_URL are stores that its pods can reach,
WEIR_DATABASE_URL is the same database as this machine reaches it, WEIR_GATEWAY is Kourier's address.
Without it, the tool that CLUSTER names (../shared/cluster/cluster) starts one, and stores are started here.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local.servers import PostgresServer, RedisServer
from tests.knative.cluster import Cluster, Stores, Tool
from tests.support.stores import execute, with_path

collect_ignore_glob = [] if os.environ.get("WEIR_KNATIVE") else ["test_*.py"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if "KUBECONFIG" in os.environ:
        yield Cluster(
            dict(os.environ),
            image=os.environ["WEIR_IMAGE"],
            gateway=os.environ["WEIR_GATEWAY"],
            stores=Stores(
                here=os.environ["WEIR_DATABASE_URL"],
                database=os.environ["WEIR_KNATIVE_DATABASE_URL"],
                redis=os.environ["WEIR_KNATIVE_REDIS_URL"],
            ),
            folder=tmp_path_factory.mktemp("overlay"),
        )
        return
    tool = Tool.find()
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no KUBECONFIG and no tool that starts a cluster")
        pytest.skip("there is no KUBECONFIG and no tool that starts a cluster")
    with tool.running() as environment, _stores(tmp_path_factory.mktemp("stores"), tool) as stores:
        yield Cluster(
            environment,
            image=tool.image(),
            gateway=environment["WEIR_GATEWAY"],
            stores=stores,
            folder=tmp_path_factory.mktemp("overlay"),
        )


class _stores:  # noqa: N801 used as a function
    """An embedded Postgres and Redis on loopback, made reachable from pods."""

    def __init__(self, folder: Path, tool: Tool) -> None:
        self._tool = tool
        self._postgres = PostgresServer(folder / "postgres", None, durable=False)
        self._redis = RedisServer(folder / "redis", None, durable=False)

    def __enter__(self) -> Stores:
        self._postgres.start()
        self._redis.start()
        asyncio.run(execute(self._postgres.url, "CREATE DATABASE knative"))
        here = with_path(self._postgres.url, "knative")
        return Stores(here, self._tool.exposed(here), self._tool.exposed(self._redis.url))

    def __exit__(self, *_: object) -> None:
        self._redis.stop()
        self._postgres.stop()
