"""Why did it not arrive? One event's story, from the list to the mended delivery."""

import json
import re

import httpx
from playwright.sync_api import Page, expect

from tests.support.console import Console
from tests.support.receiver import Receiver

REFUSAL = json.dumps(
    {
        "title": "not valid",
        "status": 422,
        "errors": [{"pointer": "#/total/currency", "detail": "must be a three-letter code, got null"}],
    }
).encode()
REPLY = json.dumps(
    {"specversion": "1.0", "id": "invoice-7", "source": "/billing", "type": "invoice.made"}
).encode()
TYPE = [{"exact": {"type": "order.created"}}]


def send(console: Console, identity: str, total: object) -> str:
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": "/shop",
        "type": "order.created",
        "subject": f"orders/{identity}",
        "data": {"total": total},
    }
    answer = httpx.post(
        f"{console.context['url']}/in/{console.project}",
        content=json.dumps(event),
        headers={
            "authorization": f"Bearer {console.context['apiKey']}",
            "content-type": "application/cloudevents+json",
        },
    )
    return str(answer.raise_for_status().json()["uid"])


def waterfall(page: Page, name: str):  # type: ignore[no-untyped-def]
    """The row of that subscription."""
    return page.get_by_role("region", name="Waterfall").locator(".grid").filter(has_text=name)


def test_why_did_it_not_arrive(console: Console, axe: str) -> None:
    console.enter("why-not", role="owner")
    replying = {"replies": True}
    with (
        Receiver(422, REFUSAL) as fraud,
        Receiver(200, REPLY, "application/cloudevents+json") as billing,
    ):
        for name, sink, filters, delivery in (
            ("fraud-check", fraud.url, TYPE, {}),
            ("billing", billing.url, TYPE, replying),
            ("shipments", billing.url, [{"sql": "type = 'order.shipped' AND EXISTS subject"}], {}),
        ):
            console.ask(
                "POST",
                "/subscriptions",
                {"name": name, "sink": sink, "filters": filters, "delivery": delivery},
            )
        send(console, "A-1", {"amount": 1, "currency": "NOK"})
        uid = send(console, "A-2", {"amount": 689, "currency": None})

        page = console.open("events")
        page.get_by_text("orders/A-2").first.click()
        page.get_by_role("link", name=re.compile("Open event")).click()
        expect(page).to_have_url(re.compile(f"/events/{uid}"))
        expect(page.get_by_text("1 dead")).to_be_visible()
        expect(page.get_by_text("2 of 3 matched")).to_be_visible()
        expect(page.get_by_text("answered 202 after the commit")).to_be_visible()
        why = waterfall(page, "shipments")
        expect(why.locator(".failing")).to_have_text("type = 'order.shipped'")
        expect(why).to_contain_text("is order.created")

        named = page.get_by_role("complementary", name="Found in the data")
        expect(named).to_contain_text("/total/currency")
        expect(named).to_contain_text("answered 422: must be a three-letter code, got null")
        expect(page.get_by_role("tabpanel").locator("pre .failing")).to_have_text("null")
        named.get_by_role("button", name="fraud-check").click()
        panel = page.get_by_role("complementary", name="Delivery")
        expect(panel).to_contain_text("422")
        expect(panel).to_contain_text("First byte")
        expect(panel).to_contain_text("127.0.0.1")
        assert console.violations(axe) == []

        page.get_by_role("tab", name="Related").click()
        caused = page.get_by_role("tabpanel", name="Related")
        expect(caused).to_contain_text("invoice.made")
        expect(caused).to_contain_text("answered by billing")
        page.get_by_role("tab", name="Diff").click()
        differs = page.get_by_role("tabpanel", name="Diff")
        row = differs.get_by_role("row").filter(has_text="/data/total/currency")
        expect(row).to_contain_text('"NOK"')
        expect(row).to_contain_text("null")
        assert console.violations(axe) == []

        fraud.status, fraud.answer = 200, b""
        panel.get_by_role("button", name="Retry now").click()
        expect(page.get_by_text("2 delivered")).to_be_visible(timeout=20_000)
        expect(panel.get_by_role("button", name="Attempt 2")).to_be_visible()
        page.get_by_role("tab", name="Related").click()
        expect(caused).to_contain_text("Sent again by")

    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.keyboard.press("j")
    expect(page).not_to_have_url(re.compile(uid))


def test_which_of_my_subscriptions_does_this_change_touch(console: Console, tmp_path) -> None:  # type: ignore[no-untyped-def]
    console.enter("touched", role="owner")
    sink = f"{console.context['url']}/sink/touched"
    for name, total in (("small", 40), ("large", 900)):
        made = console.ask(
            "POST",
            "/subscriptions",
            {"name": name, "sink": sink, "filters": [*TYPE, {"cel": f"data.total > {total}"}]},
        )
    uids = [send(console, f"T-{total}", total) for total in (20, 50, 500, 1000)]
    environment = {"WEIR_PROJECT": "touched", "WEIR_API_KEY": console.context["apiKey"]}

    def weir(*arguments: str) -> str:
        done = console.weir.run("subscriptions", *arguments, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    saved = tmp_path / "subscriptions.yaml"
    saved.write_text(weir("ls", "-o", "yaml"))
    assert weir("diff", "-f", str(saved)) == ""
    saved.write_text(saved.read_text().replace("data.total > 900", "data.total > 100"))
    touched = weir("diff", "-f", str(saved))
    assert "~ large  +1 -0 of the last 4 events" in touched
    assert "small" not in touched

    page = console.open(f"subscriptions/{made['id']}")
    preview = page.get_by_role("complementary", name="Preview on stored events")
    expect(preview).to_contain_text(re.compile("1 of last 4"))
    page.get_by_role("radiogroup", name="View of the filter").get_by_text("JSON", exact=True).click()
    written = page.get_by_label("Filter as JSON")
    written.fill(written.input_value().replace("data.total > 900", "data.total > 100"))
    expect(preview).to_contain_text("+1")
    preview.get_by_role("tab", name=re.compile("Changed")).click()
    expect(preview.get_by_role("tabpanel").get_by_text("orders/T-500")).to_be_visible()
    expect(preview.get_by_role("tabpanel").get_by_text("orders/T-1000")).to_have_count(0)
    page.get_by_role("button", name="Save ⌘S").click()
    expect(page.get_by_text(re.compile("unsaved change"))).to_have_count(0)
    assert weir("diff", "-f", str(saved)) == ""

    page = console.open(f"events/{uids[2]}")
    # What was true when the event came; that it is otherwise now is said, and leads there.
    expect(page.get_by_text("1 of 2 matched")).to_be_visible()
    expect(waterfall(page, "large")).to_contain_text("data.total is 500")
    page.get_by_role("button", name="1 changed since").click()
    expect(page.get_by_text("2 of 2 matched")).to_be_visible()
    expect(page).to_have_url(re.compile("subscriptions=now"))
    page.get_by_role("radiogroup", name="Subscriptions as they are").get_by_text("as of then").click()
    expect(page.get_by_text("1 of 2 matched")).to_be_visible()
