"""Terraform's real binary, a moto server for each environment, and a copy of `infra/terraform` to work in.

The provider is not fetched: WEIR_TERRAFORM_PLUGIN_DIR names a folder that has it in the registry's layout
(`registry.terraform.io/hashicorp/aws/…`). Without the variable, Terraform's own implied mirrors are looked at. Where
there is no `terraform` or no provider, every test that needs them is skipped by name, in continuous integration too.
"""

import os
from collections.abc import Iterator

import pytest

from tests.infra.stage import Environment, Moto, Tree, missing

# Applying takes minutes that are waited, not worked: `make test-infra` says that it is wanted. The rest is quick.
collect_ignore_glob = (
    [] if os.environ.get("WEIR_INFRA") else ["test_static.py", "test_lambda.py", "test_knative.py"]
)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The sources as they are, in a folder of this run."""
    if reason := missing():
        pytest.skip(reason)
    return Tree.copied(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """An empty AWS."""
    if reason := missing():
        pytest.skip(reason)
    with Moto(tmp_path_factory.mktemp("moto") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def environment(
    request: pytest.FixtureRequest, moto: Moto, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """The environment that the module names (`NAME`), with what moto lacks switched off and nothing applied yet."""
    tree = Tree.copied(tmp_path_factory.mktemp("applied"))
    tree.without_what_moto_lacks()
    return Environment(tree, request.module.NAME, moto)
