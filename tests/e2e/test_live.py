"""Watching events as they come: one order is followed, and what goes over the limit is told."""

import json
import re
from uuid import uuid4

import httpx
from playwright.sync_api import Page, expect

from tests.support.console import Console


def send(console: Console, *events: dict[str, object]) -> None:
    """Send events as one batch; what they do not say is made up."""
    body = [
        {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": "/shop/eu-1",
            "type": "com.acme.order.created",
            **one,
        }
        for one in events
    ]
    httpx.post(
        f"{console.context['url']}/in/{console.project}",
        content=json.dumps(body),
        headers={
            "authorization": f"Bearer {console.context['apiKey']}",
            "content-type": "application/cloudevents-batch+json",
        },
    ).raise_for_status()


def rows(page: Page) -> list[str]:
    return page.get_by_role("grid").get_by_role("row").all_inner_texts()[1:]


def test_one_order_is_followed_live(console: Console) -> None:
    console.enter("followed", "viewer")
    sink = f"{console.context['url']}/sink/{console.project}"
    for name in ("billing", "search"):
        console.ask("POST", "/subscriptions", {"name": name, "sink": sink})
    facets = {"facets": {"amount": "/total/amount"}}
    httpx.put(
        f"{console.context['url']}/v1/projects/followed/types/com.acme.order.paid",
        json=facets,
        headers={"authorization": f"Bearer {console.context['apiKey']}"},
    ).raise_for_status()

    page = console.open("live")
    expect(page.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    expect(page.get_by_text("Waiting for the next event")).to_be_visible()
    send(console, {"subject": "orders/A-1"}, {"subject": "orders/B-2"})
    grid = page.get_by_role("grid")
    expect(grid.get_by_text("orders/B-2")).to_be_visible()

    # From here on this order alone.
    page.keyboard.press("/")
    page.keyboard.type("subject = 'orders/A-1'")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sql="))
    expect(page.get_by_text("valid", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(grid.get_by_text("orders/B-2")).to_have_count(0)
    expect(page.get_by_text("Nothing that matches has come yet")).to_be_visible()
    send(
        console,
        {"subject": "orders/B-2"},
        {"subject": "orders/A-1", "type": "com.acme.order.paid", "data": {"total": {"amount": 12.5}}},
    )
    paid = grid.get_by_role("row").filter(has_text="order.paid")
    expect(paid).to_contain_text("amount=12.5")
    expect(paid.get_by_title("2 delivered")).to_be_visible()
    assert len(rows(page)) == 1

    # What comes while one reads moves nothing.
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    send(console, {"subject": "orders/A-1", "type": "com.acme.order.shipped"})
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    assert len(rows(page)) == 1
    page.keyboard.press(" ")
    expect(grid.get_by_text("order.shipped")).to_be_visible()

    # The same address shows the same watch, and a row leads to its event.
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/events/"))
    page.go_back()
    expect(page.get_by_label("Watch for")).to_have_value("subject = 'orders/A-1'")


def test_what_goes_over_the_limit_is_told_where_it_is_missing(console: Console, axe: str) -> None:
    console.enter("over-the-limit", "viewer")
    page = console.open("live?rate=5")
    expect(page.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    send(console, *({"subject": f"orders/{n}"} for n in range(20)))
    expect(page.get_by_text("15 dropped here")).to_be_visible()
    expect(page.get_by_text("dropped in 2 min, over this tail's limit")).to_be_visible()
    assert console.violations(axe) == []
    page.get_by_role("button", name="Raise to 25/s").click()
    expect(page).to_have_url(re.compile("rate=25"))
    expect(page.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    send(console, *({"subject": f"orders/later-{n}"} for n in range(20)))
    expect(page.get_by_text("orders/later-19")).to_be_visible()
    expect(page.get_by_text("dropped here")).to_have_count(1)


def test_a_filter_that_cannot_be_says_why_and_cel_is_offered(console: Console) -> None:
    page = console.open("live")
    page.get_by_label("Watch for").fill("data.total = 1")
    expect(page.get_by_text("CESQL has no data")).to_be_visible()
    page.get_by_role("radiogroup", name="Language of the filter").get_by_text("CEL", exact=True).click()
    expect(page.get_by_label("Watch for")).to_have_value("data.total == 1")
    expect(page.get_by_text("valid", exact=True)).to_be_visible()
    page.get_by_label("Watch for").fill("type ==")
    expect(page.get_by_role("status").filter(has_text="the filter cannot be used")).to_be_visible()
