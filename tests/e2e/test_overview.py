"""A person looks at how a project does, and follows a number, or a way of events, down to the rows."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.console import Console
from tests.support.served import free_port
from tests.support.weir import LocalWeir

SENT = 12
DIES_AT_ONCE = {"retry": 0, "timeout": "PT2S"}


@pytest.fixture(scope="module")
def shop(weir: LocalWeir) -> dict[str, str]:
    """A project of its own: orders go to a sink that takes them and to one that is not there, pings to none."""
    context = weir.json("context", "show")
    made = httpx.post(
        f"{context['url']}/v1/projects",
        json={"name": "overviewed"},
        headers={"authorization": f"Bearer {context['apiKey']}"},
    ).raise_for_status()
    key = made.json()["apiKey"]
    ids = {}
    with httpx.Client(
        base_url=f"{context['url']}/v1/projects/overviewed", headers={"authorization": f"Bearer {key}"}
    ) as api:
        sink = api.get("/sink").raise_for_status().json()["url"]
        for name, where in (("billing", sink), ("crm", f"http://127.0.0.1:{free_port()}/")):
            body = {
                "name": name,
                "sink": where,
                "filters": [{"prefix": {"type": "shop.order"}}],
                "delivery": DIES_AT_ONCE,
            }
            ids[name] = api.post("/subscriptions", json=body).raise_for_status().json()["id"]
    events = [
        {"specversion": "1.0", "id": f"o-{n}", "source": "/shop", "type": "shop.order.created"}
        for n in range(SENT)
    ] + [{"specversion": "1.0", "id": "p", "source": "/shop", "type": "shop.ping"}]
    httpx.post(
        f"{context['url']}/in/overviewed",
        json=events,
        headers={
            "authorization": f"Bearer {key}",
            "content-type": "application/cloudevents-batch+json",
        },
    ).raise_for_status()
    return ids


def figure(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Figures").get_by_role("link", name=re.compile(f"^{name}"))


def test_every_number_of_the_overview_leads_to_its_rows(
    shop: dict[str, str], open_console: Callable[..., Console]
) -> None:
    console = open_console()
    console.project = "overviewed"
    page = console.open("overview")
    expect(figure(page, "Dead letters")).to_contain_text(re.compile(rf"{SENT}\s*{SENT} at crm"))
    expect(figure(page, "Events in")).to_contain_text(f"{SENT + 1} in the last hour")
    sinks = page.get_by_role("region", name="Worst sinks").get_by_role("row")
    expect(sinks.nth(1)).to_contain_text(re.compile(rf"crm\s*0\.00 %\s*{SENT}"))
    expect(sinks.nth(2)).to_contain_text(re.compile(r"billing\s*100\.00 %\s*0"))
    types = page.get_by_role("region", name="Event types").get_by_role("row")
    expect(types.filter(has_text="ping")).to_contain_text("no match")

    # What is drawn can be read out by keys, and is a table for who does not see it.
    chart = page.get_by_role("group", name=re.compile("^Throughput"))
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("region", name="Throughput")).to_contain_text(
        re.compile(r"\d\d:\d\d UTC, per second")
    )
    expect(
        page.get_by_role("table", name="Failed attempts, per minute").get_by_role("columnheader").nth(1)
    ).to_have_text("crm")

    figure(page, "Dead letters").click()
    expect(page).to_have_url(re.compile(r"/deliveries\?.*status=dead"))
    expect(page.get_by_text("shop.order.created").first).to_be_visible()
    page.go_back()
    figure(page, "Events in").click()
    expect(page).to_have_url(re.compile(r"/events\?since="))


def test_a_way_is_followed_by_keys_alone_and_kept_in_the_address(
    shop: dict[str, str], open_console: Callable[..., Console]
) -> None:
    console = open_console()
    console.project = "overviewed"
    page = console.open("flow")
    crm = page.get_by_role("button", name=re.compile(r"^crm .*, subscription"))
    expect(crm).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("no subscription"))).to_have_text(re.compile("ping"))
    crm.focus()
    page.keyboard.press("Enter")
    expect(crm).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"focus=subscription"))
    expect(page.get_by_text("100 % of attempts fail").first).to_be_visible()
    expect(page.get_by_text("1 producer, 1 type")).to_be_visible()
    page.reload()
    expect(crm).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Open deliveries").click()
    expect(page).to_have_url(re.compile(rf"/deliveries\?.*subscription={shop['crm']}"))
    page.go_back()
    expect(crm).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("focus="))
    page.get_by_role("radio", name="Errors").check(force=True)
    expect(crm).to_contain_text(f"{SENT} dead")
    # The edge is a link to what went along it.
    page.get_by_role("link", name=re.compile(r"^shop\.order\.created to crm")).click()
    expect(page).to_have_url(re.compile(r"/deliveries\?.*type=shop\.order\.created"))
