"""The console on a host of static files, with the API at another origin, as on a content delivery network."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.hosts import ROOT, StaticHost, TlsEnd
from tests.support.served import free_port
from tests.support.weir import LocalWeir

DIST = ROOT / "frontend/dist"
UNREACHABLE = ("net::ERR_CONNECTION_REFUSED", "net::ERR_CONNECTION_RESET")
"""What is asked of an API that is away, and what was under way when it went."""
NO_CORS = ("blocked by CORS policy", "net::ERR_FAILED")


@dataclass
class Public:
    """A Weir behind TLS, and its console at another host."""

    weir: LocalWeir
    console: StaticHost
    api: TlsEnd

    def link(self) -> str:
        token = self.weir.run("open", "--print").stdout.strip().partition("#")[2]
        return f"{self.console.origin}/sign-in/link#{token}"


def public(home: Path, api_name: str, **environment: str) -> Iterator[Public]:
    port = free_port()
    api = f"https://{api_name}:{port}"
    console = StaticHost(DIST, "console.weir.test", api)
    weir = LocalWeir(home, WEIR_PUBLIC_URL=api, WEIR_CONSOLE_ORIGINS=console.origin, **environment)
    end: TlsEnd | None = None
    try:
        weir.up()
        end = TlsEnd(port, json.loads((home / "running.json").read_text())["port"])
        end.open()
        yield Public(weir, console, end)
    finally:
        if end is not None:
            end.close()
        console.close()
        weir.kill()


@pytest.fixture(scope="module")
def same_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    """console.weir.test and api.weir.test: two origins of one site, as is advised."""
    yield from public(tmp_path_factory.mktemp("same") / "home", "api.weir.test")


@pytest.fixture(scope="module")
def cross_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    """console.weir.test and api.elsewhere.test: to the browser the API is a third party."""
    folder = tmp_path_factory.mktemp("cross")
    yield from public(folder / "home", "api.elsewhere.test", WEIR_COOKIE_SAME_SITE="none")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page(ignore_https_errors=True)


@pytest.mark.parametrize("where", ["same_site", "cross_site"])
def test_the_console_works_from_another_origin(
    where: Literal["same_site", "cross_site"], request: pytest.FixtureRequest, page: Page
) -> None:
    there: Public = request.getfixturevalue(where)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(there.link())
    page.wait_for_url("**/p/default/**")

    page.reload()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    page.goto(f"{there.console.origin}/p/default/events")
    expect(page.get_by_role("heading", name="Events")).to_be_visible()

    page.goto(f"{there.console.origin}/p/default/subscriptions/new")
    page.get_by_label("Address").fill("http://127.0.0.1:9/")
    page.get_by_label("Name").last.fill("from-afar")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page).to_have_url(re.compile(r"/subscriptions/[0-9a-f-]{36}$"))

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{there.console.origin}/p/default/events")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    api = json.loads(there.console.config or "")["apiUrl"]
    assert {url.partition("/v1/")[0] for url in asked if "/v1/" in url} == {api}


@pytest.mark.refused(*UNREACHABLE)
def test_an_api_that_is_away_is_waited_for(same_site: Public, page: Page) -> None:
    page.goto(same_site.link())
    page.wait_for_url("**/p/default/**")
    page.goto(f"{same_site.console.origin}/p/default/events?q=kept")
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    same_site.api.close()
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"No connection.*api\.weir\.test.*did not answer")
    )
    same_site.api.open()
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    assert page.url.endswith("/p/default/events?q=kept")


@pytest.mark.refused(*NO_CORS)
def test_a_page_of_another_origin_is_told_that_it_is_not_allowed(same_site: Public, page: Page) -> None:
    api = json.loads(same_site.console.config or "")["apiUrl"]
    other = StaticHost(DIST, "other.weir.test", api)
    page.goto(other.origin)
    page.get_by_label("Email").fill("owner@localhost")
    page.get_by_label("Password", exact=True).fill("a password of somebody")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"not to pages of https://other.*WEIR_CONSOLE_ORIGINS")
    )
    # Somebody who was signed in before, or is elsewhere on the same host.
    page.evaluate("localStorage.setItem('weir.session', '1')")
    page.goto(f"{other.origin}/p/default/events")
    expect(page.get_by_role("alert")).to_contain_text(
        re.compile(r"Not allowed from here.*WEIR_CONSOLE_ORIGINS")
    )
    other.close()


@pytest.mark.refused("Content Security Policy", "Refused to connect")
def test_a_policy_that_forbids_the_api_is_named(same_site: Public, page: Page) -> None:
    api = json.loads(same_site.console.config or "")["apiUrl"]
    other = StaticHost(DIST, "console.weir.test", api)
    other.connect = "https://old.weir.test"
    page.goto(other.origin)
    page.evaluate("localStorage.setItem('weir.session', '1')")
    page.goto(f"{other.origin}/p/default/events")
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"does not let it call.*connect-src"))
    other.close()


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (None, "probably not there"),
        ('{"apiUrl": ', "not JSON"),
        ('{"apiUrl": "http://api.weir.test"}', "by http"),
        ('{"apiUrl": "api.weir.test"}', "https://api.example.com"),
    ],
)
def test_a_config_that_cannot_be_used_is_explained(page: Page, config: str | None, why: str) -> None:
    host = StaticHost(DIST, "console.weir.test", "https://api.weir.test")
    host.config = config
    page.goto(f"{host.origin}/p/default/events")
    expect(page.get_by_role("heading", name="The console is not set up")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(why)
    host.config = '{"apiUrl": ""}'
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    host.close()
