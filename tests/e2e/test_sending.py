"""How events are sent: transformed, signed, with credentials that are never shown again; and how a sink does."""

import json
import re
import time

import httpx
from playwright.sync_api import expect

from tests.support.console import Console
from tests.support.receiver import Receiver

SECRET = "e2e-secret-that-nobody-sees"


def test_credentials_and_transform_are_set_and_the_secret_is_never_shown_again(console: Console) -> None:
    console.emit("e2e.sent", {"order": "A-1", "total": 40}, wait=False)
    with Receiver() as sink:
        page = console.open("subscriptions/new")
        page.get_by_role("button", name="Condition").click()
        page.get_by_label("Value").first.fill("e2e.sent")
        page.get_by_label("Address").fill(sink.url)
        page.get_by_role("button", name="Transform").click()
        page.get_by_label("Transform in JSONata").fill('{"type": "e2e.made", "data": {"n": data.total + 2}}')
        made = page.get_by_role("region", name="What is sent instead")
        expect(made).to_contain_text("e2e.made")
        expect(made).to_contain_text("42")
        page.get_by_role("button", name="Headers").click()
        page.get_by_role("button", name="Add a header").click()
        page.get_by_label("Name of the header").fill("x-tenant")
        page.get_by_label("Value of the header").fill("acme")
        page.get_by_label("Authentication").select_option("bearer")
        page.get_by_label("Token", exact=True).fill(SECRET)
        page.get_by_role("textbox", name="Name", exact=True).fill("proven")
        page.get_by_role("button", name=re.compile("Create")).click()
        expect(page).to_have_url(re.compile(r"/subscriptions/[0-9a-f-]{36}$"))

        uid = console.emit("e2e.sent", {"order": "A-2", "total": 7})
        headers, body = sink.requests[-1]
        assert headers["authorization"] == f"Bearer {SECRET}"
        assert (headers["x-tenant"], headers["ce-type"]) == ("acme", "e2e.made")
        assert json.loads(body) == {"n": 9}

        page.reload()
        for title, summary in (("Transform", "JSONata"), ("Headers", "x-tenant, Bearer token")):
            expect(page.get_by_role("button", name=title)).to_contain_text(summary)
        page.get_by_role("button", name="Headers").click()
        expect(page.get_by_text("set, not shown again")).to_be_visible()
        assert SECRET not in page.content()
        # A change of something else leaves the secret alone.
        page.get_by_label("Retries").fill("3")
        page.get_by_role("button", name="Save ⌘S").click()
        expect(page.get_by_text("1 unsaved change")).to_have_count(0)
        console.emit("e2e.sent", {"total": 1})
        assert sink.requests[-1][0]["authorization"] == f"Bearer {SECRET}"

        page.get_by_role("button", name="Replace…").last.click()
        page.get_by_label("Token", exact=True).fill("another")
        page.get_by_role("button", name="Save ⌘S").click()
        expect(page.get_by_text("set, not shown again")).to_be_visible()
        console.emit("e2e.sent", {"total": 1})
        assert sink.requests[-1][0]["authorization"] == "Bearer another"

    page = console.open(f"events/{uid}")
    page.get_by_role("region", name="Waterfall").get_by_role("button", name=re.compile("proven")).click()
    panel = page.get_by_role("complementary", name="Delivery")
    expect(panel).to_contain_text("Sent instead of the event as stored")
    expect(panel).to_contain_text("9")
    assert SECRET not in page.content()


def test_a_transform_that_fails_says_why(console: Console) -> None:
    console.emit("e2e.untransformed", {"a": 1}, wait=False)
    page = console.open("subscriptions/new")
    page.get_by_role("button", name="Transform").click()
    field = page.get_by_label("Transform in JSONata")
    trial = page.get_by_role("region", name="Try the transform")
    field.fill('"no event"')
    expect(trial).to_contain_text("not an object")
    field.fill("{")
    expect(trial.get_by_role("status")).to_have_text(re.compile("."))
    page.get_by_label("Address").fill("https://example.com/")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(field).to_have_attribute("aria-invalid", "true")


def test_the_sink_that_knative_binds_is_offered(console: Console) -> None:
    page = console.open("subscriptions/new")
    page.get_by_role("button", name="Use env:K_SINK").click()
    expect(page.get_by_label("Address")).to_have_value("env:K_SINK")
    expect(page.get_by_text("SinkBinding")).to_be_visible()


def test_a_sink_that_keeps_failing_is_seen_to(console: Console) -> None:
    with Receiver(status=500) as sink:
        made = console.subscribe(
            "ailing", sink.url, "--type", "e2e.ailing", "--delivery", '{"backoffDelay": "PT0.5S"}'
        )
        page = console.open(f"subscriptions/{made}")
        health = page.get_by_role("status", name="Health of the sink")
        expect(health).to_contain_text("Healthy")
        page.get_by_label("Retries").fill("7")
        headers = {
            "authorization": f"Bearer {console.context['apiKey']}",
            "content-type": "application/cloudevents-batch+json",
        }
        deadline = time.monotonic() + 60
        number = 0
        while console.weir.json("subscriptions", "get", made)["sinkHealth"]["state"] == "closed":
            assert time.monotonic() < deadline, "the circuit did not open"
            batch = [
                {"specversion": "1.0", "id": str(number + i), "source": "/e2e", "type": "e2e.ailing"}
                for i in range(20)
            ]
            number += len(batch)
            httpx.post(f"{console.context['url']}/in/default", json=batch, headers=headers).raise_for_status()
        # News of the sink take nothing away from what is being typed.
        expect(health).to_contain_text(re.compile("Circuit open|Half open"), timeout=15_000)
        expect(page.get_by_label("Retries")).to_have_value("7")
        page = console.open("subscriptions")
        row = page.get_by_role("row").filter(has_text="ailing")
        expect(row.get_by_text(re.compile("Circuit open|Half open"))).to_be_visible(timeout=15_000)
        page.get_by_role("link", name="ailing").click()
        expect(health).to_contain_text(re.compile("Circuit open|Half open"))
        expect(health).to_contain_text("500")
        sink.status = 204
        # How many it gets at once is found out with what comes next, so that it may be fewer for now.
        expect(health).to_contain_text(re.compile("Healthy|Slowed down"), timeout=60_000)
