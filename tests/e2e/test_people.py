"""Who may do what, in the console: members, roles, and keys."""

import asyncio
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
from playwright.sync_api import Page, expect

from tests.support.console import Console

BO = ("bo@example.com", "Bo Lind")


def execute(console: Console, statement: str, *values: object) -> Any:
    """Ask the database that `weir up` started; Playwright has a running loop in this thread."""
    running = json.loads((console.weir.home / "running.json").read_text())

    async def ask() -> Any:
        connection = await asyncpg.connect(running["database_url"])
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(asyncio.run, ask()).result()


def let_in(console: Console, role: str) -> None:
    """Make Bo a member of the console's project."""
    execute(
        console,
        """
        WITH person AS (
            INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), $1, $2)
            ON CONFLICT (email) DO UPDATE SET name = excluded.name RETURNING id)
        INSERT INTO members (project_id, user_id, role)
        SELECT p.id, person.id, $4 FROM person, projects p WHERE p.name = $3
        """,
        *BO,
        console.project,
        role,
    )


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has_text=name)


def test_members_get_roles_and_go(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("members-e2e", "owner")
    let_in(console, "viewer")
    page = console.open("settings/members")
    mine = row(page, "owner@localhost")
    expect(mine).to_contain_text("you")
    # The last owner stays one, and cannot leave.
    expect(mine.get_by_role("combobox")).to_have_count(0)
    expect(mine.get_by_role("button")).to_have_count(0)
    page.get_by_label("Role of Bo Lind").select_option("owner")
    expect(page.get_by_text("Bo Lind is owner now")).to_be_visible()
    expect(mine.get_by_role("combobox")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Role of Bo Lind")).to_have_value("owner")
    page.get_by_role("button", name="Actions for Bo Lind").click()
    page.get_by_role("menuitem", name="Remove…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Remove member")).to_be_disabled()
    dialog.get_by_label("Type bo@example.com to confirm").fill("bo@example.com")
    dialog.get_by_role("button", name="Remove member").click()
    expect(page.get_by_text("Removed Bo Lind")).to_be_visible()
    expect(row(page, "Bo Lind")).to_have_count(0)


def test_one_leaves_a_project_with_the_keys_one_made(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("leaving-e2e", "owner")
    let_in(console, "owner")
    page = console.open("settings/keys?create=yes")
    page.get_by_label("Name").fill("mine")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Key mine created.")).to_be_visible()
    page.get_by_role("link", name="Members").click()
    page.get_by_role("button", name="Actions for Owner").click()
    page.get_by_role("menuitem", name="Leave project…").click()
    page.get_by_text("Revoke the 1 API key made by you as well").click()
    page.get_by_label("Type leaving-e2e to confirm").fill("leaving-e2e")
    page.get_by_role("button", name="Leave project").click()
    expect(page).to_have_url(re.compile("/p/(?!leaving-e2e)"))
    left = "SELECT count(*) FROM api_keys WHERE name = 'mine' AND revoked_at IS NULL"
    assert execute(console, left) == 0


def test_a_role_is_made_given_changed_and_deleted(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("roles-e2e", "owner")
    let_in(console, "viewer")
    page = console.open("settings/roles")
    matrix = page.get_by_role("table", name="Permissions, and which role has them")
    expect(matrix.get_by_role("row", name=re.compile("^keys:write"))).to_contain_text("yesyesnono")
    page.get_by_role("link", name="Create role").click()
    page.get_by_label("Name", exact=True).fill("Support")
    page.get_by_label("What it is for").fill("Helps")
    page.get_by_label("Begin with what another role may do").select_option("viewer")
    page.get_by_label(re.compile("^deliveries:retry")).check(force=True)
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_text("must be of lower-case letters")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("support")
    page.get_by_role("button", name="Create role").click()
    expect(page).to_have_url(re.compile("/settings/roles$"))
    expect(matrix.get_by_role("row", name=re.compile("^deliveries:retry"))).to_contain_text("yesyesyesnoyes")

    page.get_by_role("link", name="Members").click()
    page.get_by_label("Role of Bo Lind").select_option("support")
    expect(page.get_by_text("Bo Lind is support now")).to_be_visible()
    page.get_by_role("link", name="Roles", exact=True).click()
    page.get_by_role("link", name="support").click()
    expect(page.get_by_label(re.compile("^events:read"))).to_be_checked()
    page.get_by_label(re.compile("^audit:read")).check(force=True)
    page.locator("header").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved support")).to_be_visible()
    shown = console.ask("GET", "/roles/support", None)
    assert "audit:read" in shown["permissions"]

    page.get_by_role("link", name="support").click()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_label("Type support to confirm").fill("support")
    page.get_by_role("button", name="Delete role").click()
    expect(page.get_by_text("Bo Lind has this role. Give them another first.")).to_be_visible()
    page.get_by_role("link", name="Members").click()
    page.get_by_label("Role of Bo Lind").select_option("viewer")
    expect(page.get_by_text("Bo Lind is viewer now")).to_be_visible()
    page.get_by_role("link", name="Roles", exact=True).click()
    page.get_by_role("link", name="support").click()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_label("Type support to confirm").fill("support")
    page.get_by_role("button", name="Delete role").click()
    expect(page.get_by_text("Deleted support")).to_be_visible()
    expect(page.get_by_role("link", name="support")).to_have_count(0)


def test_a_key_is_made_rotated_given_an_end_and_revoked(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("keys-e2e", "owner")
    page = console.open("keys")
    expect(page).to_have_url(re.compile("/settings/keys$"))
    page.get_by_role("button", name="Create key").click()
    page.get_by_label("Name").fill("reader")
    page.get_by_label("Expires").select_option("30")
    page.get_by_text("events:read", exact=True).click()
    page.get_by_role("button", name="Create", exact=True).click()
    block = page.get_by_role("region", name="New key")
    expect(block).to_contain_text("it is not stored and cannot be shown again")
    expect(block).to_contain_text("curl -H")
    first = block.get_by_text(re.compile("^weir_")).inner_text()
    with page.expect_download() as saved:
        block.get_by_role("button", name=".env").click()
    assert f"WEIR_API_KEY={first}" in saved.value.path().read_text()
    expect(row(page, "reader")).to_contain_text("Owner")
    block.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Actions for reader").click()
    page.get_by_role("menuitem", name="Rotate…").click()
    page.get_by_label("The secret that it has now works on").select_option("P1D")
    page.get_by_role("button", name="Make a new secret").click()
    expect(block).to_contain_text("reader has a new secret")
    second = block.get_by_text(re.compile("^weir_")).inner_text()
    assert (second[:18], second != first) == (first[:18], True)
    expect(row(page, "reader")).to_contain_text("old secret until")
    page.get_by_role("button", name="Actions for reader").click()
    page.get_by_role("menuitem", name="End the old secret").click()
    expect(row(page, "reader")).not_to_contain_text("old secret until")

    page.get_by_role("button", name="Actions for reader").click()
    page.get_by_role("menuitem", name="Change expiry…").click()
    page.get_by_role("dialog").get_by_label("Expires").select_option("date")
    page.get_by_label("Last day, in UTC").fill("2040-01-02")
    page.get_by_role("button", name="Set expiry").click()
    expect(row(page, "reader")).to_contain_text("2 Jan 2040")

    page.get_by_label("Search keys").fill("nothing like it")
    expect(page.get_by_text("No key fits")).to_be_visible()
    page.get_by_label("Search keys").fill(second[:9])
    expect(row(page, "reader")).to_be_visible()
    page.get_by_label("Search keys").fill("")
    page.get_by_role("button", name="Actions for reader").click()
    page.get_by_role("menuitem", name="Revoke…").click()
    page.get_by_label("Type reader to confirm").fill("reader")
    page.get_by_role("button", name="Revoke key").click()
    expect(row(page, "reader")).to_have_count(0)
    page.get_by_text("Revoked 1").click()
    expect(row(page, "reader")).to_be_visible()


def test_a_key_that_nobody_uses_is_named(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("unused-e2e", "owner")
    made = console.ask("POST", "/keys", {"name": "old-erp", "scopes": ["events:write"]})
    execute(
        console, "UPDATE api_keys SET last_used_at = now() - interval '94 days' WHERE id = $1", made["id"]
    )
    page = console.open("settings/keys")
    strip = page.get_by_role("region", name="Unused keys")
    expect(strip).to_contain_text("old-erp has not been used for 94 days and never expires.")
    strip.get_by_role("button", name="Set an expiry for old-erp").click()
    page.get_by_role("button", name="Set expiry").click()
    expect(strip).to_have_count(0)


def test_who_may_only_look_sees_no_button(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.enter("looking-e2e", "viewer")
    let_in(console, "owner")
    console.ask("POST", "/roles", {"name": "theirs", "permissions": ["events:read"]})
    page = console.open("settings/members")
    pages = page.get_by_role("navigation", name="Settings")
    expect(pages.get_by_role("link")).to_have_text(["General", "Members", "Roles", "Webhook sources", "Data"])
    main = page.get_by_role("main")
    expect(row(page, "Bo Lind")).to_contain_text("owner")
    expect(main.get_by_role("combobox")).to_have_count(0)
    # One may always leave.
    expect(main.get_by_role("button")).to_have_count(1)
    page = console.open("settings/roles")
    expect(page.get_by_role("link", name="theirs")).to_be_visible()
    expect(main.get_by_role("button")).to_have_count(0)
    expect(main.get_by_role("link", name="Create role")).to_have_count(0)
    page.get_by_role("link", name="theirs").click()
    expect(page.get_by_text("owners and admins change them")).to_be_visible()
    expect(page.get_by_label(re.compile("^events:read"))).to_be_disabled()
    expect(main.get_by_role("button", name=re.compile("Save|Delete"))).to_have_count(0)


def test_old_addresses_lead_on(open_console: Callable[..., Console]) -> None:
    console = open_console()
    console.ask("POST", "/sources", {"name": "moved", "kind": "hmac"})
    for old, new in (
        ("settings", "/settings/general"),
        ("keys?create=yes", r"/settings/keys\?create=yes"),
        ("sources", "/settings/sources"),
        ("sources/moved", "/settings/sources/moved"),
        ("new-source?kind=hmac", r"/settings/new-source\?kind=hmac"),
    ):
        page = console.open(old)
        expect(page).to_have_url(re.compile(new + "$"))
