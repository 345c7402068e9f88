"""What comes in, set up in the browser: a source of webhooks, a producer with a key, a type with a schema."""

import hashlib
import hmac
import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.console import Console


def send_webhook(address: str, secret: str, delivery: str) -> httpx.Response:
    body = json.dumps({"action": "opened", "issue": {"number": 7}, "repository": {"url": "https://x.dev/r"}})
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return httpx.post(
        address,
        content=body,
        headers={
            "content-type": "application/json",
            "x-github-event": "issues",
            "x-github-delivery": delivery,
            "x-hub-signature-256": f"sha256={signature}",
        },
    )


def shown_secret(page: Page) -> str:
    return page.get_by_role("region", name="New secret").get_by_label("The secret").inner_text()


def test_a_webhook_of_github_arrives_before_ones_eyes(console: Console) -> None:
    page = console.open("sources")
    page.get_by_role("link", name="Create source").first.click()
    page.get_by_role("radio", name=re.compile("GitHub")).check(force=True)
    expect(page).to_have_url(re.compile("kind=github"))
    page.get_by_role("textbox", name="Name", exact=True).fill("e2e-repos")
    page.get_by_role("button", name="Create source").first.click()
    expect(page).to_have_url(re.compile("/sources/e2e-repos$"))

    first = shown_secret(page)
    steps = page.get_by_role("complementary", name="Next steps")
    address = f"{console.context['url']}/in/default/e2e-repos"
    expect(steps).to_contain_text(address)
    expect(steps.get_by_text("Waiting for the first event")).to_be_visible()
    assert send_webhook(address, "another-secret", "e2e-0").status_code == 401
    assert send_webhook(address, first, "e2e-1").status_code == 202
    arrived = steps.get_by_role("link", name=re.compile("com.github.issues.opened"))
    expect(arrived).to_be_visible()

    page.get_by_role("button", name="Make a second secret").click()
    expect(page.get_by_text("Two are good at the moment")).to_be_visible()
    second = shown_secret(page)
    assert second != first
    expect(page.get_by_role("button", name="End the older secret")).to_be_visible()
    page.get_by_role("button", name="End the older secret").click()
    expect(page.get_by_text("One, kept sealed")).to_be_visible()

    arrived.first.click()
    expect(page.get_by_role("main").get_by_role("link", name="e2e-repos")).to_be_visible()
    page = console.open("sources/e2e-repos")
    expect(page.get_by_role("region", name="New secret")).to_have_count(0)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_label("Type e2e-repos to confirm").fill("e2e-repos")
    page.get_by_role("button", name="Delete source").click()
    expect(page).to_have_url(re.compile("/sources$"))
    expect(page.get_by_role("link", name="e2e-repos")).to_have_count(0)


def test_a_producer_sends_what_it_may_and_is_told_what_it_may_not(console: Console) -> None:
    page = console.open("producers")
    page.get_by_role("link", name="Create producer").first.click()
    page.get_by_role("textbox", name="Name", exact=True).fill("e2e shop")
    page.get_by_label("Sources, one pattern on a line").fill("/shop*")
    page.get_by_label("Types, one pattern on a line").fill("com.acme.*")
    page.get_by_role("button", name="Create producer").first.click()
    expect(page.get_by_text(re.compile("must match|pattern")).first).to_be_visible()
    page.get_by_role("textbox", name="Name", exact=True).fill("e2e-shop")
    page.get_by_role("button", name="Create producer").first.click()
    expect(page).to_have_url(re.compile("/producers/e2e-shop$"))
    expect(page.get_by_text("nobody can send as this producer yet")).to_be_visible()

    page.get_by_role("link", name="Create a key for it").click()
    form = page.get_by_role("form", name="Create key")
    expect(form.get_by_label("Of the producer")).to_have_value("e2e-shop")
    form.get_by_label("Name").fill("e2e-till")
    form.get_by_role("button", name="Create", exact=True).click()
    key = page.get_by_role("region", name="New key").locator("code").first.inner_text()
    row = page.get_by_role("row").filter(has_text="e2e-till")
    expect(row.get_by_role("link", name="e2e-shop")).to_be_visible()

    def send(source: str) -> httpx.Response:
        head = {"ce-specversion": "1.0", "ce-id": source, "ce-type": "com.acme.sold", "ce-source": source}
        address = f"{console.context['url']}/in/default"
        return httpx.post(address, headers={**head, "authorization": f"Bearer {key}"})

    assert send("/shop/7").status_code == 202
    refused = send("/warehouse")
    assert refused.status_code == 403
    assert "/warehouse" in refused.text

    row.get_by_role("link", name="e2e-shop").click()
    credentials = page.get_by_role("complementary", name="Credentials")
    credentials.get_by_role("link", name=re.compile("its events")).click()
    grid = page.get_by_role("grid")
    expect(grid.get_by_text("/shop/7")).to_be_visible()
    expect(grid.get_by_text("/warehouse")).to_have_count(0)

    page = console.open("producers/e2e-shop")
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 API key")
    page.get_by_label("Type e2e-shop to confirm").fill("e2e-shop")
    page.get_by_role("button", name="Delete producer").click()
    expect(page).to_have_url(re.compile("/producers$"))


def test_a_schema_refuses_what_does_not_fit_and_facets_find_what_does(console: Console) -> None:
    page = console.open("types")
    page.get_by_role("link", name="Register type").first.click()
    page.get_by_label("Type of the events, exactly").fill("com.acme.e2e.order")
    page.get_by_role("radio", name=re.compile("Reject")).check(force=True)
    schema = {"type": "object", "required": ["order"], "properties": {"order": {"type": "strin"}}}
    page.get_by_role("textbox", name="JSON Schema").fill(json.dumps(schema))
    tried = page.get_by_role("complementary", name="Try data")
    tried.get_by_label("Data as JSON").fill('{"order": 7}')
    page.get_by_role("button", name="/order", exact=True).click()
    page.get_by_role("button", name="Register type").first.click()
    expect(page.get_by_text("This schema cannot be used")).to_be_visible()
    expect(page.get_by_text("/properties/order/type")).to_be_visible()
    schema["properties"] = {"order": {"type": "string"}}
    page.get_by_role("textbox", name="JSON Schema").fill(json.dumps(schema))
    tried.get_by_role("button", name="Check").click()
    expect(tried.get_by_text("/data/order")).to_be_visible()
    expect(tried.get_by_text("gets 422")).to_be_visible()
    page.get_by_role("button", name="Register type").first.click()
    expect(page).to_have_url(re.compile("/types/com.acme.e2e.order$"))
    expect(page.get_by_label("Pointer of facet 1")).to_have_value("/order")

    def send(number: int, order: object) -> httpx.Response:
        event = {"specversion": "1.0", "id": f"o-{number}", "source": "/e2e", "type": "com.acme.e2e.order"}
        return httpx.post(
            f"{console.context['url']}/in/default",
            headers={
                "authorization": f"Bearer {console.context['apiKey']}",
                "content-type": "application/cloudevents+json",
            },
            json={**event, "data": {"order": order}},
        )

    # A change is in force about a second after its answer.
    for number in range(50):
        if send(number, 7).status_code == 422:
            break
        page.wait_for_timeout(100)
    refused = send(100, 7)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/data/order")
    uid = send(101, "A-1").json()["uid"]
    send(102, "B-2")

    page = console.open("events")
    search = page.get_by_label("Search events")
    search.fill("facet:order:A-1")
    search.press("Enter")
    expect(page).to_have_url(re.compile("facet=order:A-1"))
    expect(page.get_by_role("button", name="Remove data /order is A-1")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="order")).to_have_count(1)
    page = console.open(f"events/{uid}")
    page.get_by_role("complementary", name="Found in the data").get_by_role("link", name="A-1").click()
    expect(page.get_by_role("grid").get_by_role("row").filter(has_text="order")).to_have_count(1)


def test_a_fault_that_only_warns_is_seen_where_the_event_is(console: Console) -> None:
    kind = "com.acme.e2e.warned"
    body = {"schemaMode": "warn", "schema": {"type": "array"}}
    console.ask("PUT", f"/types/{kind}", body)
    for _ in range(50):
        uid = console.emit(kind, {"a": 1}, wait=False)
        if console.weir.json("events", "get", uid)["schemaFault"]:
            break
    page = console.open(f"types/{kind}")
    page.get_by_role("link", name="With faults").click()
    expect(page).to_have_url(re.compile("schemaFault=true"))
    expect(page.get_by_text("does not fit its schema").first).to_be_attached()
    page = console.open(f"events/{uid}")
    expect(page.get_by_text("Does not fit the schema of")).to_be_visible()


def test_who_may_only_read_sees_everything_and_no_button_that_would_fail(console: Console, axe: str) -> None:
    console.enter("intake-read", role="viewer")
    page = console.page
    for place in ("sources", "producers", "types"):
        console.open(place)
        expect(page.get_by_role("region", name="The same by command")).to_be_visible()
        expect(page.get_by_role("link", name=re.compile("Create|Register"))).to_have_count(0)
        assert console.violations(axe) == [], place
    console.ask("POST", "/sources", {"name": "seen", "kind": "hmac"})
    console.ask("PUT", "/types/e2e.seen", {"schema": {}, "facets": {"a": "/a"}})
    console.open("sources/seen")
    expect(page.get_by_label("Header with the signature")).to_be_disabled()
    expect(page.get_by_role("button", name=re.compile("Save|Delete|second secret"))).to_have_count(0)
    assert console.violations(axe) == []
    console.open("types/e2e.seen")
    expect(page.get_by_label("Pointer of facet 1")).to_be_disabled()
    expect(page.get_by_role("button", name=re.compile("Save|Forget"))).to_have_count(0)
    assert console.violations(axe) == []
    console.open("new-producer")
    expect(page.get_by_text("producers:write")).to_be_visible()
    console.open("keys")
    expect(page.get_by_text("keys:read")).to_be_visible()
    console.open("settings")
    expect(page.get_by_label("Rate")).to_be_disabled()
    assert console.violations(axe) == []


@pytest.mark.away
def test_a_store_that_is_away_is_said_and_asked_again(console: Console, axe: str) -> None:
    page = console.page
    problem = {"type": "about:blank", "title": "A store is away", "status": 503, "detail": "Try again soon."}
    away = re.compile(r"/v1/projects/default/(sources|source-kinds|producers|types|settings)")
    page.route(away, lambda route: route.fulfill(status=503, json=problem))
    for place in ("sources", "settings", "types/x.y"):
        console.open(place)
        expect(page.get_by_role("alert")).to_contain_text("A store is away", timeout=20_000)
        assert console.violations(axe) == [], place
    page.unroute(away)
    console.open("producers")
    expect(page.get_by_role("alert")).to_have_count(0)
