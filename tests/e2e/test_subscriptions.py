"""A subscription: written with the verdict beside it, saved, paused, changed, deleted."""

import re

import yaml
from playwright.sync_api import expect

from tests.support.console import Console


def test_a_subscription_is_made_while_its_filter_is_tried_on_stored_events(console: Console) -> None:
    for number in range(3):
        console.emit("e2e.preview", {"n": number}, "--subject", f"orders/{number}", wait=False)
    page = console.open("subscriptions")
    page.get_by_role("link", name="Create subscription").first.click()
    preview = page.get_by_role("complementary", name="Preview on stored events")
    page.get_by_role("button", name="Condition").click()
    page.get_by_label("Attribute").first.fill("type")
    page.get_by_label("Value").first.fill("e2e.preview")
    expect(preview).to_contain_text(re.compile(r"3 of last \d+"))
    page.get_by_label("Address").fill(f"{console.context['url']}/sink/default")
    page.get_by_label("Name").last.fill("made-in-browser")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page).to_have_url(re.compile(r"/subscriptions/[0-9a-f-]{36}$"))

    uid = console.emit("e2e.preview", {"n": 9})
    story = console.weir.json("events", "get", uid)
    assert [d["status"] for d in story["deliveries"] if d["subscriptionName"] == "made-in-browser"] == [
        "delivered"
    ]


def test_a_change_shows_its_difference_before_it_is_saved(console: Console) -> None:
    console.emit("e2e.diff", {}, "--subject", "a", wait=False)
    console.emit("e2e.diff", {}, "--subject", "b", wait=False)
    made = console.subscribe(
        "diff",
        f"{console.context['url']}/sink/default",
        "--filters",
        '[{"exact": {"type": "e2e.diff"}}, {"exact": {"subject": "a"}}]',
    )
    page = console.open(f"subscriptions/{made}")
    preview = page.get_by_role("complementary", name="Preview on stored events")
    expect(preview).to_contain_text("1 of last")
    page.get_by_label("Value").nth(1).fill("b")
    expect(preview).to_contain_text("+1")
    expect(preview).to_contain_text("\u22121")
    page.get_by_role("button", name="Discard").click()
    expect(preview).not_to_contain_text("\u22121")


def test_what_the_server_refuses_is_said_beside_the_field(console: Console) -> None:
    page = console.open("subscriptions/new")
    page.get_by_label("Address").fill("ftp://example.com")
    page.get_by_label("Name").last.fill("refused")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page.get_by_text(re.compile("http or https"))).to_be_visible()
    assert not [s for s in console.weir.json("subscriptions", "ls")["items"] if s["name"] == "refused"]


def test_pause_holds_and_activation_releases(console: Console) -> None:
    console.subscribe("held", f"{console.context['url']}/sink/default", "--type", "e2e.held")
    page = console.open("subscriptions")
    page.get_by_role("button", name="Pause held").click()
    expect(page.get_by_role("row").filter(has_text="held").get_by_text("Paused")).to_be_visible()
    uid = console.emit("e2e.held", {}, wait=False)
    page = console.open(f"events/{uid}")
    expect(page.get_by_text("1 pending")).to_be_visible(timeout=15_000)
    page = console.open("subscriptions")
    page.get_by_role("button", name="Activate held").click()
    page = console.open(f"events/{uid}")
    expect(page.get_by_text("1 delivered")).to_be_visible(timeout=15_000)


def test_a_test_event_shows_what_the_sink_says(console: Console) -> None:
    made = console.subscribe("tried", f"{console.context['url']}/sink/default", "--type", "e2e.tried")
    page = console.open(f"subscriptions/{made}")
    page.get_by_role("button", name="Send test event").click()
    told = page.get_by_role("status", name="Test event")
    expect(told).to_contain_text(re.compile(r"20\d in \d.*the sink took the test event"))
    told.get_by_role("button", name="Request and response").click()
    expect(told).to_contain_text("dev.weir.probe")
    assert console.weir.json("deliveries", "ls", "--subscription", made)["items"] == []

    page.get_by_label("Address").fill("http://127.0.0.1:9/")
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_text("goes to what is saved, not to what is typed here")).to_be_visible()
    expect(told).to_contain_text("the sink took the test event")
    page.get_by_role("button", name="Save ⌘S").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("button", name="Send test event").click()
    expect(told).to_contain_text("Connection refused")
    expect(told).to_contain_text("See that the sink runs")


def test_what_keeps_a_test_event_from_being_sent_is_said(console: Console) -> None:
    made = console.subscribe("often", f"{console.context['url']}/sink/default", "--type", "e2e.often")
    for _ in range(12):
        console.weir.json("subscriptions", "probe", made)
    page = console.open(f"subscriptions/{made}")
    page.get_by_role("button", name="Send test event").click()
    told = page.get_by_role("status", name="Test event")
    expect(told).to_contain_text(re.compile(r"Not sent\..*12 test events a minute"))


def test_a_subscription_is_shown_as_the_command_writes_it(console: Console) -> None:
    made = console.subscribe(
        "written",
        f"{console.context['url']}/sink/default",
        "--sql",
        "type = 'e2e.written' AND EXISTS subject",
    )
    page = console.open(f"subscriptions/{made}")
    page.get_by_role("button", name="YAML", exact=True).click()
    expect(page).to_have_url(re.compile("view=yaml"))
    shown = page.get_by_role("region", name="YAML", exact=True)
    expect(shown).to_contain_text("backoffPolicy: exponential")
    written = console.weir.run("subscriptions", "get", made, "-o", "yaml").stdout
    assert yaml.safe_load(shown.inner_text()) == yaml.safe_load(written)
    page.reload()
    expect(shown).to_be_visible()
    page.get_by_role("button", name="YAML", exact=True).click()
    expect(page.get_by_label("Address")).to_be_visible()
