"""The console and the API at one address, as on a cluster: TLS ends at a load balancer, nginx sends each path on."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.edge import edge
from tests.support.hosts import ROOT, TlsEnd
from tests.support.served import free_port
from tests.support.weir import LocalWeir

DIST = ROOT / "frontend/dist"


@dataclass
class Public:
    """A Weir behind its edge: `origin` as browsers have it, `inside` as the load balancer does."""

    weir: LocalWeir
    origin: str
    inside: str


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Public]:
    home = tmp_path_factory.mktemp("edge") / "home"
    port, front = free_port(), free_port()
    weir = LocalWeir(home, WEIR_PUBLIC_URL=f"https://weir.test:{port}")
    end = TlsEnd(port, front)
    try:
        weir.up()
        functions = json.loads((home / "running.json").read_text())["port"]
        end.open()
        folder = tmp_path_factory.mktemp("nginx")
        with edge(folder, DIST, f"127.0.0.1:{functions}", front) as running:
            yield Public(weir, f"https://weir.test:{port}", running.url)
    finally:
        end.close()
        weir.kill()


def test_one_origin_is_enough(public: Public, new_page: Callable[..., Page]) -> None:
    page = new_page(ignore_https_errors=True)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    token = public.weir.run("open", "--print").stdout.strip().partition("#")[2]
    page.goto(f"{public.origin}/sign-in/link#{token}")
    page.wait_for_url("**/p/default/**")
    kept = page.context.cookies()
    assert {cookie["name"] for cookie in kept} == {"__Secure-weir_refresh", "__Secure-weir_device"}
    for cookie in kept:
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"

    page.goto(f"{public.origin}/p/default/events?type=edge.seen")
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    key = public.weir.json("context", "show")["apiKey"]
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/edge",
        "type": "edge.seen",
        "subject": "as it comes",
    }
    answer = httpx.post(
        f"{public.inside}/in/default",
        content=json.dumps(event),
        headers={"authorization": f"Bearer {key}", "content-type": "application/cloudevents+json"},
    )
    assert answer.status_code == 202
    expect(page.get_by_text("as it comes")).to_be_visible()

    page.reload()
    expect(page.get_by_text("as it comes")).to_be_visible()
    page.goto(f"{public.origin}/p/default/subscriptions/new")
    page.get_by_label("Address").fill("http://127.0.0.1:9/")
    page.get_by_label("Name").last.fill("by-one-origin")
    page.get_by_role("button", name=re.compile("Create")).click()
    expect(page).to_have_url(re.compile(r"/subscriptions/[0-9a-f-]{36}$"))

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{public.origin}/p/default/events")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert {url.partition("//")[2].partition("/")[0] for url in asked} == {public.origin.partition("//")[2]}
