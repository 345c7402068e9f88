"""A bad day worked through without a mouse: nothing traps the focus, nothing loses it, and one always sees where it is."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.test_again import send, subscribe
from tests.support.console import Console
from tests.support.receiver import Receiver

FURTHEST = 80
"""So many stops no page has between two things that belong together."""

RINGED = """() => {
  let element = document.activeElement
  if (!element || element === document.body) return 'nothing has the focus'
  // A field draws the ring around its input, a check around its box, a ribbon of the diagram along its way.
  for (let up = 0; element && up < 3; up += 1, element = element.parentElement) {
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    if (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) return ''
  }
  const way = document.activeElement.querySelector('path')
  if (way && getComputedStyle(way).stroke !== 'none') return ''
  return `no ring: ${document.activeElement.outerHTML.slice(0, 200)}`
}"""


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press the tab key until that has the focus; at each stop on the way one sees where one is."""
    expect(wanted).to_be_visible()
    for _ in range(FURTHEST):
        page.keyboard.press(key)
        assert page.evaluate(RINGED) == ""
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by {key}")


def test_a_bad_day_is_worked_through_by_keys_alone(console: Console) -> None:
    console.enter("worked-by-keys", "operator")
    with Receiver() as sink:
        subscribe(console, "by-keys", sink.url, "keys.order")
        send(console, "keys.order", 12)
        page = console.open("events?type=keys.order")
        expect(page.get_by_role("grid", name="Events").get_by_role("row")).to_have_count(13)

        # From row to row: each is heard, and the panel that opens takes nothing from who goes on.
        for row in (2, 3):
            page.keyboard.press("j")
            expect(page.locator(f"[aria-rowindex='{row}']")).to_be_focused()
            assert page.evaluate(RINGED) == ""
        panel = page.get_by_role("complementary", name="Event preview")
        tab_to(page, panel.get_by_role("button", name="Close"))
        page.keyboard.press("Enter")
        expect(panel).to_have_count(0)
        expect(page.locator("[aria-rowindex='3']")).to_be_focused()
        page.keyboard.press("Enter")
        expect(panel).to_be_visible()
        page.keyboard.press("Enter")

        # The page of the event: the next key is for it.
        expect(page).to_have_url(re.compile(r"/events/[0-9a-f-]{36}$"))
        expect(page.get_by_role("heading", name="keys.order", level=1)).to_be_visible()
        expect(page.get_by_role("main")).to_be_focused()
        replay = page.get_by_role("button", name="Replay to…")
        tab_to(page, replay)
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("button", name="Replay 1")).to_be_enabled()
        page.keyboard.press("Escape")
        expect(replay).to_be_focused()
        tab_to(page, page.get_by_role("tab", name="Data"))
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Attributes")).to_be_focused()

        # All of them again, slowly.
        for key in ("g", "y"):
            page.keyboard.press(key)
        expect(page.get_by_role("main")).to_be_focused()
        tab_to(page, page.get_by_role("button", name="Replay…"))
        page.keyboard.press("Enter")
        tab_to(page, dialog.get_by_label("Rate per sink"))
        page.keyboard.press("Home")
        start = dialog.get_by_role("button", name="Replay 12")
        expect(start).to_be_enabled()
        tab_to(page, start)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/replays/[0-9a-f-]{36}$"))
        tab_to(page, page.get_by_role("button", name="Pause"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Resume")).to_be_focused()

        # Live, held by the space bar; then by the palette to the flow, and along one way of it.
        for key in ("g", "l"):
            page.keyboard.press(key)
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        page.keyboard.press("Control+k")
        expect(page.get_by_role("dialog", name="Search or jump")).to_be_visible()
        page.keyboard.type("flow")
        expect(page.get_by_role("option", name="Flow").first).to_be_visible()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/flow$"))
        node = page.get_by_role("button", name=re.compile("^by-keys .*subscription"))
        tab_to(page, node)
        page.keyboard.press("Enter")
        expect(node).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(node).to_have_attribute("aria-pressed", "false")
        expect(node).to_be_focused()


def test_nothing_moves_for_who_wants_no_motion(open_console: Callable[..., Console]) -> None:
    page = open_console(reduced_motion="reduce").page
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search or jump")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
