"""The image that the tests of this folder look into. They are collected under WEIR_IMAGE_TESTS=1 alone.

`make test-image` sets it. WEIR_IMAGE names an image that docker, podman or buildah has; without, infra/docker/build
makes one. Containers are run by runc, which needs root.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.image import TOOLS, Image, unpacked
from tests.support.served import ROOT
from tests.support.stores import execute, with_path

collect_ignore_glob = [] if os.environ.get("WEIR_IMAGE_TESTS") else ["test_*.py"]

NAME = "localhost/weir:image-test"


def build(name: str) -> None:
    subprocess.run([ROOT / "infra/docker/build", name], check=True)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    _need("an image", any(shutil.which(tool) for tool in TOOLS), f"none of {', '.join(TOOLS)} is here")
    name = os.environ.get("WEIR_IMAGE")
    if name is None:
        name = NAME
        build(name)
    return unpacked(name, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="session")
def contained(image: Image) -> Image:
    """The image, where containers can be run from it."""
    _need("a container", shutil.which("runc") is not None, "runc is not here")
    _need("a container", os.geteuid() == 0, "runc needs root")
    return image


def _need(what: str, there: bool, why: str) -> None:
    if there:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is needed: {why}")
    pytest.skip(f"{what} is needed: {why}")


@pytest.fixture
def empty_database(database_url: str) -> Iterator[str]:
    """A database without any schema, beside the one of the other tests."""
    name = f"image_{uuid4().hex[:8]}"
    asyncio.run(execute(database_url, f'CREATE DATABASE "{name}"'))
    yield with_path(database_url, name)
    asyncio.run(execute(database_url, f'DROP DATABASE "{name}" WITH (FORCE)'))
