"""axe-core finds nothing on any page in any of its states, in both themes, wide and narrow."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.console import Console
from tests.support.places import ELSEWHERE, PLACES, Place, Things, furnish, routes
from tests.support.weir import LocalWeir

WIDE, NARROW, NARROWEST = (
    {"width": 1440, "height": 900},
    {"width": 390, "height": 844},
    {"width": 320, "height": 640},
)
OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that a theme can break; all others see the same page in both."""
ASKED = re.compile(r"/v1/(projects/|me/)")
"""What pages ask for, without what signs in and says who one is."""

LOOKED_AT, EMPTY, VIEWED = "looked-at", "looked-at-empty", "looked-at-by-a-viewer"
"""Projects with one of everything, with nothing, and with one of everything for somebody who may only read."""


class Projects:
    """The projects that are looked at, made once."""

    def __init__(self, page: Page, weir: LocalWeir) -> None:
        """Make them, and put into two of them what there is to see."""
        self.keys: dict[str, dict[str, str]] = {}
        self.things: dict[str, Things] = {}
        for project, role in ((LOOKED_AT, "owner"), (EMPTY, "owner"), (VIEWED, "viewer")):
            maker = Console(page, weir)
            maker.enter(project, role)
            self.keys[project] = maker.context
            if project != EMPTY:
                self.things[project] = furnish(maker)

    def enter(self, console: Console, project: str) -> Console:
        """Have the console of a test go to places of that project."""
        console.project, console.context = project, self.keys[project]
        return console


@pytest.fixture(scope="module")
def projects(weir: LocalWeir, browser: Browser) -> Projects:
    """The projects to look at."""
    with browser.new_page() as page:
        return Projects(page, weir)


def wrong(console: Console, axe: str) -> list[object]:
    """What is wrong with the page as it is: at each width, in each theme, and with how it is laid out."""
    page = console.page
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    found: list[object] = [*console.violations(axe)]
    page.emulate_media(color_scheme="dark")
    found += console.violations(axe, *OF_COLOURS)
    page.set_viewport_size(NARROW)
    found += console.violations(axe)
    page.set_viewport_size(NARROWEST)
    if (width := page.evaluate("document.documentElement.scrollWidth")) > NARROWEST["width"]:
        found.append(f"{width} wide on a screen of {NARROWEST['width']}")
    headings, mains = (page.locator(name).count() for name in ("h1", "main"))
    if (headings, mains) != (1, 1):
        found.append(f"{headings} headings of the first level, {mains} main parts")
    return found


def look(
    console: Console, axe: str, places: list[str], settled: Callable[[Page], None]
) -> dict[str, list[object]]:
    """Go to each place, wait until it has settled, and tell what is wrong there."""
    found = {}
    for place in places:
        console.page.set_viewport_size(WIDE)
        console.go(place)
        settled(console.page)
        if faults := wrong(console, axe):
            found[place] = faults
    return found


def loaded(page: Page) -> None:
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def loading(page: Page) -> None:
    expect(page.locator("main [aria-busy=true]").first).to_be_visible()


def failed(page: Page) -> None:
    alert = page.locator("main").get_by_role("alert").first
    expect(alert).to_contain_text("It is written down under 4bf92f35")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()


@contextmanager
def held_back(page: Page) -> Iterator[None]:
    """Nothing that a page asks for is answered meanwhile."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(ASKED, hold)
    yield
    page.goto("about:blank")
    for route in held:
        # The page that asked has gone: whatever is said, nobody hears it.
        route.abort()


def test_every_route_is_looked_at(console: Console) -> None:
    assert routes(console.page) == PLACES.keys() | ELSEWHERE.keys()


def test_nothing_is_wrong_where_there_is_something(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), LOOKED_AT)
    places = [one for place in PLACES.values() for one in place.shown(projects.things[LOOKED_AT])]
    assert look(console, axe, places, loaded) == {}


def test_nothing_is_wrong_where_nothing_matches(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), LOOKED_AT)
    places = [one for place in PLACES.values() for one in place.unmatched]
    assert look(console, axe, places, loaded) == {}


def test_nothing_is_wrong_where_nothing_was_yet(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), EMPTY)
    places = [one for place in PLACES.values() for one in place.bare]
    assert look(console, axe, places, loaded) == {}


def first(projects: Projects, project: str, kept: Callable[[Place], bool]) -> list[str]:
    """One address of each page that is kept."""
    return [place.shown(projects.things[project])[0] for place in PLACES.values() if kept(place)]


def test_nothing_is_wrong_for_who_may_only_read(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), VIEWED)
    refused: list[str] = []
    console.page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    places = first(
        projects, VIEWED, lambda place: not place.shown(projects.things[VIEWED])[0].startswith("/")
    )
    assert look(console, axe, places, loaded) == {}
    # A page knows what its reader may not see, and says so without asking for it.
    assert refused == []


def test_nothing_is_wrong_while_it_loads(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), LOOKED_AT)
    with held_back(console.page):
        assert look(console, axe, first(projects, LOOKED_AT, lambda place: place.asks), loading) == {}


@pytest.mark.refused("responded with a status of 500")
def test_nothing_is_wrong_where_it_fails(
    axe: str, projects: Projects, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), LOOKED_AT)
    problem = {
        "type": "about:blank",
        "title": "Something went wrong here",
        "status": 500,
        "detail": "It is written down under 4bf92f35.",
    }
    console.page.route(ASKED, lambda route: route.fulfill(status=500, json=problem))
    assert look(console, axe, first(projects, LOOKED_AT, lambda place: place.asks), failed) == {}


@pytest.mark.away
def test_nothing_is_wrong_on_the_way_in(
    axe: str, weir: LocalWeir, open_console: Callable[..., Console]
) -> None:
    console = open_console()
    page = console.page
    away = {"type": "about:blank", "title": "A store is away", "status": 503, "detail": "Try again soon."}
    page.route(re.compile(r"/v1/auth/refresh"), lambda route: route.fulfill(status=503, json=away))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("A store is away")
    assert wrong(console, axe) == []


def unfold(page: Page) -> None:
    """Open everything that the editor of a subscription keeps closed."""
    for title in ("Signature", "Transform", "Headers"):
        page.get_by_role("button", name=title).click()
    page.get_by_label("Own certificates for TLS").check(force=True)
    page.get_by_label("Client certificate").fill("no certificate")
    expect(page.get_by_role("region", name="What is sent instead")).to_contain_text("specversion")
    page.get_by_role("button", name="Send test event").click()
    page.get_by_role("button", name="Request and response").click()
    expect(page.get_by_role("status", name="Test event")).to_contain_text("POST ")


def in_both_themes(console: Console, axe: str) -> list[object]:
    """What axe-core finds wrong on the page as it is, in either theme."""
    found: list[object] = [*console.violations(axe)]
    console.page.emulate_media(color_scheme="dark")
    found += console.violations(axe, *OF_COLOURS)
    console.page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_in_what_unfolds(
    size: dict[str, int], projects: Projects, axe: str, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(viewport=size), LOOKED_AT)
    page = console.open(f"subscriptions/{projects.things[LOOKED_AT].written[-1]}")
    unfold(page)
    assert in_both_themes(console, axe) == []
    page.get_by_role("radiogroup", name="View of the filter").get_by_text("CESQL", exact=True).click()
    page.get_by_label("Filter as CESQL").fill("type = = 'a'")
    expect(page.get_by_text("Line 1, column 8")).to_be_visible()
    page.get_by_role("radiogroup", name="View of the filter").get_by_text("Rows", exact=True).click()
    assert in_both_themes(console, axe) == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_where_many_are_sent_again(
    size: dict[str, int], projects: Projects, axe: str, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(viewport=size), LOOKED_AT)
    page = console.open("deliveries?type=e2e.seen")
    if size == NARROW:
        page.get_by_role("button", name="Select").click()
    page.get_by_role("checkbox", name="Select row 1").check(force=True)
    expect(page.get_by_role("toolbar", name="Selected rows")).to_be_visible()
    assert in_both_themes(console, axe) == []
    page.get_by_role("button", name="Replay to…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Replay 1")).to_be_enabled()
    assert in_both_themes(console, axe) == []
    if size == NARROW:
        dialog.get_by_label("To", exact=True).select_option("An address")
    else:
        dialog.get_by_role("radiogroup", name="To").get_by_text("An address").click()
    expect(dialog.get_by_role("textbox", name="Address")).to_be_visible()
    assert in_both_themes(console, axe) == []


def test_axe_finds_nothing_in_what_opens_over_the_events(
    projects: Projects, axe: str, open_console: Callable[..., Console]
) -> None:
    console = projects.enter(open_console(), LOOKED_AT)
    page = console.open("events?facets=open&type=e2e.seen")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.get_by_role("combobox", name="Search events").fill("sub")
    expect(page.get_by_role("option", name="subject:")).to_be_visible()
    assert in_both_themes(console, axe) == []
    page.get_by_role("combobox", name="Search events").fill("")
    page.get_by_role("group", name="Events over time").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider", name="End of the span")).to_be_focused()
    assert in_both_themes(console, axe) == []
    page.keyboard.press("Escape")
    for name in ("Time range", "Saved searches"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert in_both_themes(console, axe) == []
        page.keyboard.press("Escape")
    for key, name in (("Control+k", "Search or jump"), ("?", "Keys")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert in_both_themes(console, axe) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
