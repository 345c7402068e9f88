"""`weir audit`, on a Weir that runs: what was done is listed, exported, and holds away from it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.main import weir as command
from tests.support.weir import LocalWeir


@pytest.fixture(autouse=True)
def _in_its_home(running: LocalWeir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEIR_HOME", str(running.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def call(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def answer(*arguments: str) -> Any:
    return json.loads(call(*arguments, "-o", "json").stdout)


def test_what_was_done_is_listed_and_shown() -> None:
    made = answer("subscriptions", "create", "audited", "--sink", "https://a.example/x")
    items = answer("audit", "ls", "--thing", "audited", "--since", "1h")["items"]
    assert [item["action"] for item in items] == ["subscription.created"]
    (item,) = items
    assert (item["thing"]["id"], item["via"]) == (made["id"], "command")
    assert re.match(r"weir-cli/\d+\.\d+\.\d+ ", item["agent"])
    shown = answer("audit", "get", item["id"])
    assert (shown["before"], shown["after"]["sink"]) == (None, "https://a.example/x")
    table = call("audit", "ls", "--kind", "subscription", "-q", "audited").stdout
    assert "subscription.created" in table
    assert "weir 0." in table


def test_an_export_holds_anywhere_and_shows_what_was_done_to_it(tmp_path: Path) -> None:
    answer("subscriptions", "create", "exported", "--sink", "https://a.example/x")
    file = tmp_path / "audit.ndjson"
    call("audit", "export", "--out", str(file))
    there = call("audit", "verify").stdout
    head = re.search(r"head (\d+:[0-9a-f]{64})", there)
    assert head is not None
    assert call("audit", "verify", str(file)).stdout == there
    assert call("audit", "verify", str(file), "--head", head[1]).stdout == there
    assert call("audit", "verify", "--head", head[1]).stdout == there
    other = f"{head[1].partition(':')[0]}:{'0' * 64}"
    assert "not there that were" in call("audit", "verify", "--head", other, code=1).stderr
    assert "not there that were" in call("audit", "verify", str(file), "--head", other, code=1).stderr
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join((lines[0], *lines[2:])))
    assert "does not hold at entry 3" in call("audit", "verify", str(file), code=1).stderr
    file.write_text("".join((lines[0].replace("owner", "other").replace("default", "defaults"), *lines[1:])))
    assert "does not hold at entry 1" in call("audit", "verify", str(file), code=1).stderr
    assert "cannot be read" in call("audit", "verify", str(tmp_path / "missing"), code=2).stderr
    file.write_text("no json\n")
    assert "line 1" in call("audit", "verify", str(file), code=1).stderr


def test_a_part_as_csv() -> None:
    lines = call("audit", "export", "--csv", "--kind", "key").stdout.splitlines()
    assert lines[0].startswith("sequence,at,actor_kind")
    assert any("key.created" in line for line in lines[1:])


@pytest.mark.parametrize("head", ["x", "1:abc"])
def test_what_is_no_head(head: str) -> None:
    assert "is no head" in call("audit", "verify", "--head", head, code=2).stderr
