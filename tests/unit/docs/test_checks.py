"""`make check`: what the reports of the tools come to, and that nothing is passed over without a word."""

import importlib.util
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def advisories() -> ModuleType:
    spec = importlib.util.spec_from_file_location("advisories", ROOT / "infra/checks/advisories.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["advisories"] = module
    spec.loader.exec_module(module)
    return module


def test_a_report_of_pip_audit_is_read(advisories: ModuleType) -> None:
    report = {
        "dependencies": [
            {"name": "well", "version": "1", "vulns": []},
            {"name": "ill", "version": "2", "vulns": [{"id": "PYSEC-1", "description": "It breaks."}]},
            {"name": "unknown", "skip_reason": "not found"},
        ]
    }
    assert advisories.read_pip_audit(report) == [
        advisories.Fault("uv.lock", "ill 2", "PYSEC-1", "It breaks.")
    ]


def test_a_registry_without_advisories_is_not_a_clean_bill(advisories: ModuleType) -> None:
    with pytest.raises(advisories.NoDatabaseError):
        advisories.read_pip_audit({"dependencies": [{"name": "a", "skip_reason": "not found"}]})
    with pytest.raises(advisories.NoDatabaseError, match="405"):
        advisories.read_npm_audit({"message": "405 Method Not Allowed"}, "package-lock.json")


def test_a_report_of_npm_is_read(advisories: ModuleType) -> None:
    cause = {"url": "https://github.com/advisories/GHSA-1", "title": "It breaks."}
    report = {
        "auditReportVersion": 2,
        "vulnerabilities": {
            "ill": {"range": "<2", "via": [cause]},
            "uses-it": {"range": "*", "via": ["ill"]},
        },
    }
    assert advisories.read_npm_audit(report, "a/package-lock.json") == [
        advisories.Fault("a/package-lock.json", "ill <2", "GHSA-1", "It breaks.")
    ]


def test_an_excuse_runs_out(advisories: ModuleType) -> None:
    text = '[[excused]]\nid = "A"\nreason = "not used"\nuntil = 2026-01-31\n'
    assert dict(advisories.excused(text, date(2026, 1, 31))) == {"A": "not used"}
    assert dict(advisories.excused(text, date(2026, 2, 1))) == {}
    dict(advisories.excused((ROOT / "infra/checks/excused.toml").read_text(), date(2026, 1, 1)))


def test_bandits_rules_are_on_for_what_is_shipped() -> None:
    """`assert` states what the type checker cannot know; programs that only build start other programs."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert [rule for rule in lint["ignore"] if rule.startswith("S")] == ["S101"]
    for place, rules in lint["per-file-ignores"].items():
        given = {rule for rule in rules if rule.startswith("S") and not rule.startswith("SLF")}
        if not place.startswith("tests/"):
            assert given <= {"S603", "S607"}, place
            assert place.startswith(("infra/", "cli/")) or not given, place


def test_every_allowed_secret_has_its_place_and_a_reason() -> None:
    config = tomllib.loads((ROOT / ".gitleaks.toml").read_text())
    assert config["extend"]["useDefault"] is True
    for allowed in config["allowlists"]:
        assert len(allowed["description"]) > 20
        assert allowed.get("condition") == "AND" or set(allowed) & {"paths", "regexes"}
        for path in allowed.get("paths", ()):
            assert path.startswith("^"), path
