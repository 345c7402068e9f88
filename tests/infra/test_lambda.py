"""The environment `dev`, on Lambda: applied, complete, and destroyed again, with its state in a bucket."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.rules import Resource, faults, policies, policy_faults, resources
from tests.infra.stage import PREFIX, REGION, SOURCES, Environment, Moto, write_package

NAME = "dev"
WEIR = "weir-dev"
DECLARED: dict[str, Any] = json.loads((SOURCES / "functions.json").read_text())


@pytest.fixture(scope="module")
def refusal(environment: Environment) -> list[str]:
    """What somebody was told who came while another was at it."""
    return []


@pytest.fixture(scope="module")
def planned(environment: Environment) -> list[Resource]:
    """The first plan, filled in by `applied`."""
    return []


@pytest.fixture(scope="module")
def applied(environment: Environment, planned: list[Resource], refusal: list[str]) -> Iterator[Environment]:
    """The bucket of the state is made by `bootstrap`, everything else by the environment."""
    tree, moto = environment.tree, environment.moto
    tree.prepare("bootstrap", moto=moto)
    asked = (f"-var=region={REGION}", f"-var=bucket={environment.bucket}")
    tree.run("bootstrap", "apply", "-auto-approve", "-no-color", *asked, moto=moto)
    moto.make_cache_nodes(WEIR, 1)
    environment.prepare()
    planned.extend(resources(environment.plan()["planned_values"]["root_module"]))
    with environment.started("apply", "-no-color", "made.plan") as first:
        wait_for_lock(moto, environment.bucket, first)
        refusal.append(environment.run("plan", "-lock-timeout=0s", "-no-color", refused=True))
    yield environment
    environment.run("destroy", "-auto-approve", "-refresh=false", "-no-color")
    assert json.loads(environment.state())["resources"] == []


def wait_for_lock(moto: Moto, bucket: str, holder: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while "Contents" not in moto.client("s3").list_objects_v2(
        Bucket=bucket, Prefix=f"weir/{NAME}.tfstate.tflock"
    ):
        assert holder.poll() is None, "it ended before it was seen to hold the lock"
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_second_one_is_refused_while_the_state_is_locked(applied: Environment, refusal: list[str]) -> None:
    assert "Error acquiring the state lock" in refusal[0]
    assert f"{applied.bucket}/weir/{NAME}.tfstate" in refusal[0]


def test_a_second_plan_is_empty(applied: Environment) -> None:
    assert applied.changes() == []


def test_no_rule_is_broken(applied: Environment, planned: list[Resource]) -> None:
    assert faults(planned) == []
    made = list(resources(json.loads(applied.run("show", "-json"))["values"]["root_module"]))
    assert policy_faults(made) == []
    assert policies(made) >= 40  # each function has a role, and each role says who may take it


def test_generated_secrets_are_not_in_the_state(applied: Environment) -> None:
    manager = applied.moto.client("secretsmanager")
    state = applied.state()
    for name in ("postgres-password", "weir-secret", "metrics-token"):
        value = manager.get_secret_value(SecretId=f"{WEIR}/{name}")["SecretString"]
        assert len(value) >= 48
        assert value not in state, name


def test_the_settings_are_those_of_the_stores(applied: Environment) -> None:
    manager = applied.moto.client("secretsmanager")
    settings = json.loads(manager.get_secret_value(SecretId=f"{WEIR}/settings")["SecretString"])
    password = manager.get_secret_value(SecretId=f"{WEIR}/postgres-password")["SecretString"]
    token = manager.get_secret_value(SecretId=f"{WEIR}/redis-token")["SecretString"]
    assert settings["WEIR_DATABASE_URL"].startswith(f"postgresql://weir:{password}@{WEIR}.")
    assert settings["WEIR_DATABASE_URL"].endswith(":5432/weir?sslmode=require")
    assert settings["WEIR_REDIS_URL"].startswith(f"rediss://:{token}@")
    assert settings["WEIR_SECRET"] == manager.get_secret_value(SecretId=f"{WEIR}/weir-secret")["SecretString"]
    assert settings["WEIR_PUBLIC_URL"] == applied.outputs()["public_url"]


def test_every_declared_route_leads_to_its_function(applied: Environment) -> None:
    api = applied.moto.client("apigatewayv2")
    (found,) = api.get_apis()["Items"]
    uris = {
        f"integrations/{each['IntegrationId']}": each["IntegrationUri"]
        for each in api.get_integrations(ApiId=found["ApiId"])["Items"]
    }
    routes = {
        each["RouteKey"]: uris[each["Target"]] for each in api.get_routes(ApiId=found["ApiId"])["Items"]
    }
    wanted = {
        f"ANY {route}{rest}": name
        for name, function in DECLARED.items()
        for route in function["routes"]
        for rest in ("", "/{proxy+}")
    }
    assert routes.keys() == wanted.keys()
    for route, name in wanted.items():
        assert f"function:{WEIR}-{name}/" in routes[route]


def test_handlers_are_woken_by_the_queue_and_by_the_clock(applied: Environment) -> None:
    moto = applied.moto
    (mapping,) = moto.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionArn"].endswith(f"function:{WEIR}-dispatch")
    assert mapping["EventSourceArn"].endswith(f":{WEIR}-wakes")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    schedules = moto.client("scheduler").list_schedules(GroupName=f"{WEIR}-ticks")["Schedules"]
    ticked = {name for name, function in DECLARED.items() if "dev.weir.tick" in function["on"]}
    assert {schedule["Name"] for schedule in schedules} == ticked
    told = moto.client("scheduler").get_schedule(GroupName=f"{WEIR}-ticks", Name="dispatch")["Target"][
        "Input"
    ]
    assert json.loads(told)["type"] == "dev.weir.tick"


def test_a_role_has_what_its_function_needs_and_no_more(applied: Environment) -> None:
    iam = applied.moto.client("iam")

    def actions(name: str) -> set[str]:
        document = iam.get_role_policy(RoleName=f"{WEIR}-{name}", PolicyName="function")["PolicyDocument"]
        allowed = [each for each in document["Statement"] if each["Effect"] == "Allow"]
        listed = [
            each["Action"] if isinstance(each["Action"], list) else [each["Action"]] for each in allowed
        ]
        return {
            action for each in listed for action in each if not action.startswith(("ec2:", "xray:", "logs:"))
        }

    assert actions("explore") == {"secretsmanager:GetSecretValue"}
    assert actions("migrate") == {"secretsmanager:GetSecretValue"}
    archiving = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"}
    for name, function in DECLARED.items():
        assert (archiving <= actions(name)) == function["archives"]
        assert function["archives"] or not archiving & actions(name)
    assert actions("housekeep") == {"secretsmanager:GetSecretValue", *archiving}
    assert "sqs:SendMessage" in actions("ingest")
    assert "sqs:ReceiveMessage" not in actions("ingest")
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage"} <= actions("dispatch")


def test_functions_know_who_they_are(applied: Environment) -> None:
    found = applied.moto.client("lambda").list_functions(MaxItems=50)["Functions"]
    by_name = {each["FunctionName"].removeprefix(f"{WEIR}-"): each for each in found}
    assert by_name.keys() == {*DECLARED, "migrate"}
    for name, function in by_name.items():
        environment = function["Environment"]["Variables"]
        assert environment["WEIR_FUNCTION"] == name
        assert environment["WEIR_SECRETS_ARN"] == applied.outputs()["settings_secret_arn"]
        assert "WEIR_DATABASE_URL" not in environment
        assert ("WEIR_WAKE_QUEUE_URL" in environment) == (name in DECLARED and DECLARED[name]["wakes"])


def test_no_function_has_new_code_before_the_database_is_migrated(applied: Environment) -> None:
    def code() -> dict[str, str]:
        found = applied.moto.client("lambda").list_functions(MaxItems=50)["Functions"]
        return {each["FunctionName"].removeprefix(f"{WEIR}-"): each["CodeSha256"] for each in found}

    package = applied.tree.folder / "weir.zip"
    before = code()
    write_package(package, 'raise RuntimeError("the migration does not run")')
    said = applied.run("apply", "-auto-approve", "-no-color", refused=True)
    assert "the migration does not run" in said
    refused = code()
    assert {name for name in before if refused[name] != before[name]} == {"migrate"}

    write_package(package, 'return {"revision": "9999"}')
    applied.run("apply", "-auto-approve", "-no-color")
    after = code()
    assert len(set(after.values())) == 1
    assert after.keys() == before.keys()
    assert after["ingest"] != before["ingest"]
    assert applied.changes() == []


def test_the_console_is_told_where_the_api_is(applied: Environment) -> None:
    config = applied.moto.client("s3").get_object(Bucket=f"{PREFIX}-{WEIR}-console", Key="config.json")
    assert json.loads(config["Body"].read())["apiUrl"] == ""  # the CDN has the API on the same host
    assert config["CacheControl"] == "no-cache"
    distribution = applied.moto.client("cloudfront").list_distributions()["DistributionList"]["Items"][0]
    paths = {each["PathPattern"] for each in distribution["CacheBehaviors"]["Items"]}
    first = {route.split("/")[1] for function in DECLARED.values() for route in function["routes"]}
    for segment in first:
        assert any(re.match(pattern.replace("*", ".*"), f"/{segment}/x") for pattern in paths), segment


def test_more_connections_than_the_database_lets_in_are_refused(applied: Environment) -> None:
    folder = applied.tree.folder / applied.where
    override = folder / "greedy_override.tf"
    override.write_text('module "weir" {\n  postgres = { max_connections = 50 }\n}\n')
    try:
        said = applied.run("plan", "-refresh=false", "-lock=false", "-no-color", refused=True)
    finally:
        override.unlink()
    assert "At full concurrency the functions would open" in " ".join(said.replace("│", " ").split())
