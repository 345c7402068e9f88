"""The environment `staging`, on a cluster: applied, complete, and destroyed again; and a plan of `production`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.infra.rules import Resource, faults, policies, policy_faults, resources
from tests.infra.stage import ROOT, Environment

NAME = "staging"
WEIR = "weir-staging"


@pytest.fixture(scope="module")
def planned(environment: Environment) -> list[Resource]:
    """The first plan, filled in by `applied`."""
    return []


@pytest.fixture(scope="module")
def applied(environment: Environment, planned: list[Resource]) -> Iterator[Environment]:
    moto = environment.moto
    moto.client("s3").create_bucket(
        Bucket=environment.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    moto.make_cache_nodes(WEIR, 2)
    environment.prepare()
    planned.extend(resources(environment.plan()["planned_values"]["root_module"]))
    environment.run("apply", "-no-color", "made.plan")
    yield environment
    environment.run("destroy", "-auto-approve", "-refresh=false", "-no-color")
    assert json.loads(environment.state())["resources"] == []


def test_a_second_plan_is_empty(applied: Environment) -> None:
    assert applied.changes() == []


def test_no_rule_is_broken(applied: Environment, planned: list[Resource]) -> None:
    assert faults(planned) == []
    made = list(resources(json.loads(applied.run("show", "-json"))["values"]["root_module"]))
    assert policy_faults(made) == []
    assert policies(made) >= 10


def test_kubectl_is_told_how_to_reach_the_cluster(applied: Environment) -> None:
    config = yaml.safe_load(applied.outputs()["kubeconfig"])
    cluster = applied.moto.client("eks").describe_cluster(name=WEIR)["cluster"]
    assert config["clusters"][0]["cluster"]["server"] == cluster["endpoint"]
    assert config["users"][0]["user"]["exec"]["args"][-1] == WEIR


def test_external_secrets_makes_the_secret_that_the_manifests_name(applied: Environment) -> None:
    store, secret = yaml.safe_load_all(applied.outputs()["settings_manifest"])
    assert store["kind"] == "ClusterSecretStore"
    assert secret["spec"]["target"]["name"] == "weir-settings"
    overlay = yaml.safe_load((ROOT / "infra/knative/overlays/staging/kustomization.yaml").read_text())
    assert secret["metadata"]["namespace"] == overlay["namespace"]
    assert store["spec"]["conditions"] == [{"namespaces": [overlay["namespace"]]}]
    assert secret["spec"]["dataFrom"] == [{"extract": {"key": applied.outputs()["settings_secret_arn"]}}]


def test_no_function_is_made_beside_a_cluster(applied: Environment) -> None:
    assert applied.moto.client("lambda").list_functions()["Functions"] == []
    assert applied.outputs()["migrate_function"] is None


def test_production_keeps_what_may_not_be_lost(applied: Environment) -> None:
    """Planned beside staging, in the same AWS: nothing of it is applied."""
    production = Environment(applied.tree, "production", applied.moto)
    production.prepare()
    planned = list(resources(production.plan()["planned_values"]["root_module"]))
    assert faults(planned) == []
    database = only(planned, "aws_db_instance")
    assert database["multi_az"]
    assert database["deletion_protection"]
    assert not database["skip_final_snapshot"]
    assert database["backup_retention_period"] == 35
    assert len(all_of(planned, "aws_nat_gateway")) == 3
    assert only(planned, "aws_elasticache_replication_group")["automatic_failover_enabled"]
    assert {secret["recovery_window_in_days"] for secret in all_of(planned, "aws_secretsmanager_secret")} == {
        30
    }


def all_of(planned: list[Resource], kind: str) -> list[dict[str, Any]]:
    return [resource.values for resource in planned if resource.type == kind]


def only(planned: list[Resource], kind: str) -> dict[str, Any]:
    (found,) = all_of(planned, kind)
    return found
