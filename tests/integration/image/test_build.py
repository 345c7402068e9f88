"""What infra/docker/build asks a builder for. The builder is a script that writes down how it was called."""

import os
import subprocess
import tomllib

import pytest

from tests.support.served import ROOT


@pytest.fixture
def asked(tmp_path):
    """`asked(NAME=VALUE)` is what docker is called with, in that environment."""
    docker, told = tmp_path / "docker", tmp_path / "told"
    docker.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{told}\n')
    docker.chmod(0o755)

    def ask(**given):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WEIR_")},
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "CLUSTER": str(tmp_path / "none"),
            **given,
        }
        subprocess.run([ROOT / "infra/docker/build", "acme/weir:1"], env=environment, check=True)
        return told.read_text().split("\n")

    return ask


def test_it_says_what_is_built_of_what(asked):
    told = asked(WEIR_SOURCE="https://example.com/weir")
    assert told[:5] == ["build", "-t", "acme/weir:1", "-f", "infra/docker/Dockerfile"]
    values = dict(each.split("=", 1) for each in told if "=" in each)
    assert values["SOURCE"] == "https://example.com/weir"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert values["VERSION"] == project["version"]
    assert values["REVISION"]


def test_two_builds_that_are_compared_take_nothing_from_one_another(asked):
    assert "--no-cache" not in asked()
    assert "--no-cache" in asked(WEIR_BUILD_FRESH="1")
