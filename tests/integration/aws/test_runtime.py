"""A function started by AWS's own runtime client: settings out of a secret, log lines, metrics, traces, bad starts."""

import asyncio
import json
import socket
from uuid import uuid4

import pytest

from tests.support.aws import message, payload, request
from tests.support.runtime_api import InvocationFailed, Runtime

STRUCTURED = {"content-type": "application/cloudevents+json"}
EVENT = {"specversion": "1.0", "source": "/shop", "type": "com.example.bought"}


@pytest.fixture
def secrets(settings):
    return {
        "WEIR_DATABASE_URL": settings.database_url.get_secret_value(),
        "WEIR_REDIS_URL": settings.redis_url.get_secret_value(),
        "WEIR_SECRET": settings.secret.get_secret_value(),
    }


@pytest.fixture
def environment(moto_url):
    return {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_ENDPOINT_URL": moto_url,
        "WEIR_SINK_ALLOW": "127.0.0.0/8",
        "WEIR_DISPATCH_LINGER_SECONDS": "0.2",
    }


@pytest.fixture
def kept(client, secrets, environment):
    """The environment of a function whose settings are in a secret."""
    made = client("secretsmanager").create_secret(
        Name=f"weir-{uuid4().hex[:8]}", SecretString=json.dumps(secrets)
    )
    return {**environment, "WEIR_SECRETS_ARN": made["ARN"]}


async def called(runtime, event, **options):
    return await asyncio.to_thread(runtime, event, **options)


async def test_ingest_then_dispatch(kept, project, sink, client, pool, call):
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=f"weir-{uuid4().hex[:8]}")["QueueUrl"]
    subscriptions = await call("subscriptions")
    made = await subscriptions(
        request(
            "POST",
            f"/v1/projects/{project.name}/subscriptions",
            {"content-type": "application/json", **project.headers},
            json.dumps({"sink": sink.url}),
        )
    )
    assert made["statusCode"] == 201, made
    kept["WEIR_WAKE_QUEUE_URL"] = url
    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", 0))
    daemon.settimeout(10)
    kept["AWS_XRAY_DAEMON_ADDRESS"] = f"127.0.0.1:{daemon.getsockname()[1]}"
    with Runtime({**kept, "WEIR_FUNCTION": "ingest"}) as ingest:
        for number in range(2):
            body = json.dumps({**EVENT, "id": str(number), "data": number})
            asked = request("POST", f"/in/{project.name}", {**STRUCTURED, **project.headers}, body)
            answer = await called(ingest, asked, sampled=number == 1)
            assert answer["statusCode"] == 202, answer
        cold = [line["_aws"] and line["ColdStart"] for line in ingest.lines() if "_aws" in line]
    assert cold == [[1.0]]  # of two calls one was a start
    header, _, segment = (await asyncio.to_thread(daemon.recv, 65536)).decode().partition("\n")
    assert json.loads(header) == {"format": "json", "version": 1}
    traced = json.loads(segment)
    assert traced["name"] == "## ingest"
    assert traced["trace_id"] == "1-6927d6d1-0c2f5b0a6f2b4d3e1a7c9e55"
    assert traced["annotations"]["Service"] == "ingest"
    daemon.close()
    got = await asyncio.to_thread(
        lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    )
    records = [message(each["Body"], number) for number, each in enumerate(got)]
    records.append(message("not an event", 99))
    with Runtime({**kept, "WEIR_FUNCTION": "dispatch"}) as dispatch:
        answer = await called(dispatch, {"Records": records}, seconds=60)
        assert answer == {"batchItemFailures": []}, dispatch.written()
        assert sorted(r.json() for r in sink.requests) == [0, 1]
        lines = dispatch.lines()
    (dropped,) = [line for line in lines if "is dropped" in line.get("message", "")]
    assert dropped["level"] == "error"
    assert dropped["function"] == "dispatch"
    assert dropped["traceId"] == "1-6927d6d1-0c2f5b0a6f2b4d3e1a7c9e55"
    assert dropped["requestId"]
    (metrics,) = [line for line in lines if "_aws" in line]
    assert metrics["service"] == "dispatch"
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Weir"
    assert sum(metrics["Events"]) == len(records) - 1
    assert sum(metrics["Unreadable"]) == 1


async def test_migrate_is_a_function_as_well(kept, secrets, database_url):
    with Runtime({**kept, "WEIR_FUNCTION": "migrate"}) as migrate:
        answer = await called(migrate, {}, seconds=60)
    assert answer["revision"]


async def test_an_error_reaches_lambda_so_that_it_calls_again(environment, secrets):
    nowhere = {**secrets, "WEIR_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    with Runtime({**environment, **nowhere, "WEIR_FUNCTION": "housekeep"}) as housekeep:
        with pytest.raises(InvocationFailed, match="ConnectionRefusedError"):
            await called(housekeep, payload("schedule"))
        lines = housekeep.lines()
    assert any("handling dev.weir.tick failed, it comes again" in line.get("message", "") for line in lines)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"WEIR_FUNCTION": ""}, "set WEIR_FUNCTION"),
        ({"WEIR_FUNCTION": "nothing"}, "there is no function 'nothing'; there are archive"),
        ({"WEIR_FUNCTION": "explore"}, "database_url"),
        (
            {
                "WEIR_FUNCTION": "explore",
                "WEIR_SECRETS_ARN": "arn:aws:secretsmanager:eu-central-1:1:secret:no-1",
            },
            "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        ),
    ],
)
async def test_a_start_that_cannot_be_says_what_to_set(environment, changes, says):
    with Runtime({**environment, **changes}) as runtime:
        error = await asyncio.to_thread(runtime.init_error)
    assert says in error["errorMessage"]


async def test_an_endpoint_loads_no_sdk(environment, secrets, project):
    """It would take more of a cold start than everything else."""
    with Runtime(
        {**environment, **secrets, "WEIR_FUNCTION": "ingest", "PYTHONPROFILEIMPORTTIME": "1"}
    ) as ingest:
        body = json.dumps({**EVENT, "id": "1"})
        asked = request("POST", f"/in/{project.name}", {**STRUCTURED, **project.headers}, body)
        assert (await called(ingest, asked))["statusCode"] == 202
        loaded = {
            line.rpartition("|")[2].strip()
            for line in ingest.written().splitlines()
            if line.startswith("import time:")
        }
    assert {"mangum", "aws_lambda_powertools"} <= loaded
    assert not {"boto3", "botocore.session", "botocore.client", "aws_xray_sdk", "aiohttp", "uvicorn"} & loaded
    assert "pydantic.v1.main" not in loaded
