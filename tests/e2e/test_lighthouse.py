"""Lighthouse finds nothing against the console's accessibility and its practices; how fast it finds it is written down."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from cli.local.servers import free_port
from tests.e2e.conftest import ARGUMENTS
from tests.support.served import ROOT
from tests.support.weir import LocalWeir

FOLDER = ROOT / "tests/lighthouse"
PLACES = ("overview", "flow", "events", "deliveries", "live")


@pytest.fixture
def port(chromium: str, playwright: Playwright, weir: LocalWeir, tmp_path: Path) -> Iterator[int]:
    """Where a browser listens in which the owner is signed in.

    Each page has a session of its own: Lighthouse leaves a page whenever it has seen enough, and where that was in the
    middle of a refresh, the token that is left would be taken for a stolen one.
    """
    found = free_port()
    context = playwright.chromium.launch_persistent_context(
        str(tmp_path),
        executable_path=chromium,
        args=[*ARGUMENTS, f"--remote-debugging-port={found}"],
    )
    page = context.new_page()
    page.goto(weir.run("open", "--print").stdout.strip())
    page.wait_for_url("**/p/default/**")
    # Two pages that refresh one session at the same moment would end it.
    page.goto("about:blank")
    yield found
    context.close()


@pytest.mark.parametrize("place", PLACES)
def test_a_page_is_accessible_and_well_made(weir: LocalWeir, port: int, place: str) -> None:
    weir.json("emit", "-t", "e2e.lighthouse", "-s", "/e2e", "-d", "{}")
    url = f"{weir.json('context', 'show')['url']}/p/default/{place}"
    done = subprocess.run(
        ["node", FOLDER / "audit.mjs", str(port), url],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    note(place, found)
    assert found["url"].startswith(url)
    assert (found["scores"]["accessibility"], found["scores"]["best-practices"]) == (100, 100), found["lost"]


def note(place: str, found: dict[str, object]) -> None:
    """How fast a page is depends on the machine: it is written down, and fails nothing."""
    kept = ROOT / "build/lighthouse.json"
    kept.parent.mkdir(exist_ok=True)
    figures = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps({**figures, place: found}, indent=1, sort_keys=True))
