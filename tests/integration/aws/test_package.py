"""The package that `make lambda-package` makes, in an interpreter that has nothing but Lambda's runtime client.

Collected where WEIR_LAMBDA_PACKAGE names it, as `make test-lambda` does.
"""

import asyncio
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.aws import message, request
from tests.support.runtime_api import Runtime

PACKAGE = os.environ["WEIR_LAMBDA_PACKAGE"]
PYTHON = os.environ.get("WEIR_LAMBDA_PYTHON", "python3.13")
STRUCTURED = {"content-type": "application/cloudevents+json"}


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(PACKAGE) as package:
        package.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The runtime client for that interpreter, as Lambda's runtime has it."""
    folder = tmp_path_factory.mktemp("client")
    said = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=True
    )
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", said.stdout.strip(), "--target", folder, "awslambdaric"],
        check=True,
    )
    return folder


@pytest.fixture
def environment(settings, moto_url):
    return {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": moto_url,
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
        "WEIR_SECRET": settings.secret.get_secret_value(),
        "WEIR_SINK_ALLOW": "127.0.0.0/8",
        "WEIR_DISPATCH_LINGER_SECONDS": "0.2",
    }


@pytest.fixture
def run(task, client, environment):
    return lambda name: Runtime(
        {**environment, "WEIR_FUNCTION": name}, task=task, python=PYTHON, client=client
    )


async def called(runtime, event, **options):
    return await asyncio.to_thread(runtime, event, **options)


async def test_an_event_goes_the_whole_way(run, project, sink):
    kind = {"content-type": "application/json", **project.headers}
    # A transform is evaluated by a child process, which has to find its library in the package as well.
    body = json.dumps({"sink": sink.url, "transform": {"jsonata": '{"data": {"doubled": data.n * 2}}'}})
    with run("subscriptions") as subscriptions:
        path = f"/v1/projects/{project.name}/subscriptions"
        made = await called(subscriptions, request("POST", path, kind, body))
        assert made["statusCode"] == 201, made
    with run("ingest") as ingest:
        event = {"specversion": "1.0", "id": uuid4().hex, "source": "/shop", "type": "t", "data": {"n": 21}}
        path = f"/in/{project.name}"
        answer = await called(
            ingest, request("POST", path, {**STRUCTURED, **project.headers}, json.dumps(event))
        )
        assert answer["statusCode"] == 202, answer
    wake = {"specversion": "1.0", "id": "1", "source": "/weir", "type": "dev.weir.wake"}
    with run("dispatch") as dispatch:
        records = [message({**wake, "data": {"shards": list(range(16))}})]
        answer = await called(dispatch, {"Records": records}, seconds=60)
        assert answer == {"batchItemFailures": []}
        errors = [line for line in dispatch.lines() if line.get("level") == "error"]
    assert errors == []
    assert [got.json() for got in sink.requests] == [{"doubled": 42}]


@pytest.mark.parametrize("name", ["archive", "catalog", "explore", "identity", "projects", "receive"])
async def test_every_endpoint_starts_and_is_ready(run, name):
    with run(name) as function:
        answer = await called(function, request("GET", "/readyz"))
    assert (answer["statusCode"], answer["body"]) == (200, '{"status":"ready"}')


async def test_migrate_and_housekeep(run):
    with run("migrate") as migrate:
        assert (await called(migrate, {}, seconds=60))["revision"]
    with run("housekeep") as housekeep:
        tick = {"specversion": "1.0", "id": "1", "source": "/aws/scheduler", "type": "dev.weir.tick"}
        assert await called(housekeep, tick) is None


def test_every_module_is_compiled_and_nothing_is_in_it_that_is_not_used(task):
    sources = {path.relative_to(task) for path in task.rglob("*.py")}
    compiled = {path.relative_to(task) for path in task.rglob("*.pyc")}
    bare = [
        s
        for s in sources
        if not any(c.parent.parent == s.parent and c.name.startswith(f"{s.stem}.") for c in compiled)
    ]
    assert bare == []
    assert not (task / "cli").exists()
    assert len(list((task / "botocore" / "data").iterdir())) < 10
