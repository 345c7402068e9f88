"""The workflows do nothing that cannot be done here, and run nothing that somebody else may change."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.runtime.console import hosting

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(path.read_text())["jobs"]
    assert isinstance(found, dict)
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job.get("steps", ())]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_is_a_target_that_runs_here(path: Path) -> None:
    called = {
        target
        for step in steps(path)
        for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", step.get("run", ""))
    }
    assert called or any("uses" in job for job in jobs(path).values())
    assert called - TARGETS == set()


def test_together_they_run_all_that_make_test_is() -> None:
    makefile = (ROOT / "Makefile").read_text()
    wanted = {
        target
        for line in re.findall(r"^(?:GATES|SUITES) := (.*)$", makefile, re.MULTILINE)
        for target in line.split()
    }
    runs = " ".join(step.get("run", "") for step in steps(ROOT / ".github/workflows/test.yml"))
    assert {target for target in wanted if f"make {target}" not in runs} == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_and_permissions_asked_for(path: Path) -> None:
    text = path.read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action
    assert yaml.safe_load(text)["permissions"] == {}
    for name, job in jobs(path).items():
        assert "permissions" in job, name


def test_one_action_is_one_version() -> None:
    pins = {
        pin
        for path in WORKFLOWS
        for pin in re.findall(r"uses: ([\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+)", path.read_text())
    }
    names = [pin.partition("@")[0] for pin in pins]
    assert len(names) == len(set(names))


def test_the_way_back_waits_for_no_deploy_that_waits_for_its_approval() -> None:
    """Who waits for an approval holds the group of the job, and of the run that the job is in."""
    folder = ROOT / ".github/workflows"
    back = yaml.safe_load((folder / "rollback.yml").read_text())["concurrency"]["group"]
    waiting = {
        document["concurrency"]["group"]
        for name in ("release.yml", "deploy.yml")
        for file in [yaml.safe_load((folder / name).read_text())]
        for document in (file, *file["jobs"].values())
        if "concurrency" in document
    }
    assert waiting == {"deploy-${{ inputs.environment }}"}
    assert back not in waiting


def test_files_are_published_as_every_host_has_to_keep_them() -> None:
    script = (ROOT / "infra/console/publish").read_text()
    kept = hosting()["cacheControl"]
    assert isinstance(kept, dict)
    said = set(re.findall(r'^(?:IMMUTABLE|FRESH) = "(.+)"$', script, re.MULTILINE))
    assert said == set(kept.values())
