"""Signing in by steps, and one's account: password, authenticator, passkeys, sessions."""

import json
import re
import time
from base64 import b32decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest
from playwright.sync_api import Page, expect

from functions.identity.second_factor.totp import STEP_SECONDS, code_at
from tests.e2e.test_accessibility import NARROW, WIDE
from tests.support.console import Console
from tests.support.people import Person, create_person, new_link
from tests.support.weir import LocalWeir

PASSWORD = "nine grey herons wade"
ANOTHER = "eleven slow barges pass"


@dataclass
class Somebody:
    """A person of their own for each test: what one does to an account others would meet."""

    person: Person
    url: str
    weir: LocalWeir

    def run(self, sql: str, *values: object) -> object:
        """One value out of the database."""
        running = json.loads((self.weir.home / "running.json").read_text())

        async def ask() -> object:
            connection = await asyncpg.connect(running["database_url"])
            try:
                return await connection.fetchval(sql, *values)
            finally:
                await connection.close()

        return in_another_thread(ask)

    def link(self) -> str:
        """The address of a one-time link, as `make_somebody` gives one."""
        running = json.loads((self.weir.home / "running.json").read_text())

        async def make() -> str:
            async with asyncpg.create_pool(running["database_url"], min_size=1, max_size=1) as pool:
                return await new_link(pool, self.person)

        return f"{self.url}/sign-in/link#token={in_another_thread(make)}"


def in_another_thread(work: Callable) -> object:
    """Playwright has a running loop in this one."""
    import asyncio

    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, work()).result()


@pytest.fixture
def somebody(weir: LocalWeir) -> Somebody:
    """Somebody with a password, who may look at the project `default`."""
    running = json.loads((weir.home / "running.json").read_text())

    async def make() -> Person:
        async with asyncpg.create_pool(running["database_url"], min_size=1, max_size=1) as pool:
            project = await pool.fetchval("SELECT id FROM projects WHERE name = 'default'")
            return await create_person(pool, password=PASSWORD, roles={project: "viewer"})

    # A name, since browsers keep passkeys for no address.
    url = running["url"].replace("127.0.0.1", "localhost")
    return Somebody(in_another_thread(make), url, weir)


def fill_in(page: Page, somebody: Somebody, password: str = PASSWORD) -> None:
    """The first step, without what comes of it."""
    page.goto(f"{somebody.url}/sign-in?to=/p/default/account")
    page.get_by_label("Email").fill(somebody.person.email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_in(page: Page, somebody: Somebody) -> Page:
    fill_in(page, somebody)
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page


def age_proof(somebody: Somebody) -> None:
    """As if all sessions had been proved long ago."""
    import redis

    running = json.loads((somebody.weir.home / "running.json").read_text())
    with redis.Redis.from_url(running["redis_url"], decode_responses=True) as client:
        for family in client.smembers(f"weir:user-sessions:{somebody.person.id}"):
            client.hset(f"weir:session:{family}", "proved", "1")


def code_of(secret: str, steps: int = 0) -> str:
    return code_at(b32decode(secret), int(time.time() // STEP_SECONDS) + steps)


@pytest.fixture
def authenticator() -> Callable[[Page], str]:
    """Gives a page's browser a device that makes passkeys, and knows its user's finger."""

    def give(page: Page) -> str:
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.devtools = devtools
        return str(made["authenticatorId"])

    return give


def set_up_authenticator(page: Page) -> tuple[str, list[str]]:
    page.get_by_role("button", name="Set up").click()
    section = page.get_by_role("region", name="Set up an authenticator")
    expect(section.get_by_role("img", name="QR code")).to_be_visible()
    secret = section.locator("code").inner_text().replace(" ", "")
    section.get_by_label("Code of six digits").fill("000000")
    section.get_by_role("button", name="Switch on").click()
    expect(section.get_by_text("is not right")).to_be_visible()
    section.get_by_label("Code of six digits").fill(code_of(secret, -1))
    section.get_by_role("button", name="Switch on").click()
    codes = page.get_by_role("list", name="The codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    return secret, codes.all_inner_texts()


def test_an_authenticator_is_set_up_and_asked_for(somebody: Somebody, new_page: Callable[..., Page]) -> None:
    page = sign_in(new_page(), somebody)
    secret, codes = set_up_authenticator(page)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("10 left")).to_be_visible()
    expect(page.get_by_text(codes[0])).to_have_count(0)

    other = new_page()
    fill_in(other, somebody)
    expect(other.get_by_role("heading", name="One more step")).to_be_visible()
    other.get_by_label("Code of six digits").fill("123 456")
    expect(other.get_by_text("not right")).to_be_visible()
    # The sixth digit is enough.
    other.get_by_label("Code of six digits").press_sequentially(code_of(secret))
    expect(other.get_by_role("heading", name="Account")).to_be_visible()

    third = new_page()
    fill_in(third, somebody)
    third.get_by_role("button", name="use a recovery code").click()
    third.get_by_label("Recovery code").fill(codes[4].upper())
    third.get_by_role("button", name="Sign in", exact=True).click()
    expect(third.get_by_text("9 left")).to_be_visible()
    about = third.get_by_role("region", name="About your account")
    expect(about).to_contain_text("recovery code")
    about.get_by_role("button", name="Put away").click()
    expect(about).to_have_count(0)


def test_a_passkey_signs_in(
    somebody: Somebody, new_page: Callable[..., Page], authenticator: Callable[[Page], str]
) -> None:
    page = new_page()
    device = authenticator(page)
    sign_in(page, somebody)
    page.get_by_role("button", name="Add passkey").click()
    page.get_by_label("What to call it").fill("Laptop")
    page.get_by_role("button", name="Make passkey").click()
    expect(page.get_by_role("list", name="The codes").get_by_role("listitem")).to_have_count(10)
    expect(page.get_by_role("list", name="Passkeys")).to_contain_text("Laptop")
    kept = page.devtools.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert [(one["rpId"], one["isResidentCredential"]) for one in kept] == [("localhost", True)]

    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/p/default/"))

    # And as the second factor, after the password.
    page.get_by_role("button", name="Sign out").first.click()
    fill_in(page, somebody)
    page.get_by_role("button", name="Show passkey").click()
    expect(page.get_by_role("heading", name="Account")).to_be_visible()
    expect(page.get_by_role("list", name="Passkeys")).to_contain_text("used")
    assert somebody.run("SELECT sign_count FROM passkeys WHERE user_id = $1", somebody.person.id) == 3

    page.get_by_role("button", name="Rename Laptop").click()
    passkeys = page.get_by_role("list", name="Passkeys")
    passkeys.get_by_label("Name", exact=True).fill("Old laptop")
    passkeys.get_by_role("button", name="Save name").click()
    age_proof(somebody)
    page.get_by_role("button", name="Remove Old laptop").click()
    page.get_by_role("dialog").get_by_role("button", name="Show passkey").click()
    expect(page.get_by_role("list", name="Passkeys")).to_have_count(0)


def test_a_passkey_that_is_called_off_is_told_of(
    somebody: Somebody, new_page: Callable[..., Page], authenticator: Callable[[Page], str]
) -> None:
    page = new_page()
    device = authenticator(page)
    page.goto(f"{somebody.url}/sign-in")
    page.devtools.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was shown")


def test_sessions_are_seen_and_ended(somebody: Somebody, new_page: Callable[..., Page]) -> None:
    phone = new_page(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Mobile Safari/604.1")
    sign_in(phone, somebody)
    page = sign_in(new_page(), somebody)
    sessions = page.get_by_role("list", name="Sessions").get_by_role("listitem")
    expect(sessions).to_have_count(2)
    expect(sessions.filter(has_text="this one")).to_contain_text("Linux")
    age_proof(somebody)
    sessions.filter(has_text="Safari 19 on iPhone").get_by_role("button", name="End").click()
    proof = page.get_by_role("dialog", name="Is it still you?")
    proof.get_by_label("Your password", exact=True).fill("not the password")
    proof.get_by_role("button", name="Go on").click()
    expect(proof.get_by_text("is not right")).to_be_visible()
    proof.get_by_label("Your password", exact=True).fill(PASSWORD)
    proof.get_by_role("button", name="Go on").click()
    expect(sessions).to_have_count(1)
    phone.reload()
    expect(phone.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    page.goto(f"{somebody.url}/p/default/events")
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def test_a_password_is_changed(somebody: Somebody, new_page: Callable[..., Page]) -> None:
    page = sign_in(new_page(), somebody)
    page.get_by_role("button", name="Change password").click()
    form = page.locator("#password-form")
    form.get_by_label("Current password", exact=True).fill("not this one")
    form.get_by_label("New password", exact=True).fill("Password2026!")
    form.get_by_role("button", name="Save password").click()
    expect(form.get_by_text("is not the current password")).to_be_visible()
    form.get_by_label("Current password", exact=True).fill(PASSWORD)
    form.get_by_role("button", name="Save password").click()
    expect(form.get_by_text("everybody tries first")).to_be_visible()
    form.get_by_role("button", name="Show new password").click()
    expect(form.get_by_label("New password", exact=True)).to_have_attribute("type", "text")
    form.get_by_label("New password", exact=True).fill(ANOTHER)
    form.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("Password saved")).to_be_visible()
    other = new_page()
    fill_in(other, somebody)
    expect(other.get_by_role("alert")).to_contain_text("do not fit")
    fill_in(other, somebody, ANOTHER)
    expect(other.get_by_role("heading", name="Account")).to_be_visible()


def test_a_forgotten_password(somebody: Somebody, new_page: Callable[..., Page]) -> None:
    """Without mail an operator is named; their link, as the mail's, leads to a new password."""
    page = new_page()
    page.goto(f"{somebody.url}/sign-in")
    page.get_by_role("link", name="Forgotten?").click()
    page.get_by_label("Email").fill(somebody.person.email)
    page.get_by_role("button", name="Get a link").click()
    expect(page.get_by_role("heading", name="Ask who runs this Weir")).to_be_visible()
    expect(page.get_by_text("--only-link")).to_contain_text(somebody.person.email)
    page.goto(f"{somebody.link()}&then=password")
    expect(page).to_have_url(re.compile("/p/default/account"))
    assert "token" not in page.url
    field = page.get_by_label("New password", exact=True)
    expect(field).to_be_focused()
    field.fill(ANOTHER)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Password saved")).to_be_visible()


def test_a_name_is_changed(somebody: Somebody, new_page: Callable[..., Page]) -> None:
    page = sign_in(new_page(), somebody)
    name = f"Mara {uuid4().hex[:6]}"
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_text("Name saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_in_any_state(
    theme: str,
    size: dict[str, int],
    axe: str,
    somebody: Somebody,
    new_page: Callable[..., Page],
    authenticator: Callable[[Page], str],
) -> None:
    page = new_page(color_scheme=theme, viewport=size)
    authenticator(page)
    seen = Console(page, somebody.weir)
    page.goto(f"{somebody.url}/sign-in")
    expect(page.get_by_role("button", name="passkey")).to_be_visible()
    assert seen.violations(axe) == []
    page.goto(f"{somebody.url}/sign-in/forgotten")
    expect(page.get_by_label("Email")).to_be_focused()
    assert seen.violations(axe) == []

    somebody.run(
        "INSERT INTO notices (id, user_id, kind, address, browser) VALUES ($1, $2, 'sessionReused', "
        "'203.0.113.9', 'Firefox 145 on Windows') RETURNING 1",
        uuid4(),
        somebody.person.id,
    )
    sign_in(page, somebody)
    assert seen.violations(axe) == []
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("button", name="Add passkey").click()
    assert seen.violations(axe) == []
    page.get_by_role("button", name="Make passkey").click()
    expect(page.get_by_role("list", name="The codes")).to_be_visible()
    page.get_by_role("button", name="Rename").click()
    assert seen.violations(axe) == []
    page.get_by_role("list", name="Passkeys").get_by_role("button", name="Cancel").click()
    age_proof(somebody)
    page.get_by_role("button", name="Remove", exact=False).last.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert seen.violations(axe) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    fill_in(page, somebody)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert seen.violations(axe) == []
    page.get_by_role("button", name="use a recovery code").click()
    assert seen.violations(axe) == []
