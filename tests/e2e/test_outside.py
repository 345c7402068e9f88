"""Coming in from outside: by a provider, by an invitation, and letting a command in."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import redis
from playwright.sync_api import Page, expect

from tests.support import oidc
from tests.support.console import Console
from tests.support.oidc import OidcProvider
from tests.support.weir import LocalWeir

WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PASSWORD = "correct horse battery staple"

pytestmark = pytest.mark.refused("fonts.googleapis.com", "ERR_NAME_NOT_RESOLVED", "ERR_INTERNET_DISCONNECTED")


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="module")
def weir(tmp_path_factory: pytest.TempPathFactory, provider: OidcProvider) -> Iterator[LocalWeir]:
    """One that the provider signs people in to."""
    told = oidc.settings(provider.issuer, WEIR_OIDC_DOMAINS="example.org")
    local = LocalWeir(tmp_path_factory.mktemp("outside") / "home", **told)
    local.up()
    yield local
    local.kill()


@pytest.fixture(scope="module")
def url(weir: LocalWeir) -> str:
    return str(weir.json("context", "show")["url"])


def somebody(domain: str = "example.org") -> str:
    return f"{uuid4().hex[:8]}@{domain}"


def invite(weir: LocalWeir, email: str, role: str = "operator") -> dict[str, Any]:
    """An invitation to `default`, by the key that may do everything."""
    context = weir.json("context", "show")
    made = httpx.post(
        f"{context['url']}/v1/projects/default/invitations",
        json={"email": email, "role": role},
        headers={"authorization": f"Bearer {context['apiKey']}"},
    )
    assert made.status_code == 201, made.text
    return dict(made.json())


def at_the_provider(page: Page, who: str) -> None:
    """Sign in there, and agree."""
    page.get_by_placeholder("Enter any login").fill(who)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def age_proofs(weir: LocalWeir) -> None:
    """As if all who are signed in had proved who they are long ago."""
    running = json.loads((weir.home / "running.json").read_text())
    with redis.Redis.from_url(running["redis_url"], decode_responses=True) as client:
        for session in client.scan_iter("weir:session:*"):
            client.hset(session, "proved", "1")


def sign_up(page: Page, link: str, name: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page).to_have_url(re.compile("/p/default/"))


def test_the_provider_comes_first_and_signs_in(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    page.goto(f"{url}/sign-in")
    buttons = page.get_by_role("main").get_by_role("button")
    expect(buttons.first).to_have_text("Continue with Example ID")
    buttons.first.click()
    email = somebody()
    at_the_provider(page, email)
    expect(page.get_by_text("No project yet")).to_be_visible()
    assert "code" not in page.url
    assert "state" not in page.url
    page.reload()
    expect(page.get_by_text("No project yet")).to_be_visible()


def test_whoever_was_going_somewhere_comes_out_there(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    page.goto(f"{url}/device")
    page.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(page, somebody())
    expect(page.get_by_role("heading", name="Sign in on a device")).to_be_visible()


def test_what_the_provider_refuses_is_said_in_words(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_role("button", name="Continue with Example ID").click()
    page.get_by_role("link", name=re.compile("Cancel")).click()
    expect(page.get_by_role("heading", name="Not signed in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("You did not let Example ID sign you in")

    page.goto(f"{url}/sign-in")
    page.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(page, somebody("elsewhere.example"))
    expect(page.get_by_role("alert")).to_contain_text("invitation")
    page.get_by_role("link", name="Back to sign-in").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def test_what_somebody_wrote_into_the_address_is_not_shown(new_page: Callable[..., Page], url: str) -> None:
    page = new_page()
    page.goto(f"{url}/sign-in/oidc?error=x&error_description=Call+0800+1234&state=made-up")
    expect(page.get_by_role("alert")).to_contain_text("not begun in this tab")
    expect(page.get_by_text("0800")).to_have_count(0)


def test_an_account_is_connected_once_and_for_good(
    new_page: Callable[..., Page], weir: LocalWeir, url: str
) -> None:
    email = somebody()
    sign_up(new_page(), invite(weir, email)["link"], "Ann Example")
    page = new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(page, email)
    expect(page.get_by_role("heading", name="You have an account here")).to_be_visible()
    page.get_by_role("link", name="Sign in to connect them").click()
    expect(page.get_by_role("button", name="Continue with Example ID")).to_have_count(0)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile("/p/default/"))

    other = new_page()
    other.goto(f"{url}/sign-in")
    other.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(other, email)
    expect(other).to_have_url(re.compile("/p/default/"))


def test_an_invited_person_makes_an_account(new_page: Callable[..., Page], weir: LocalWeir) -> None:
    email = somebody("elsewhere.example")
    link = invite(weir, email)["link"]
    page = new_page()
    page.goto(link)
    expect(page.get_by_role("heading", name="Join default")).to_be_visible()
    assert "token" not in page.url
    expect(page.get_by_role("definition").filter(has_text=email)).to_be_visible()
    page.get_by_label("Your name").fill("Bob Example")
    page.get_by_label(re.compile("^Password")).fill("password1234")
    page.get_by_role("button", name="Create account and join").click()
    expect(page.get_by_text("tries first")).to_be_visible()
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page).to_have_url(re.compile("/p/default/"))
    expect(page.get_by_text("Bob Example")).to_be_visible()

    again = new_page()
    again.goto(link)
    expect(again.get_by_role("heading", name="This invitation was accepted")).to_be_visible()


def test_an_invited_person_comes_by_the_provider(new_page: Callable[..., Page], weir: LocalWeir) -> None:
    page = new_page()
    page.goto(invite(weir, somebody("elsewhere.example"))["link"])
    page.get_by_role("button", name="Continue with Example ID").click()
    email = somebody("another.example")
    at_the_provider(page, email)
    expect(page.get_by_role("note")).to_contain_text(email)
    page.get_by_role("button", name=f"Join as {email}").click()
    expect(page).to_have_url(re.compile("/p/default/"))


def test_whoever_has_an_account_signs_in_and_joins(
    new_page: Callable[..., Page], weir: LocalWeir, url: str
) -> None:
    context = weir.json("projects", "create", f"p-{uuid4().hex[:8]}")
    email = somebody()
    sign_up(new_page(), invite(weir, email)["link"], "Cleo Example")
    made = httpx.post(
        f"{url}/v1/projects/{context['project']}/invitations",
        json={"email": email, "role": "viewer"},
        headers={"authorization": f"Bearer {context['apiKey']}"},
    ).json()
    page = new_page()
    page.goto(made["link"])
    page.get_by_label("Your name").fill("Cleo Example")
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page.get_by_role("alert")).to_contain_text("There is an account")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name=f"Join {context['project']}")).to_be_visible()
    expect(page.get_by_role("note")).to_have_count(0)
    page.get_by_role("button", name=f"Join as {email}").click()
    expect(page).to_have_url(re.compile(f"/p/{context['project']}/"))


def test_a_member_or_somebody_else_is_told_so(open_console: Callable[..., Console], weir: LocalWeir) -> None:
    page = open_console().page
    link = invite(weir, somebody())["link"]
    page.goto(link)
    expect(page.get_by_role("heading", name="You are in default already")).to_be_visible()
    page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_role("heading", name="Join default")).to_be_visible()
    expect(page.get_by_label("Your name")).to_be_visible()


def test_a_link_that_is_no_good_says_why(new_page: Callable[..., Page], weir: LocalWeir, url: str) -> None:
    made = invite(weir, somebody())
    context = weir.json("context", "show")
    httpx.delete(
        f"{url}/v1/projects/default/invitations/{made['id']}",
        headers={"authorization": f"Bearer {context['apiKey']}"},
    ).raise_for_status()
    page = new_page()
    for link in (made["link"], f"{url}/invitation"):
        page.goto(link)
        expect(page.get_by_role("heading", name="There is no such invitation")).to_be_visible()


@pytest.fixture
def login(weir: LocalWeir, url: str, tmp_path: Any) -> Iterator[Callable[[], tuple[Any, str, str]]]:
    """Starts `weir login` on somebody's laptop; the process, its code and its address."""
    started: list[subprocess.Popen[str]] = []

    def start() -> tuple[Any, str, str]:
        process = weir.start(
            *("login", url, "--no-browser", "--name", "laptop"),
            WEIR_HOME=str(tmp_path / "none"),
            XDG_CONFIG_HOME=str(tmp_path),
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
        )
        started.append(process)
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        code, address = re.search(r"[A-Z]{4}-[A-Z]{4}", said), re.search(r"http\S+", said)
        assert code is not None, said
        assert address is not None, said
        return process, code[0], address[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_command_is_let_in(
    open_console: Callable[..., Console],
    login: Callable[[], tuple[Any, str, str]],
    tmp_path: Any,
    weir: LocalWeir,
) -> None:
    page = open_console().page
    process, code, address = login()
    page.goto(address)
    expect(page.get_by_label("The code", exact=True)).to_have_text(code)
    assert "code" not in page.url
    expect(page.get_by_role("definition").filter(has_text="weir on Linux")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="default (owner)")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Signed in")).to_be_visible()
    assert process.wait(30) == 0
    me = weir.run(
        *("whoami", "--context", "laptop", "-o", "json"),
        XDG_CONFIG_HOME=str(tmp_path),
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )
    assert json.loads(me.stdout)["email"] == "owner@localhost"


def test_whoever_signed_in_long_ago_shows_first_that_it_is_them(
    new_page: Callable[..., Page], login: Callable[[], tuple[Any, str, str]], weir: LocalWeir
) -> None:
    page = new_page()
    sign_up(page, invite(weir, somebody())["link"], "Dora Example")
    process, _, address = login()
    page.goto(address)
    age_proofs(weir)
    page.get_by_role("button", name="Approve").click()
    proof = page.get_by_role("dialog", name="Is it still you?")
    proof.get_by_role("button", name="Cancel").click()
    expect(proof).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Approve").click()
    proof.get_by_label("Your password", exact=True).fill(PASSWORD)
    proof.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Signed in")).to_be_visible()
    assert process.wait(30) == 0


def test_a_code_is_typed_and_refused(
    open_console: Callable[..., Console], login: Callable[[], tuple[Any, str, str]], url: str
) -> None:
    page = open_console().page
    process, code, _ = login()
    page.goto(f"{url}/device")
    page.get_by_label("Code").fill("XXXX-XXXX")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("No device waits")).to_be_visible()
    page.get_by_label("Code").fill(code.lower().replace("-", ""))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", name="Refused")).to_be_visible()
    assert process.wait(30) == 4


def test_a_command_is_let_in_by_who_signs_in_first(
    new_page: Callable[..., Page], login: Callable[[], tuple[Any, str, str]]
) -> None:
    page = new_page()
    _, code, address = login()
    page.goto(address)
    page.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(page, somebody())
    expect(page.get_by_label("The code", exact=True)).to_have_text(code)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(
    open_console: Callable[..., Console],
    new_page: Callable[..., Page],
    weir: LocalWeir,
    url: str,
    axe: str,
    login: Callable[[], tuple[Any, str, str]],
    scheme: str,
    size: dict[str, int],
) -> None:
    outside = Console(new_page(viewport=size, color_scheme=scheme), weir)
    inside = open_console(viewport=size, color_scheme=scheme)
    opened = invite(weir, somebody())["link"]
    _, _, address = login()
    for console, place, heading in (
        (outside, f"{url}/sign-in", "Sign in"),
        (outside, f"{url}/sign-in/oidc", "Not signed in"),
        (outside, opened, "Join default"),
        (outside, f"{url}/invitation#token=none", "There is no such invitation"),
        (inside, opened, "You are in default already"),
        (inside, f"{url}/device", "Sign in on a device"),
        (inside, address, "Let this device sign in?"),
    ):
        console.page.goto("about:blank")
        console.page.goto(place)
        expect(console.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        assert console.violations(axe) == [], place
        assert console.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


def test_people_are_invited_from_the_page_of_members(
    open_console: Callable[..., Console], new_page: Callable[..., Page], axe: str
) -> None:
    console = open_console()
    page = console.open("settings/members")
    page.get_by_role("button", name="Invite people").click()
    email = somebody()
    form = page.get_by_role("form", name="Invite somebody")
    form.get_by_label("E-mail address").fill(email)
    form.get_by_label("Role").select_option("operator")
    form.get_by_role("button", name="Invite", exact=True).click()
    first = page.get_by_label("The link").inner_text()
    row = page.get_by_role("row").filter(has_text=email)
    expect(row).to_contain_text("operator")
    expect(row).to_contain_text("invited, the link ends in 7 days")
    assert console.violations(axe) == []

    page.get_by_role("button", name="Invite people").click()
    form.get_by_label("E-mail address").fill(email)
    assert console.violations(axe) == []
    form.get_by_role("button", name="Invite", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("is invited already")
    form.get_by_role("button", name="Cancel").click()

    row.get_by_role("button", name=f"Actions for {email}").click()
    page.get_by_role("menuitem", name="Make a new link").click()
    expect(page.get_by_label("The link")).not_to_have_text(first)
    second = page.get_by_label("The link").inner_text()
    row.get_by_role("button", name=f"Actions for {email}").click()
    page.get_by_role("menuitem", name="Revoke").click()
    expect(row).to_have_count(0)
    guest = new_page()
    for link in (first, second):
        guest.goto("about:blank")
        guest.goto(link)
        expect(guest.get_by_role("heading", name="There is no such invitation")).to_be_visible()
