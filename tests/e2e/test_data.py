"""What is kept of a project's data: brought back from the archive, held, and tried to be erased."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import expect

from cli.local.home import Home
from shared.db.pool import open_pool
from tests.support.archive import archive
from tests.support.console import Console
from tests.support.stream import an_event

AT = datetime(2024, 6, 3, 12, tzinfo=UTC)
DAY = "2024-06-03"


@pytest.fixture
def kept(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A project that keeps a month, with two events of one subject in its archive."""
    console.enter(f"kept-{console.page.evaluate('Date.now()')}", "owner")
    console.ask("PUT", "/retention", {"retentionDays": 30})
    monkeypatch.setenv("WEIR_ARCHIVE_URL", (console.weir.home / "archive").as_uri())
    told = Home(console.weir.home).running()
    assert told is not None

    async def put() -> list[UUID]:
        pool = await open_pool(told.database_url, size=1)
        try:
            project = await pool.fetchval("SELECT id FROM projects WHERE name = $1", console.project)
            events = [an_event(n, type="data.kept", subject="mara", data=b"7") for n in range(2)]
            return await archive(pool, project, events, AT)
        finally:
            await pool.close()

    # Playwright has a running loop in this thread.
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, put()).result()
    return console


def test_what_is_past_retention_is_found_in_the_archive_and_brought_back(kept: Console, axe: str) -> None:
    page = kept.open(f"events?until={DAY}T18:00:00Z")
    expect(page.get_by_text("Past retention")).to_be_visible()
    page.get_by_role("link", name="Look in the archive").click()
    expect(page).to_have_url(re.compile(rf"/settings/data\?day={DAY}$"))
    expect(page.get_by_text(f"From {DAY} back.")).to_be_in_viewport()
    page.get_by_role("button", name=f"Bring back {DAY}").click()
    dialog = page.get_by_role("dialog", name=f"Bring {DAY} back")
    dialog.get_by_label("Only with subject").fill("mara")
    dialog.get_by_label("Reason, for the audit log").fill("a customer asks")
    assert kept.violations(axe) == []
    dialog.get_by_role("button", name="Bring back up to 2 events").click()
    recalls = page.get_by_role("list", name="Recalls")
    expect(recalls).to_contain_text("2 of at most 2 events", timeout=30_000)
    expect(recalls).to_contain_text("a customer asks")
    assert kept.violations(axe) == []
    kept.open(f"events?since={DAY}T00:00:00Z&until={DAY}T18:00:00Z")
    expect(page.get_by_role("grid", name="Events").get_by_text("data.kept").first).to_be_visible()

    page = kept.open("settings/data?day=2024-06-01")
    expect(page.get_by_text("Nothing of 2024-06-01, nor of before, is in the archive.")).to_be_visible()
    page.get_by_role("button", name="Show every day").click()
    expect(page.get_by_role("cell", name=DAY, exact=True)).to_be_visible()


def test_a_hold_is_put_and_an_erasure_says_what_it_would_take(kept: Console, axe: str) -> None:
    page = kept.open("settings/data")
    page.get_by_role("button", name="Hold events…").click()
    dialog = page.get_by_role("dialog", name="Hold events")
    dialog.get_by_label("Name, as the case is called").fill("Case 2026-17")
    dialog.get_by_label("Only of type").fill("data.kept")
    dialog.get_by_role("button", name="Hold", exact=True).click()
    expect(page.get_by_text("nothing of it is destroyed from now on")).to_be_visible()
    expect(page.get_by_role("list", name="Holds")).to_contain_text("type data.kept")

    form = page.get_by_role("form", name="Erase a subject")
    form.get_by_label("Subject").fill("mara")
    form.get_by_role("button", name="Erase…").click()
    dialog = page.get_by_role("alertdialog").or_(page.get_by_role("dialog", name="Erase for ever?"))
    expect(dialog).to_contain_text("0 in the database, 0 in the archive")
    expect(dialog).to_contain_text("2 are on hold and stay until that is lifted")
    assert kept.violations(axe) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("list", name="Erasures")).to_have_count(0)


@pytest.mark.refused("status of 500")
def test_recalls_that_cannot_be_had_say_so(kept: Console) -> None:
    page = kept.page
    broken = {"type": "about:blank", "title": "Broken", "status": 500, "detail": "It is broken."}
    page.route("**/archive/recalls*", lambda route: route.fulfill(status=500, json=broken))
    kept.open("settings/data")
    recalls = page.get_by_role("group", name="Brought back")
    expect(recalls.get_by_role("alert")).to_contain_text("It is broken.", timeout=30_000)
    page.unroute("**/archive/recalls*")
    recalls.get_by_role("button", name="Try again").click()
    expect(recalls).to_have_count(0)
