"""Getting in, staying in, getting out."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.support.console import Console
from tests.support.weir import LocalWeir


def link(weir: LocalWeir) -> str:
    return weir.run("open", "--print").stdout.strip()


def test_a_link_signs_in_once(weir: LocalWeir, new_page: Callable[..., Page]) -> None:
    address = link(weir)
    page = new_page()
    page.goto(address)
    expect(page).to_have_url(re.compile("/p/default/"))
    assert "token" not in page.url
    page.reload()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()

    other = new_page()
    other.on("console", lambda _: None)
    other.goto(address)
    expect(other.get_by_role("heading", name="Not signed in")).to_be_visible()
    expect(other.get_by_role("alert")).to_contain_text("works once")


def test_the_link_for_an_owner_signs_in(weir: LocalWeir, new_page: Callable[..., Page]) -> None:
    """That of `weir deploy owner`: made by a program beside the database."""
    running = json.loads((weir.home / "running.json").read_text())
    settings = {"WEIR_DATABASE_URL": running["database_url"], "WEIR_PUBLIC_URL": running["url"]}
    made = subprocess.run(
        [sys.executable, "-m", "shared.auth.owner", "ann@example.com", "--project", "first"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    page = new_page()
    page.goto(json.loads(made.stdout.splitlines()[-1])["link"])
    expect(page).to_have_url(re.compile("/p/first/"))
    assert "token" not in page.url


def test_a_link_without_its_token_says_so(weir: LocalWeir, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(link(weir).partition("#")[0])
    expect(page.get_by_role("alert")).to_contain_text("no token")


def test_whoever_is_not_signed_in_is_asked_to_and_then_led_on(
    weir: LocalWeir, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    page.goto(f"{weir.json('context', 'show')['url']}/p/default/deliveries")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_signing_out_ends_the_session(weir: LocalWeir, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(link(weir))
    expect(page).to_have_url(re.compile("/p/default/"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{weir.json('context', 'show')['url']}/p/default/events")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_neither_token_is_within_reach_of_a_script(console: Console) -> None:
    page = console.open("events")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in kept
    assert "weir_refresh" not in kept
