"""Alerts and the dashboard ask for what Weir shows, and every alert has a page that says what to do."""

import json
import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from cli.main import COMMANDS, weir
from shared.runtime import registry
from shared.runtime.metrics import METRICS
from tests.support.metrics import names

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "infra" / "observability"
PAGES = ROOT / "docs" / "operate" / "runbooks"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "weir.rules.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((FOLDER / "weir.dashboard.json").read_text())
SECTIONS = ["What it means", "What users notice", "How to look", "What to do", "When it is over"]
OVERLAYS = {folder.name for folder in (ROOT / "infra/knative/overlays").iterdir()}
PROMETHEUS_OWN = {"ALERTS"}

# What a dispatcher counts is loaded when the first event comes to it.
COUNTING = ("events.dispatch.dispatcher", "shared.runtime.connection", "shared.intake.types")


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """The series of all functions."""
    for function in registry.functions():
        import_module(function.entry.partition(":")[0])
    for module in COUNTING:
        import_module(module)
    return names(METRICS.render())


def selectors(expression: Any) -> set[str]:
    """The names of all series in an expression that was parsed."""
    if isinstance(expression, promql.VectorSelector):
        return {expression.name}
    if isinstance(expression, promql.MatrixSelector):
        return selectors(expression.vector_selector)
    parts = [getattr(expression, name, None) for name in ("expr", "lhs", "rhs")]
    parts += list(getattr(expression, "args", None) or [])
    return set().union(*(selectors(part) for part in parts if part is not None))


def asked(text: str) -> set[str]:
    return selectors(promql.parse(text.replace("$__rate_interval", "5m"))) - PROMETHEUS_OWN


def test_the_names_in_an_expression_are_found() -> None:
    text = 'sum by (a) (rate(x{b="c"}[5m])) / on() y offset 1m > 3 and absent(z) or min_over_time(u[1h:1m])'
    assert asked(text) == {"x", "y", "z", "u"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_is_shown(rule: dict[str, Any], shown: set[str]) -> None:
    found = asked(rule["expr"])
    assert found
    assert found <= shown
    assert rule["labels"]["severity"] in {"critical", "warning"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_has_a_page_that_says_what_to_do(rule: dict[str, Any]) -> None:
    base, _, slug = rule["annotations"]["runbook_url"].rpartition("/")
    assert base == "https://weir.dev/operate/runbooks"
    text = (PAGES / f"{slug}.md").read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert f"runbooks/{slug}.md" in (ROOT / "docs" / "operate" / "alerts.md").read_text()


def test_no_page_is_without_an_alert() -> None:
    slugs = {rule["annotations"]["runbook_url"].rpartition("/")[2] for rule in RULES}
    assert {page.stem for page in PAGES.glob("*.md")} == slugs


def test_the_dashboard_asks_for_what_is_shown(shown: set[str]) -> None:
    targets = [t for panel in DASHBOARD["panels"] for t in panel.get("targets", ())]
    assert len(targets) > 30
    found = set().union(*(asked(target["expr"]) for target in targets))
    assert found <= shown
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "operate").rglob("*.md")), ids=lambda page: page.stem
)
def test_commands_of_weir_in_the_pages_exist(page: Path) -> None:
    text = page.read_text()
    for call in re.findall(r"(?:^ {4,}|`)weir ((?:[a-z]+(?:-[a-z]+)* ?)+)", text, re.MULTILINE):
        first, *rest = call.split()
        if first not in COMMANDS:
            raise AssertionError(f"there is no command `weir {first}`")
        command = weir.get_command(None, first)  # type: ignore[arg-type]
        if rest and hasattr(command, "commands"):
            places = OVERLAYS if first == "deploy" else set()
            assert rest[0] in {*command.commands, *places}, f"weir {call}"


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_commands_in_a_runbook_are_set_apart(page: Path) -> None:
    """One at the margin would be shown as a sentence, and with it what is indented below."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"^(?:kubectl|weir) (?:-n|[a-z]+) .*", prose, re.MULTILINE) == []


PROMTOOL = shutil.which("promtool") or next(iter((ROOT / "build" / "tools").glob("promtool")), None)


@pytest.fixture
def promtool() -> str:
    if PROMTOOL is None:
        if os.environ.get("CI"):
            pytest.fail("there is no promtool: `make install` gets Debian's")
        pytest.skip("there is no promtool: `make install` gets Debian's")
    return str(PROMTOOL)


def judged(promtool: str, *arguments: str) -> None:
    done = subprocess.run([promtool, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_tests_what_fires_when(promtool: str) -> None:
    judged(promtool, "check", "rules", "weir.rules.yaml")
    judged(promtool, "test", "rules", "weir.rules.test.yaml")


def test_promtool_reads_how_weir_is_asked(promtool: str, tmp_path: Path) -> None:
    # Debian's is built without the discovery of Kubernetes.
    document = yaml.safe_load((FOLDER / "scrape.yaml").read_text())
    found = [job.pop("kubernetes_sd_configs", None) for job in document["scrape_configs"]]
    assert found == [None, [{"role": "pod", "namespaces": {"names": ["weir"]}}]]
    (tmp_path / "scrape.yaml").write_text(yaml.safe_dump(document))
    judged(promtool, "check", "config", "--syntax-only", str(tmp_path / "scrape.yaml"))
