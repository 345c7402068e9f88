"""axe-core finds nothing on any page, in both themes, wide and narrow."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.console import Console
from tests.support.weir import LocalWeir

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def places(weir: LocalWeir) -> list[str]:
    """Every page, with something on it."""
    url = weir.json("context", "show")["url"]
    made = weir.json("subscriptions", "create", "seen", "--sink", f"{url}/sink/default", "--type", "e2e.seen")
    event = weir.json("emit", "-t", "e2e.seen", "-s", "/e2e", "-d", '{"a": [1, null, "b"]}', "--wait", "20s")
    weir.json("sources", "create", "seen", "--kind", "hmac")
    key = weir.json("context", "show")["apiKey"]
    with httpx.Client(
        base_url=f"{url}/v1/projects/default", headers={"authorization": f"Bearer {key}"}
    ) as api:
        api.post("/roles", json={"name": "seen", "permissions": ["events:read"]}).raise_for_status()
        gone = api.post("/keys", json={"name": "seen", "scopes": ["events:read"]}).raise_for_status()
        api.delete(f"/keys/{gone.json()['id']}").raise_for_status()
        api.post(
            "/producers", json={"name": "seen", "sources": ["/e2e*"], "types": ["e2e.*"]}
        ).raise_for_status()
        sink = f"{url}/sink/default"
        cesql = {"filters": [{"sql": "LENGTH(type) > 4 AND region <> 'us'"}]}
        cel = {
            "filters": [{"cel": "type == 'e2e.seen' && size(data.a) > 1"}],
            "transform": {"jsonata": '{"data": data.a}'},
            "auth": {"type": "basic", "username": "weir", "password": "secret"},
            "delivery": {
                "batchSize": 10,
                "headers": {"x-tenant": "acme"},
                "ceOverrides": {"extensions": {"a": "b"}},
            },
            "signingSecrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        }
        written = [
            api.post("/subscriptions", json={"name": name, "sink": sink, **body})
            .raise_for_status()
            .json()["id"]
            for name, body in (("by-cesql-seen", cesql), ("by-cel-seen", cel))
        ]
        schema = {"type": "object", "properties": {"a": {"type": "array"}}}
        for version in (schema, {**schema, "required": ["a"]}):
            body = {"schemaMode": "warn", "facets": {"a": "/a"}, "schema": version}
            api.put("/types/e2e.seen", json=body).raise_for_status()
        again = api.post(
            "/replays", json={"select": {"event": event["uid"]}, "reason": "to be seen"}
        ).raise_for_status()
        kept = api.get("/audit", params={"action": "type.changed"}).raise_for_status().json()["items"]
    return [
        "start",
        "overview",
        "overview?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z",
        "flow",
        f"flow?show=errors&focus=subscription:{made['id']}",
        "flow?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z",
        "events",
        "events?type=e2e.nothing",
        "events?facets=open&type=e2e.seen",
        "events?until=2026-01-01T00:00:00Z",
        "events?facet=a:b&schemaFault=true&producer=source:seen",
        f"events/{event['uid']}",
        "live",
        "live?sql=type+%3D+%27e2e.nothing%27&rate=5",
        "live?cel=type+%3D%3D",
        "deliveries",
        "deliveries?status=cancelled",
        "deliveries?statusCode=200&type=e2e.seen",
        "replays",
        "replays?state=paused",
        f"replays/{again.json()['id']}",
        "subscriptions",
        "subscriptions/new",
        f"subscriptions/{made['id']}",
        f"subscriptions/{made['id']}?view=yaml",
        *(f"subscriptions/{one}" for one in written),
        f"events/{event['uid']}?subscriptions=now",
        f"events/{event['uid']}?tab=related&delivery={event['deliveries'][0]['id']}",
        f"events/{event['uid']}?tab=diff",
        "settings/members",
        "settings/roles",
        "settings/new-role",
        "settings/roles/seen",
        "settings/keys",
        "settings/keys?create=yes&producer=seen",
        "settings/keys?state=revoked",
        "settings/keys?q=nothing-like-it",
        "settings/sources",
        "settings/new-source",
        "settings/new-source?kind=hmac",
        "settings/sources/seen",
        "producers",
        "new-producer",
        "producers/seen",
        "types",
        "new-type",
        "types/e2e.seen",
        "types/e2e.seen?version=1",
        "audit",
        "audit?q=nothing+has+this&kind=type",
        f"audit?entry={kept[0]['id']}",
        "settings/general",
        "settings/data",
        "settings/data?day=2024-06-03",
        "deliveries?group=cause",
        "deliveries?group=cause&status=dead",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(
    theme: str,
    size: dict[str, int],
    places: list[str],
    axe: str,
    open_console: Callable[..., Console],
) -> None:
    console = open_console(color_scheme=theme, viewport=size)
    found = {}
    for place in places:
        page = console.open(place)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        if violations := console.violations(axe):
            found[place] = violations
    assert found == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_in(
    theme: str, axe: str, weir: LocalWeir, new_page: Callable[..., Page]
) -> None:
    page = new_page(color_scheme=theme)
    page.goto(f"{weir.json('context', 'show')['url']}/sign-in")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert Console(page, weir).violations(axe) == []


def unfold(page: Page) -> None:
    """Open everything that the editor of a subscription keeps closed."""
    for title in ("Signature", "Transform", "Headers"):
        page.get_by_role("button", name=title).click()
    page.get_by_label("Own certificates for TLS").check(force=True)
    page.get_by_label("Client certificate").fill("no certificate")
    expect(page.get_by_role("region", name="What is sent instead")).to_contain_text("specversion")
    page.get_by_role("button", name="Send test event").click()
    page.get_by_role("button", name="Request and response").click()
    expect(page.get_by_role("status", name="Test event")).to_contain_text("POST ")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_in_what_unfolds(
    theme: str,
    size: dict[str, int],
    places: list[str],
    axe: str,
    open_console: Callable[..., Console],
) -> None:
    console = open_console(color_scheme=theme, viewport=size)
    page = console.open(next(place for place in reversed(places) if place.startswith("subscriptions/")))
    unfold(page)
    assert console.violations(axe) == []
    page.get_by_role("radiogroup", name="View of the filter").get_by_text("CESQL", exact=True).click()
    page.get_by_label("Filter as CESQL").fill("type = = 'a'")
    expect(page.get_by_text("Line 1, column 8")).to_be_visible()
    page.get_by_role("radiogroup", name="View of the filter").get_by_text("Rows", exact=True).click()
    assert console.violations(axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_where_many_are_sent_again(
    theme: str,
    size: dict[str, int],
    places: list[str],
    axe: str,
    open_console: Callable[..., Console],
) -> None:
    console = open_console(color_scheme=theme, viewport=size)
    assert places
    page = console.open("deliveries?type=e2e.seen")
    if size == NARROW:
        page.get_by_role("button", name="Select").click()
    page.get_by_role("checkbox", name="Select row 1").check(force=True)
    expect(page.get_by_role("toolbar", name="Selected rows")).to_be_visible()
    assert console.violations(axe) == []
    page.get_by_role("button", name="Replay to…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Replay 1")).to_be_enabled()
    assert console.violations(axe) == []
    if size == NARROW:
        dialog.get_by_label("To", exact=True).select_option("An address")
    else:
        dialog.get_by_role("radiogroup", name="To").get_by_text("An address").click()
    expect(dialog.get_by_role("textbox", name="Address")).to_be_visible()
    assert console.violations(axe) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens_over_the_events(
    theme: str,
    places: list[str],
    axe: str,
    open_console: Callable[..., Console],
) -> None:
    console = open_console(color_scheme=theme)
    page = console.open(next(place for place in places if place.startswith("events?facets")))
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.get_by_role("combobox", name="Search events").fill("sub")
    expect(page.get_by_role("option", name="subject:")).to_be_visible()
    assert console.violations(axe) == []
    page.get_by_role("combobox", name="Search events").fill("")
    page.get_by_role("group", name="Events over time").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("slider", name="End of the span")).to_be_focused()
    assert console.violations(axe) == []
    page.keyboard.press("Escape")
    for name in ("Time range", "Saved searches"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert console.violations(axe) == []
        page.keyboard.press("Escape")
    for key, name in (("Control+k", "Search or jump"), ("?", "Keys")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert console.violations(axe) == []
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_nothing_scrolls_sideways_at_320_pixels(
    places: list[str], open_console: Callable[..., Console]
) -> None:
    console = open_console(viewport={"width": 320, "height": 640})
    for place in places:
        page = console.open(place)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, place
