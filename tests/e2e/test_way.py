"""The way of an event, seen in the browser: sent, stored, matched, delivered, explained."""

import re

import httpx
from playwright.sync_api import expect

from tests.support.console import Console


def test_the_first_event_arrives_before_ones_eyes(console: Console) -> None:
    page = console.open("start")
    expect(page.get_by_text("Key local created")).to_be_visible()
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_text("3 of 3 done")).to_be_visible(timeout=20_000)
    sink = page.get_by_role("complementary", name="Built-in sink")
    expect(sink.get_by_text("ce-specversion")).to_be_visible()
    expect(sink.get_by_text("webhook-id")).to_be_visible()


def test_the_command_shown_works_as_it_stands(console: Console) -> None:
    page = console.open("start")
    shown = page.get_by_role("tabpanel", name="curl").inner_text()
    address = re.search(r"curl (\S+)", shown)
    assert address is not None
    headers = dict(re.findall(r"-H ['\"]([^:]+): ([^'\"]+)['\"]", shown))
    headers["Authorization"] = f"Bearer {console.context['apiKey']}"
    body = re.search(r"-d '(.+)'", shown)
    assert body is not None
    answer = httpx.post(address.group(1), headers=headers, content=body.group(1))
    assert answer.status_code == 202


def test_an_event_tells_its_whole_story(console: Console) -> None:
    console.subscribe("story-ok", f"{console.context['url']}/sink/default", "--type", "e2e.story")
    console.subscribe(
        "story-dead",
        "http://127.0.0.1:9/closed",
        "--type",
        "e2e.story",
        "--delivery",
        '{"retry": 1, "backoffDelay": "PT0.1S"}',
    )
    console.subscribe("story-other", f"{console.context['url']}/sink/default", "--type", "e2e.other")
    uid = console.emit("e2e.story", {"order": "A-1", "total": {"amount": 689.50}}, "--subject", "orders/A-1")

    page = console.open("events?type=e2e.story")
    grid = page.get_by_role("grid")
    expect(grid.get_by_text("orders/A-1")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("complementary", name="Event preview")).to_contain_text("story-ok")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(uid))

    waterfall = page.get_by_role("region", name="Waterfall")
    for name in ("story-ok", "story-dead", "story-other"):
        expect(waterfall.get_by_text(re.compile(name))).to_be_visible()
    expect(waterfall.get_by_text("e2e.other")).to_be_visible()
    expect(page.get_by_text("1 dead", exact=True)).to_be_visible()
    data = page.get_by_role("tabpanel", name="Data")
    expect(data).to_contain_text('"A-1"')
    page.get_by_role("tab", name=re.compile("Attributes")).click()
    expect(page.get_by_role("tabpanel", name="Attributes")).to_contain_text("e2e.story")

    waterfall.get_by_role("button", name="Attempt 2").click()
    panel = page.get_by_role("complementary", name="Delivery")
    expect(panel).to_contain_text("story-dead")
    expect(panel).to_contain_text("9/closed")


def test_dead_letters_are_one_tab_away(console: Console) -> None:
    console.subscribe("dead-end", "http://127.0.0.1:9/", "--type", "e2e.dead", "--delivery", '{"retry": 0}')
    console.emit("e2e.dead", {})
    page = console.open("deliveries")
    page.get_by_role("tab", name="Dead letter").click()
    expect(page).to_have_url(re.compile("status=dead"))
    row = page.get_by_role("row").filter(has_text="dead-end").first
    row.click()
    expect(page.get_by_role("complementary", name="Delivery")).to_contain_text("Attempt 1")


def test_new_events_wait_behind_a_pill_until_they_are_asked_for(console: Console) -> None:
    console.emit("e2e.pill", {"n": 1}, "--subject", "first", wait=False)
    page = console.open("events?type=e2e.pill")
    expect(page.get_by_role("grid").get_by_text("first")).to_be_visible()
    console.emit("e2e.pill", {"n": 2}, "--subject", "second", wait=False)
    pill = page.get_by_role("button", name=re.compile("1 new"))
    expect(pill).to_be_visible()
    expect(page.get_by_role("grid").get_by_text("second")).to_have_count(0)
    pill.click()
    expect(page.get_by_role("grid").get_by_text("second")).to_be_visible()


def test_lists_say_why_they_are_empty(console: Console) -> None:
    page = console.open("events?type=e2e.never-sent")
    expect(page.get_by_text(re.compile("match", re.IGNORECASE)).first).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="e2e.never-sent")).to_have_count(0)
