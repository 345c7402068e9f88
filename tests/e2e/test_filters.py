"""Filters in three languages: rows, CESQL and CEL, each tried on stored events while it is written."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.support.console import Console


def preview(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Preview on stored events")


def view(page: Page, name: str) -> None:
    page.get_by_role("radiogroup", name="View of the filter").get_by_text(name, exact=True).click()


def text(page: Page, language: str = "CESQL") -> Locator:
    return page.get_by_label(f"Filter as {language}")


def save(page: Page, console: Console, name: str, sink: str) -> None:
    page.get_by_label("Address").fill(sink)
    page.get_by_label("Name").last.fill(name)
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page).to_have_url(re.compile(r"/subscriptions/[0-9a-f-]{36}$"))


def delivered(console: Console, uid: str, name: str) -> list[str]:
    story = console.weir.json("events", "get", uid)
    return [d["status"] for d in story["deliveries"] if d["subscriptionName"] == name]


def test_a_cesql_filter_is_written_tried_saved_and_used(console: Console) -> None:
    for subject in ("orders/A-1", "orders/A-2", "orders/B-1"):
        console.emit("e2e.cesql", {}, "--subject", subject, wait=False)
    page = console.open("subscriptions/new")
    view(page, "CESQL")
    written = "type='e2e.cesql'\nand (subject LIKE 'orders/A%' or source = '/elsewhere')"
    text(page).fill(written)
    expect(preview(page)).to_contain_text(re.compile(r"2 of last \d+ events match"))
    row = preview(page).get_by_role("tabpanel").locator("> div > div").filter(has_text="orders/B-1").first
    expect(row.locator(".failing")).to_have_text(re.compile("^.subject LIKE .orders"))
    expect(row).to_contain_text("subject is orders/B-1")
    save(page, console, "by-cesql", f"{console.context['url']}/sink/default")

    uid = console.emit("e2e.cesql", {}, "--subject", "orders/A-3")
    assert delivered(console, uid, "by-cesql") == ["delivered"]
    saved = next(s for s in console.weir.json("subscriptions", "ls")["items"] if s["name"] == "by-cesql")
    assert saved["filters"] == [{"sql": written}]
    page.reload()
    expect(text(page)).to_have_value(written)

    missed = console.emit("e2e.cesql", {}, "--subject", "orders/B-2")
    page = console.open(f"events/{missed}")
    name = page.get_by_text("by-cesql", exact=True)
    why = page.get_by_role("region", name="Waterfall").locator(".grid").filter(has=name)
    expect(why.locator(".failing")).to_have_text("(subject LIKE 'orders/A%' or source = '/elsewhere')")
    expect(why).to_contain_text("subject is orders/B-2")


def test_rows_write_cesql_and_cesql_writes_rows(console: Console) -> None:
    page = console.open("subscriptions/new")
    page.get_by_role("button", name="Condition").click()
    page.get_by_label("Value").first.fill("e2e.rows")
    expect(text(page)).to_have_value("type = 'e2e.rows'")
    text(page).fill("type = 'e2e.rows' AND INT(itemcount) <= 40")
    expect(page.get_by_label("Attribute")).to_have_count(2)
    expect(page.get_by_label("Operator").nth(1)).to_have_value("most")
    expect(page.get_by_label("Value").nth(1)).to_have_value("40")
    page.get_by_label("Value").nth(1).fill("41")
    expect(text(page)).to_have_value("type = 'e2e.rows'\nAND INT(itemcount) <= 41")

    page.get_by_label("Operator").nth(1).select_option("present")
    expect(page.get_by_label("Value")).to_have_count(1)
    expect(text(page)).to_have_value("type = 'e2e.rows'\nAND EXISTS itemcount")

    text(page).fill("LENGTH(type) > 4")
    expect(page.get_by_text("Rows cannot show what is written below")).to_be_visible()
    expect(page.get_by_label("Value").first).to_be_disabled()
    view(page, "JSON")
    expect(page.get_by_label("Filter as JSON")).to_have_value(re.compile(r'"sql": "LENGTH\(type\) > 4"'))


def test_what_rows_cannot_show_is_kept_as_it_is(console: Console) -> None:
    deep = '[{"any": [{"all": [{"exact": {"type": "e2e.deep"}}, {"prefix": {"subject": "a"}}]}]}]'
    made = console.subscribe("deep", f"{console.context['url']}/sink/default", "--filters", deep)
    page = console.open(f"subscriptions/{made}")
    expect(page.get_by_label("Filter as JSON")).to_have_value(re.compile("e2e.deep"))
    for name in ("Rows", "CESQL", "CEL", "JSON"):
        view(page, name)
    page.get_by_label("Name").last.fill("deeper")
    page.get_by_role("button", name="Save ⌘S").click()
    expect(page.get_by_role("heading", name="deeper")).to_be_visible()
    kept = console.weir.json("subscriptions", "get", made)
    assert kept["filters"] == [
        {"any": [{"all": [{"exact": {"type": "e2e.deep"}}, {"prefix": {"subject": "a"}}]}]}
    ]


def test_a_mistake_is_shown_at_its_place(console: Console) -> None:
    page = console.open("subscriptions/new")
    view(page, "CESQL")
    text(page).fill("type = 'a'\nAND = 4")
    expect(page.get_by_text(re.compile("Line 2, column 5: "))).to_be_visible()
    expect(page.locator(".decoration-wavy")).to_have_text("=")
    expect(text(page)).to_have_attribute("aria-invalid", "true")
    text(page).fill("type = 'a'")
    expect(page.locator(".decoration-wavy")).to_have_count(0)

    view(page, "CEL")
    text(page, "CEL").fill("type == 'a' && regio == 'eu'")
    expect(page.get_by_text(re.compile("Line 1, column 16: .*regio"))).to_be_visible()
    expect(page.locator(".decoration-wavy")).to_have_text("regio")


def test_data_is_for_cel(console: Console) -> None:
    small = console.emit("e2e.data", {"total": 40}, "--subject", "small", wait=False)
    console.emit("e2e.data", {"total": 900}, "--subject", "large", wait=False)
    page = console.open("subscriptions/new")
    view(page, "CESQL")
    text(page).fill("type = 'e2e.data' AND data.total > 100")
    expect(page.get_by_text("it sees attributes only")).to_be_visible()
    page.get_by_role("button", name="Write it in CEL").click()
    expect(text(page, "CEL")).to_have_value("type == 'e2e.data'\n&& data.total > 100")
    expect(preview(page)).to_contain_text(re.compile(r"1 of last \d+ events match"))
    save(page, console, "large-orders", f"{console.context['url']}/sink/default")

    uid = console.emit("e2e.data", {"total": 500})
    assert delivered(console, uid, "large-orders") == ["delivered"]
    page = console.open(f"events/{small}")
    # When it came there was no such subscription yet.
    page.get_by_role("button", name=re.compile("made since")).click()
    why = page.get_by_role("region", name="Waterfall").locator(".grid").filter(has_text="large-orders")
    expect(why).to_contain_text("data.total is 40")


def test_who_may_only_look_can_look_at_everything(console: Console) -> None:
    console.enter("filters-seen", role="viewer")
    console.ask(
        "POST",
        "/subscriptions",
        {
            "name": "seen",
            "sink": f"{console.context['url']}/sink/default",
            "filters": [{"exact": {"type": "a"}}],
        },
    )
    page = console.open("subscriptions")
    page.get_by_role("link", name="seen").click()
    expect(page.get_by_label("Value").first).to_be_disabled()
    view(page, "CESQL")
    expect(text(page)).to_have_value("type = 'a'")
    expect(text(page)).not_to_be_editable()
    page.get_by_role("button", name="Headers").click()
    expect(page.get_by_label("Authentication")).to_be_disabled()
    expect(page.get_by_role("button", name=re.compile("^Save"))).to_have_count(0)
