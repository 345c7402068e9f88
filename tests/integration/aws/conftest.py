"""AWS as moto plays it, on a port of 127.0.0.1, and what Lambda sets in a function's environment."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from shared.runtime.settings import Settings
from tests.support.aws import Called

REGION = "eu-central-1"

collect_ignore = [] if os.environ.get("WEIR_LAMBDA_PACKAGE") else ["test_package.py"]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def aws(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a sandbox, with AWS's services at moto's address."""
    for name, value in {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_ENDPOINT_URL": moto_url,
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_LAMBDA_FUNCTION_NAME": "weir",
        "WEIR_DISPATCH_LINGER_SECONDS": "0.2",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WEIR_WAKE_QUEUE_URL", raising=False)
    monkeypatch.delenv("WEIR_WAKE_BUS", raising=False)


@pytest.fixture
def client(moto_url: str, aws: None) -> Iterator[Callable[[str], Any]]:
    """boto3's client of a service, to look from outside."""
    opened = []

    def open_client(service: str) -> Any:
        opened.append(boto3.client(service, region_name=REGION, endpoint_url=moto_url))
        return opened[-1]

    yield open_client
    for each in opened:
        each.close()


@pytest.fixture
async def call(settings: Settings) -> AsyncIterator[Callable[..., Any]]:
    """`await call("ingest")` is that function in a sandbox of its own."""
    async with AsyncExitStack() as stack:

        async def open_function(name: str, using: Settings | None = None, **options: Any) -> Called:
            return await stack.enter_async_context(Called(name, using or settings, **options))

        yield open_function
