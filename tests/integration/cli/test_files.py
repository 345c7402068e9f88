"""Subscriptions as files, stories as text, and the ways to the console, against a running Weir."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.receiver import Behaviour
from tests.integration.cli.test_commands import _in_its_home, answer, call, project, receiver, subscribe
from tests.support.weir import LocalWeir

__all__ = ["_in_its_home", "project"]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    folder = tmp_path / "subs"
    folder.mkdir()

    def make(name: str, **members: Any) -> Path:
        (folder / f"{name}.yaml").write_text(json.dumps({"name": name, **members}))
        return folder

    return make


def states(*arguments: str) -> dict[str, str]:
    return {item["name"]: item["action"] for item in answer(*arguments)["items"]}


def test_files_are_what_there_is(project: str, write: Write) -> None:
    for number in range(3):
        call("emit", "-t", f"order.{'paid' if number else 'created'}", "-s", "/shop", "-d", "{}")
    folder = write("billing", sink="http://127.0.0.1:9/b", filters=[{"exact": {"type": "order.created"}}])
    write("audit", sink="http://127.0.0.1:9/a")
    apply = ("subscriptions", "apply", "-f", str(folder))
    assert states(*apply) == {"audit": "created", "billing": "created"}
    assert states(*apply) == {"audit": "unchanged", "billing": "unchanged"}

    write("billing", sink="http://127.0.0.1:9/b", filters=[{"exact": {"type": "order.paid"}}])
    differs = ("subscriptions", "diff", "-f", str(folder), "--last", "10")
    (billing,) = [i for i in answer(*differs)["items"] if i["action"] == "change"]
    assert (billing["added"], billing["removed"], billing["matched"]) == (2, 1, 2)
    assert billing["differences"] == [
        {"pointer": "/filters/0/exact/type", "before": "order.created", "after": "order.paid"}
    ]
    shown = call(*differs, "--exit-code", code=1)
    assert "~ billing  +2 -1 of the last 3 events" in shown.stdout
    assert "1 unchanged, 1 to change" in shown.stderr
    assert states(*apply) == {"audit": "unchanged", "billing": "changed"}
    call(*differs, "--exit-code")
    tried = answer("subscriptions", "test", "billing", "--last", "500")
    assert (tried["checked"], tried["matched"]) == (3, 2)
    assert "2 of the last 3 match billing" in call("subscriptions", "test", "billing", "--missed").stderr


def test_pruning_says_how_many_and_asks(project: str, write: Write) -> None:
    subscribe("kept", "http://127.0.0.1:9/")
    subscribe("gone", "http://127.0.0.1:9/")
    quick = {"retry": 1, "backoffDelay": "PT0.05S"}
    folder = write("kept", sink="http://127.0.0.1:9/", delivery=quick)
    refused = call("subscriptions", "apply", "-f", str(folder), "--prune", code=2)
    assert "Delete 1 subscription that no file has (gone)" in refused.stderr
    assert states("subscriptions", "apply", "-f", str(folder), "--prune", "--yes") == {
        "kept": "unchanged",
        "gone": "deleted",
    }
    assert [s["name"] for s in answer("subscriptions", "ls")["items"]] == ["kept"]


def test_a_filter_that_cannot_be_changes_nothing(project: str, write: Write) -> None:
    write("good", sink="http://127.0.0.1:9/")
    folder = write("ill", sink="http://127.0.0.1:9/", filters=[{"sql": "type ="}])
    refused = call("subscriptions", "apply", "-f", str(folder), code=5)
    assert "ill.yaml" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert answer("subscriptions", "ls")["items"] == []


def test_nothing_is_deleted_where_something_else_failed(project: str, write: Write) -> None:
    subscribe("old", "http://127.0.0.1:9/")
    # It is renamed, and its new form is refused by the server alone.
    folder = write("new", sink="http://127.0.0.1:9/", auth={"type": "bearer"})
    failed = call("subscriptions", "apply", "-f", str(folder), "--prune", "--yes", "-o", "json", code=5)
    actions = {item["name"]: item["action"] for item in json.loads(failed.stdout)["items"]}
    assert actions == {"new": "failed", "old": "not deleted"}
    assert [s["name"] for s in answer("subscriptions", "ls")["items"]] == ["old"]


def test_a_file_that_cannot_be_changes_nothing(project: str, write: Write) -> None:
    folder = write("good", sink="http://127.0.0.1:9/")
    for rest in (
        "sink: ftp://127.0.0.1/",
        "sink: 5",
        "{sink: 'http://127.0.0.1:9/', delivery: [1]}",
        "{sink: 'http://127.0.0.1:9/', filters: 5}",
        "{sink: 'http://127.0.0.1:9/', filters: [{exact: {time: 2026-01-01}}]}",
        "{sink: 'http://127.0.0.1:9/', 1: 2}",
        "{sink: 'http://127.0.0.1:9/', delivery: {retry: .nan}}",
    ):
        name = "{name: ill, " if rest.startswith("{") else "name: ill\n"
        (folder / "ill.yaml").write_text(name + rest.removeprefix("{"))
        refused = call("subscriptions", "apply", "-f", str(folder), code=5)
        assert "ill.yaml" in refused.stderr, rest
        assert answer("subscriptions", "ls")["items"] == [], rest


def test_an_empty_folder_does_not_prune_everything(project: str, tmp_path: Path) -> None:
    subscribe("kept", "http://127.0.0.1:9/")
    refused = call("subscriptions", "apply", "-f", str(tmp_path), "--prune", "--yes", code=5)
    assert "no subscription in these files" in refused.stderr
    assert [s["name"] for s in answer("subscriptions", "ls")["items"]] == ["kept"]


def test_what_is_listed_can_be_applied(project: str, tmp_path: Path) -> None:
    subscribe("billing", "http://127.0.0.1:9/b", "--type", "order.created")
    saved = tmp_path / "all.yaml"
    saved.write_text(call("subscriptions", "ls", "-o", "yaml").stdout)
    assert states("subscriptions", "apply", "-f", str(saved)) == {"billing": "unchanged"}


def test_a_story_is_drawn_and_two_events_compared(project: str) -> None:
    with receiver(Behaviour()) as (url, _):
        subscribe("billing", f"{url}/hook", "--type", "order.created")
        subscribe("mail", f"{url}/mail", "--type", "order.shipped")
        emit = ("emit", "-t", "order.created", "-s", "/shop", "--wait", "20s")
        first = answer(*emit, "-d", '{"total": 1}')["uid"]
        second = answer(*emit, "-d", '{"total": 2}')["uid"]
    drawn = call("events", "get", second, "--timeline").stdout
    assert re.search(r"^✓ billing +.*█.*200, ", drawn, re.MULTILINE)
    assert re.search(r"^- mail .*type is order.created", drawn, re.MULTILINE)
    assert "1 of 2 matched" in drawn
    story = answer("events", "get", second, "--timeline")
    attempt = story["deliveries"][0]["attempts"][0]
    assert attempt["connection"]["address"] == "127.0.0.1"
    assert attempt["timings"]["firstByteMs"] > 0
    assert story["intake"]["durationMs"] > 0

    compared = answer("events", "diff", second)
    assert compared["left"] == first
    assert {"/id", "/time", "/data/total"} == {item["pointer"] for item in compared["items"]}
    assert call("events", "diff", second, first).stdout == call("events", "diff", second).stdout
    call("events", "diff", second, "no-uid", code=3)


def test_an_id_opens_what_it_names(project: str, running: LocalWeir, monkeypatch: pytest.MonkeyPatch) -> None:
    url = running.json("context", "show")["url"]
    monkeypatch.setenv("WEIR_URL", url)
    made = subscribe("billing", "http://127.0.0.1:9/")
    sent = answer("emit", "-t", "t", "-s", "/s", "-d", "{}")

    def place(*arguments: str) -> str:
        link = call("open", *arguments, "--print").stdout.strip()
        found = re.fullmatch(re.escape(url) + r"/sign-in/link#token=[^&]+&to=(.+)", link)
        assert found is not None, link
        return found[1].replace("%2F", "/")

    assert place(sent["uid"]) == f"/p/{project}/events/{sent['uid']}"
    assert place("billing") == place(made["id"]) == f"/p/{project}/subscriptions/{made['id']}"
    call("open", "019377d0-2c00-7a1c-8a60-7c1f9f6f3a10", "--print", code=3)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell: str) -> None:
    assert "_WEIR_COMPLETE" in call("completion", shell).stdout


def test_names_and_options_are_completed_without_loading_commands() -> None:
    import os

    def offered(words: str, place: int) -> list[str]:
        environment = {
            **os.environ,
            "_WEIR_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(place),
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("weir")],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert offered("weir subs", 1) == ["subscriptions"]
    assert {"apply", "diff", "test"} <= set(offered("weir subscriptions ", 2))
    assert "--prune" in offered("weir subscriptions apply --pr", 3)
