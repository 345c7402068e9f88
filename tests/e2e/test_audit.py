"""Who changed what, read in the browser: from the list to the diff, and back to the earlier version."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from shared.audit import chain
from tests.support.console import Console

SINK = "https://crm-sync.acme.test/{}/events"
FILTERS = [{"exact": {"type": "e2e.audit"}}]
"""Nobody sends any, so that nothing is delivered to where nobody is."""


def changed_subscription(console: Console, name: str) -> str:
    """A subscription that was created and changed by a key; its id."""
    made = console.ask(
        "POST",
        "/subscriptions",
        {"name": name, "filters": FILTERS, "sink": SINK.format("v1"), "delivery": {"retry": 5}},
    )
    body = {"filters": FILTERS, "sink": SINK.format("v2"), "delivery": {"retry": 6}}
    console.ask("PUT", f"/subscriptions/{made['id']}", body)
    return str(made["id"])


def panel(page: Page):
    return page.get_by_role("complementary", name="Change")


def test_a_change_is_read_and_taken_back(console: Console) -> None:
    identity = changed_subscription(console, "audit-crm")
    page = console.open("audit")
    expect(page.get_by_role("link", name="Audit")).to_have_attribute("aria-current", "page")
    rows = page.get_by_role("region", name="Changes, newest first")
    expect(rows.get_by_role("heading").first).to_contain_text(", UTC")
    rows.get_by_role("button", name=re.compile("changed subscription audit-crm")).click()
    expect(page).to_have_url(re.compile(r"entry=[0-9a-f-]{36}"))

    shown = panel(page)
    expect(shown.get_by_role("heading", level=2)).to_have_text(re.compile("changed subscription audit-crm"))
    expect(shown.get_by_role("heading", name="2 values changed")).to_be_visible()
    expect(shown.locator("dl").first).to_contain_text("/delivery/retry")
    diff = shown.get_by_role("region", name="subscription as YAML")
    expect(diff).to_contain_text("removed: sink: https://crm-sync.acme.test/v1/events")
    expect(diff).to_contain_text("added: sink: https://crm-sync.acme.test/v2/events")
    shown.get_by_role("radiogroup", name="View").get_by_text("Before").click()
    expect(diff).to_contain_text("retry: 5")
    expect(diff).not_to_contain_text("retry: 6")
    expect(shown.get_by_text("rev 1 → 2")).to_be_visible()

    shown.get_by_role("button", name="Restore the earlier version…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("/sink")
    expect(dialog).to_contain_text("2 values would change")
    dialog.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Restored audit-crm, now revision 3")).to_be_visible()
    expect(
        rows.get_by_role("button", name=re.compile("Owner changed subscription audit-crm"))
    ).to_be_visible()
    found = console.weir.json("subscriptions", "get", identity)
    assert (found["sink"], found["delivery"]["retry"]) == (SINK.format("v1"), 5)

    panel(page).get_by_role("link", name="Open subscription").click()
    expect(page).to_have_url(re.compile(f"/subscriptions/{identity}"))


def test_filters_are_in_the_address(console: Console) -> None:
    changed_subscription(console, "audit-filtered")
    page = console.open("audit")
    rows = page.get_by_role("region", name="Changes, newest first")
    page.get_by_role("button", name="Kind").click()
    page.get_by_role("menuitemcheckbox", name="subscription").click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("kind=subscription"))
    expect(rows.get_by_role("button", name=re.compile("created API key"))).to_have_count(0)
    page.get_by_label("Search the audit log").fill("AUDIT-FILTERED")
    expect(page).to_have_url(re.compile("q=AUDIT-FILTERED"))
    expect(rows.get_by_role("button")).to_have_count(2)
    page.reload()
    expect(rows.get_by_role("button")).to_have_count(2)
    page.get_by_label("Search the audit log").fill("nothing has this")
    expect(page.get_by_text("No match")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(rows.get_by_role("button").first).to_be_visible()
    assert "q=" not in page.url


def test_what_is_exported_holds(console: Console, tmp_path: Path) -> None:
    changed_subscription(console, "audit-exported")
    page = console.open("audit?since=any")
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as begun:
        page.get_by_role("menuitem", name="As NDJSON").click()
    begun.value.save_as(tmp_path / "audit.ndjson")
    assert re.fullmatch(r"audit-default-[\d-]{10}\.ndjson", begun.value.suggested_filename)
    rows = [chain.read(line) for line in (tmp_path / "audit.ndjson").read_text().splitlines()]
    assert chain.verify(rows).broken is None
    assert "audit-exported" in json.dumps(rows)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("menuitem", name="Verify the chain").click()
    expect(page.get_by_text(re.compile(r"All [\d,]+ entries hold"))).to_be_visible()


def test_a_viewer_is_told_whom_it_is_for(console: Console) -> None:
    console.enter("read-audit", "viewer")
    page = console.open("audit")
    expect(page.get_by_text("Not for everybody")).to_be_visible()
    expect(page.get_by_role("button", name="Export")).to_have_count(0)


def test_on_a_narrow_screen_a_change_fills_it(open_console) -> None:
    console = open_console(viewport={"width": 390, "height": 844})
    changed_subscription(console, "audit-narrow")
    page = console.open("audit")
    page.get_by_role("button", name=re.compile("changed subscription audit-narrow")).click()
    expect(panel(page).get_by_role("heading", name="2 values changed")).to_be_visible()
    box = panel(page).bounding_box()
    assert box is not None
    assert box["width"] == 390
    panel(page).get_by_role("button", name="Close").click()
    expect(panel(page)).to_have_count(0)
