"""The built console in Debian's Chromium, on a Weir that `weir up` has started."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.support.console import AXE, Console
from tests.support.weir import LocalWeir

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)

# On a busy machine a condition may take as long to hold as a click may take to be possible.
PATIENCE_MS = 10_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no chromium: `make install` installs Debian's when run as root")
        pytest.skip("there is no chromium on this machine")
    return found


@pytest.fixture(scope="session")
def weir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWeir]:
    local = LocalWeir(tmp_path_factory.mktemp("e2e") / "home")
    local.up()
    yield local
    local.kill()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(chromium: str, playwright: Playwright) -> Iterator[Browser]:
    opened = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
    yield opened
    opened.close()


@pytest.fixture
def new_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Makes pages of their own contexts; a page that writes an error to its console fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(**options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()
    # Chromium writes every answer down that is not 2xx; refusals are what some tests ask for.
    refusals = ["responded with a status of 4"]
    if request.node.get_closest_marker("away"):
        refusals.append("responded with a status of 503")
    for mark in request.node.iter_markers("refused"):
        refusals.extend(mark.args)
    assert [fault for fault in faults if not any(refusal in fault for refusal in refusals)] == []


@pytest.fixture
def open_console(weir: LocalWeir, new_page: Callable[..., Page]) -> Callable[..., Console]:
    """Opens the console in the project `default`, with the owner signed in by a link.

    Each has a session of its own: a refresh token that two browsers show would end the session of both.
    """

    def make(**options: object) -> Console:
        page = new_page(**options)
        page.goto(weir.run("open", "--print").stdout.strip())
        page.wait_for_url("**/p/default/**")
        return Console(page, weir)

    return make


@pytest.fixture
def console(open_console: Callable[..., Console]) -> Console:
    """The console on a usual screen."""
    return open_console()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's program text."""
    return AXE.read_text()
