"""What the command says when it is not used as it should be, before any cluster is asked."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.deploy import arguments, live, rendered, tables
from cli.deploy.live import Live
from cli.errors import CommandError
from cli.main import weir
from tests.unit.cli.deploy.manifests import rendered as manifests


def failing(*words: str) -> CommandError:
    """The error that the command ends with."""
    ended = CliRunner().invoke(weir, ["deploy", *words], standalone_mode=False)
    assert isinstance(ended.exception, CommandError), ended.output
    return ended.exception


def test_an_environment_that_is_not_there_names_those_that_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    error = failing("nowhere")
    assert error.exit_code == 3
    assert "repository" in error.hint
    for name in ("staging", "dev"):
        (tmp_path / arguments.OVERLAYS / name).mkdir(parents=True)
    assert failing("nowhere").hint == "there are dev, staging"
    assert failing("status", "nowhere").exit_code == 3


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert failing("--overlay", str(tmp_path / "no")).exit_code == 3


def test_without_kubectl_it_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    assert "no kubectl" in failing("--overlay", str(tmp_path)).message


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("rollback", "--yes"),
        ("run",),
        ("--overlay", ".", "staging"),
        ("contract", "--yes"),
        ("owner", "--email", "a@b"),
    ],
)
def test_without_a_place_it_is_a_usage_error(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: "/bin/false")
    ended = CliRunner().invoke(weir, ["deploy", *words])
    assert ended.exit_code == 2
    assert "Usage" in ended.output


def test_smoke_with_an_event_needs_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEIR_SMOKE_API_KEY", raising=False)
    given = dict.fromkeys(("gateway", "timeout", "watch_seconds", "inside", "prometheus"), None)
    with pytest.raises(Exception, match="WEIR_SMOKE_API_KEY"):
        arguments.options("weir", hold=False, smoke_project="p", prometheus_selector=None, **given)


def test_the_plan_says_what_each_function_would_serve() -> None:
    release = rendered.read(manifests("weir:2"), None, {})
    same = release.wanted["explore"]
    services = [
        {"metadata": {"name": name}, "spec": {"traffic": [{"revisionName": revision, "percent": 100}]}}
        for name, revision in (("explore", same), ("ingest", "ingest-old"))
    ]
    rows = tables.plan(release, live.read(services, []))
    assert [(row["service"], row["serves"], row["change"]) for row in rows] == [
        ("dispatch", None, "new"),
        ("explore", f"{same} 100 %", "none"),
        ("ingest", "ingest-old 100 %", "new revision"),
    ]
    assert tables.states(Live({}, {})) == []
