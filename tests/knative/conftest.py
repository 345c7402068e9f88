"""The cluster that the tests of this folder run on. They are collected under WEIR_KNATIVE=1 alone.

`make test-knative` sets it. With KUBECONFIG set, that cluster is used: WEIR_IMAGE names an image that it
can pull, WEIR_KNATIVE_DATABASE_URL and WEIR_KNATIVE_REDIS_URL are stores that its pods can reach,
WEIR_DATABASE_URL is the same database as this machine reaches it, WEIR_GATEWAY is Kourier's address, and
WEIR_KNATIVE_HERE the name under which pods reach servers of this machine.
Without it, the tool that CLUSTER names (../shared/cluster/cluster) starts one, or uses the one that it has started, and
stores are started here.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from shared.runtime.settings import Settings
from tests.knative.cluster import Cluster
from tests.knative.stores import OwnStores, Stores
from tests.knative.tool import ROOT, Tool
from tests.knative.waiting import say
from tests.support.projects import Project, create_project

collect_ignore_glob = [] if os.environ.get("WEIR_KNATIVE") else ["test_*.py"]

FIGURES = ROOT / "build/knative.json"


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
                redis_url=os.environ["WEIR_KNATIVE_REDIS_URL"],
            ),
            folder=tmp_path_factory.mktemp("overlay"),
            exposed=_reached,
        )
        return
    tool = Tool.find()
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no KUBECONFIG and no tool that starts a cluster")
        pytest.skip("there is no KUBECONFIG and no tool that starts a cluster")
    with tool.running() as environment, OwnStores(tmp_path_factory.mktemp("stores"), tool) as stores:
        yield Cluster(
            environment,
            image=tool.image(),
            gateway=environment["WEIR_GATEWAY"],
            stores=stores,
            folder=tmp_path_factory.mktemp("overlay"),
            exposed=tool.exposed,
        )


@contextmanager
def _reached(url: str) -> Iterator[str]:
    """`url` as pods reach it."""
    here = os.environ.get("WEIR_KNATIVE_HERE")
    if here is None:
        pytest.skip("WEIR_KNATIVE_HERE does not say how pods reach a receiver on this machine")
    yield url.replace("127.0.0.1", here)


@pytest.fixture(scope="session")
def weir(cluster: Cluster) -> Iterator[Cluster]:
    """Weir, installed once for all tests. The ticks are off: they would wake handlers in the middle of any test."""
    say(f"installing into {cluster.namespace}")
    cluster.install()
    try:
        cluster.wait_ready()
        cluster.stop_ticks()
        yield cluster
    except BaseException:
        say(cluster.diagnosis())
        raise
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def project(weir: Cluster) -> Project:
    settings = Settings(
        database_url=SecretStr(weir.stores.here),
        redis_url=SecretStr(weir.stores.redis_url),
        secret=SecretStr(weir.secret),
    )

    async def make() -> Project:
        connection = await asyncpg.connect(weir.stores.here)
        try:
            return await create_project(connection, settings)
        finally:
            await connection.close()

    return asyncio.run(make())


@pytest.fixture(scope="session")
def figures() -> Iterator[dict[str, Any]]:
    """What was measured, by name; written to `build/knative.json`."""
    found: dict[str, Any] = {}
    yield found
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(found, indent=2) + "\n")
    say(f"figures are in {FIGURES.relative_to(ROOT)}: {json.dumps(found)}")


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Says what there is to see when a test has failed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed and "weir" in request.fixturenames:
        say(request.getfixturevalue("weir").diagnosis())
