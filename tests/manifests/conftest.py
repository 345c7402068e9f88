"""The tools, and what they make of the overlays."""

import pytest

from tests.manifests.tools import Kubeconform, Kustomize, Missing


def _found(tool):
    try:
        return tool.find()
    except Missing as error:
        error.skip()


@pytest.fixture(scope="session")
def kustomize() -> Kustomize:
    return _found(Kustomize)


@pytest.fixture(scope="session")
def kubeconform() -> Kubeconform:
    return _found(Kubeconform)
