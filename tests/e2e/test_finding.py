"""Finding events in the browser: a view that can be sent to a colleague, and everything by keyboard alone."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.console import Console

COUNTRIES = ("NO", "DE", "DE", "FR")


@pytest.fixture
def shop(console: Console) -> Console:
    """A project of its own with 24 events; those that are refunds end as dead letters."""
    console.enter(f"finding-{console.page.evaluate('Date.now()')}", "owner")
    for kind in ("order.paid", "refund.issued"):
        console.ask("PUT", f"/types/com.acme.{kind}", {"facets": {"country": "/country"}})
    sink = "http://127.0.0.1:9/"
    console.ask(
        "POST",
        "/subscriptions",
        {
            "name": "refunds",
            "sink": sink,
            "filters": [{"exact": {"type": "com.acme.refund.issued"}}],
            "delivery": {"retry": 0},
        },
    )
    send(console, [event(number) for number in range(24)])
    return console


def event(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "/shop/eu-1" if number % 2 else "/shop/eu-2",
        "type": "com.acme.refund.issued" if number % 4 == 0 else "com.acme.order.paid",
        "subject": f"orders/A-{number}",
        "data": {"country": COUNTRIES[number % 4], "number": number},
    }


def send(console: Console, events: list[dict[str, Any]]) -> None:
    headers = {
        "authorization": f"Bearer {console.context['apiKey']}",
        "content-type": "application/cloudevents-batch+json",
    }
    url = f"{console.context['url']}/in/{console.project}"
    httpx.post(url, json=events, headers=headers).raise_for_status()


def seen(page: Page) -> dict[str, Any]:
    """What a view shows."""
    grid = page.get_by_role("grid")
    return {
        "range": page.get_by_role("button", name="Time range").inner_text(),
        "chips": [
            chip.get_attribute("aria-label") for chip in page.get_by_role("button", name="Remove ").all()
        ],
        "columns": grid.get_by_role("columnheader").all_inner_texts(),
        "rows": grid.get_by_role("row").all_inner_texts(),
        "open": page.get_by_role("complementary", name="Event preview")
        .get_by_role("heading")
        .first.inner_text(),
        "found": page.get_by_role("group", name="Outcome").inner_text(),
    }


def test_a_colleagues_link_opens_the_same_view(shop: Console, open_console: Callable[..., Console]) -> None:
    page = shop.open("events")
    field = page.get_by_role("combobox", name="Search events")
    field.fill("type:com.acme.*")
    field.press("Enter")
    expect(page.get_by_role("button", name="Remove type starts with com.acme.")).to_be_visible()

    # A name is completed, and its value offered with it.
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    facets = page.get_by_role("complementary", name="Facets")
    expect(facets.get_by_role("checkbox", name=re.compile("^NO"))).to_be_visible()
    # The last dead letter may be a moment behind.
    dead = facets.get_by_role("checkbox", name=re.compile("Some dead 6$"))
    expect(dead).to_be_attached(timeout=30_000)
    facets.get_by_role("checkbox", name=re.compile("^NO")).click(force=True)
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(7)
    facets.get_by_role("checkbox", name=re.compile("^DE")).click(force=True)
    expect(page.get_by_role("button", name="Remove data /country or DE")).to_be_visible()
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(19)
    # A group's own choice does not narrow its counts.
    expect(facets.get_by_role("checkbox", name=re.compile("^FR 6$"))).to_be_attached()

    # A span of the histogram says what is in it before it becomes the range.
    plot = page.get_by_role("group", name=re.compile("Events over time"))
    plot.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    for _ in range(5):
        page.get_by_role("slider", name="Start of the span").press("ArrowLeft")
    expect(page.get_by_role("button", name=re.compile("18 events, 6 dead.*zoom"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+ bars selected, .* each$"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"since=\d{4}-.*&until=\d{4}-"))
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(19)

    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitemcheckbox", name="Source").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="Source")).to_have_count(0)
    page.get_by_role("row").filter(has_text="orders/A-8").click()
    preview = page.get_by_role("complementary", name="Event preview")
    expect(preview).to_contain_text("com.acme.refund.issued")
    expect(facets).to_have_count(0)

    colleague = open_console()
    other = colleague.page
    other.goto(page.url)
    expect(other.get_by_role("complementary", name="Event preview")).to_contain_text("com.acme.refund.issued")
    expect(other.get_by_role("grid").get_by_role("row")).to_have_count(19)
    expect(other.get_by_role("group", name="Outcome")).to_contain_text("Some dead 6")
    assert seen(other) == seen(page)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(80):
        page.keyboard.press("Tab")
        said = page.evaluate(
            "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        )
        if said and re.search(name, said):
            return
    pytest.fail(f"Tab does not reach {name}")


def test_everything_on_the_events_page_works_by_keyboard(shop: Console) -> None:
    page = shop.open("start")
    keys = page.keyboard
    keys.press("g")
    keys.press("e")
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    grid = page.get_by_role("grid")
    expect(grid.get_by_role("row")).to_have_count(25)

    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # Typing completes: a name, then one of its values.
    keys.press("/")
    keys.type("cou")
    keys.press("ArrowDown")
    keys.press("Enter")
    keys.type("N")
    page.get_by_role("option", name="NO").wait_for()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Remove data /country is NO")).to_be_visible()
    expect(grid.get_by_role("row")).to_have_count(7)
    # Backspace in the empty field takes the last condition away.
    keys.press("Backspace")
    expect(grid.get_by_role("row")).to_have_count(25)
    keys.type("A-20")
    keys.press("Enter")
    expect(grid.get_by_role("row")).to_have_count(2)
    keys.press("Escape")

    keys.press("j")
    expect(page.get_by_role("complementary", name="Event preview")).to_contain_text("orders/A-20")
    keys.press("x")
    expect(page.get_by_role("toolbar", name="Selected rows")).to_contain_text("1 selected")
    keys.press("Escape")
    keys.press("Escape")
    expect(page.get_by_role("toolbar", name="Selected rows")).to_have_count(0)
    keys.press("j")
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/events/[0-9a-f-]{36}"))
    uid = page.url.split("/events/")[1].split("?")[0]

    # The range, with Tab, Enter and Escape.
    keys.press("g")
    keys.press("e")
    expect(grid.get_by_role("row")).to_have_count(25)
    tab_to(page, "Time range")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Last 24 h")).to_be_visible()
    tab_to(page, "Last 24 h")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("since=24h"))

    # A name, an action and a pasted id in the palette.
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump")).to_be_focused()
    keys.type("refunds")
    expect(page.get_by_role("option", name=re.compile("^refunds"))).to_have_attribute("aria-selected", "true")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/subscriptions/[0-9a-f-]{36}"))
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump")).to_be_focused()
    keys.type("pause refunds")
    expect(page.get_by_role("option", name=re.compile("^Pause refunds"))).to_have_attribute(
        "aria-selected", "true"
    )
    keys.press("Enter")
    expect(page.get_by_text("Paused refunds: what matches waits")).to_be_visible()
    # What sends something opens its dry run, wherever one is.
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump")).to_be_focused()
    keys.type("retry refunds")
    expect(page.get_by_role("option", name=re.compile("^Retry dead letters of refunds…"))).to_have_attribute(
        "aria-selected", "true"
    )
    keys.press("Enter")
    expect(page.get_by_role("dialog", name="Retry 6 dead letters")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Search or jump")).to_be_focused()
    page.evaluate(
        """text => {
            const data = new DataTransfer()
            data.setData('text', text)
            const field = document.activeElement
            field.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}))
            field.value = text
            field.dispatchEvent(new Event('input', {bubbles: true}))
        }""",
        uid,
    )
    expect(page).to_have_url(re.compile(f"/events/{uid}"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_search_is_kept_for_everybody_and_opens_as_it_was(shop: Console) -> None:
    page = shop.open("events?country=x&facet=country:FR&since=7d")
    page.get_by_role("button", name="Saved searches").click()
    page.get_by_role("button", name="Save this search").click()
    page.get_by_label("Name").fill("France")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved France")).to_be_visible()
    page = shop.open("events?type=com.acme.nothing")
    expect(page.get_by_text("No match in the last hour")).to_be_visible()
    page.get_by_role("button", name="Saved searches").click()
    page.get_by_role("button", name="France", exact=True).click()
    expect(page.get_by_role("button", name="Remove data /country is FR")).to_be_visible()
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(7)
    expect(page).to_have_url(re.compile("since=7d"))


def test_an_empty_list_says_which_kind_of_empty_it_is(shop: Console) -> None:
    page = shop.open("events?type=com.acme.nothing")
    expect(page.get_by_text("No match in the last hour")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(25)

    shop.ask("PUT", "/retention", {"retentionDays": 30})
    page = shop.open("events?until=2026-01-01T00:00:00Z")
    expect(page.get_by_text("Past retention")).to_be_visible()

    shop.enter(f"{shop.project}-new", "owner")
    page = shop.open("events")
    expect(page.get_by_text("No events yet")).to_be_visible()
    expect(page.get_by_role("link", name="Show the command")).to_be_visible()
