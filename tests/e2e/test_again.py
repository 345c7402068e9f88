"""Sending again what failed, and calling off what waits: counted first, slowly, and through a restart."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.console import Console
from tests.support.receiver import Receiver
from tests.support.weir import LocalWeir

ONCE = {"retry": 0, "timeout": "PT5S"}


def send(console: Console, kind: str, count: int, first: int = 0) -> None:
    """Have that many events taken in, in one request."""
    batch = [
        {"specversion": "1.0", "id": f"{kind}-{n}", "source": "/e2e", "type": kind, "subject": f"orders/{n}"}
        for n in range(first, first + count)
    ]
    httpx.post(
        f"{console.context['url']}/in/{console.project}",
        json=batch,
        headers={
            "authorization": f"Bearer {console.context['apiKey']}",
            "content-type": "application/cloudevents-batch+json",
        },
    ).raise_for_status()


def subscribe(console: Console, name: str, sink: str, kind: str, **delivery: Any) -> None:
    body = {"name": name, "sink": sink, "filters": [{"exact": {"type": kind}}], "delivery": delivery}
    console.ask("POST", "/subscriptions", body)


def open_when(console: Console, status: str, count: int) -> Page:
    """The list of deliveries in that state, opened when there are so many."""
    deadline = time.monotonic() + 60
    path = f"/deliveries?status={status}&limit=100"
    while (found := len(console.ask("GET", path, None)["items"])) != count:
        assert time.monotonic() < deadline, f"{found} of {count} are {status}"
    page = console.open(f"deliveries?status={status}")
    expect(page.get_by_text(f"{count} match")).to_be_visible()
    return page


def test_last_nights_failures_are_sent_again_slowly(console: Console) -> None:
    console.enter("last-night", "operator")
    with Receiver(status=503) as crm, Receiver(status=500) as mail:
        subscribe(console, "night-crm", crm.url, "night.order", **ONCE)
        subscribe(console, "night-mail", mail.url, "night.order", **ONCE)
        send(console, "night.order", 24)
        page = open_when(console, "dead", 48)
        first = {headers["webhook-id"] for headers, _ in crm.requests}
        crm.status, before = 204, len(crm.requests)

        page.get_by_role("checkbox", name="Select all that match").check(force=True)
        expect(page.get_by_text("also those not loaded yet")).to_be_visible()
        bar = page.get_by_role("toolbar", name="Selected rows")
        expect(bar).to_contain_text("48 selected")
        bar.get_by_role("button", name="Retry…").click()
        expect(page.get_by_role("dialog", name="Retry 48 dead letters")).to_be_visible()
        # Its name follows what is left out.
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Nothing has been sent yet")
        expect(dialog.get_by_role("row").filter(has_text="night-mail")).to_contain_text("24")
        assert len(crm.requests) == before
        dialog.get_by_role("checkbox", name="Include night-mail").uncheck(force=True)
        dialog.get_by_label("Rate per sink").focus()
        page.keyboard.press("ArrowLeft")
        expect(dialog.get_by_label("Rate per sink")).to_have_attribute("aria-valuetext", "5/s")
        dialog.get_by_label("Reason").fill("the pool is larger now, ACME-2214")
        # Renamed by what is left out, and counted once more at the other rate.
        page.get_by_role("dialog", name="Retry 24 dead letters").get_by_role(
            "button", name="Retry 24"
        ).click()

        expect(page).to_have_url(re.compile(r"/replays/[0-9a-f-]{36}$"))
        expect(page.get_by_text("ACME-2214")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("heading", name="Retry of 24")).to_be_visible()
        expect(page.get_by_text("Paused", exact=True)).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        progress = page.get_by_role("region", name="Progress")
        expect(progress).to_contain_text("24 delivered", timeout=60_000)
        expect(page.get_by_text("Done", exact=True)).to_be_visible()

        again = crm.requests[before:]
        assert {headers["webhook-id"] for headers, _ in again} == first
        assert len(again) == 24
        # 24 at five a second: whatever the machine does, not in a moment.
        assert crm.times[-1] - crm.times[before] > 2
        assert len(mail.requests) == 24

        progress.get_by_role("link", name="24 delivered").click()
        expect(page.get_by_role("grid").get_by_text("night-crm").first).to_be_visible()
        expect(page.get_by_text("24 match")).to_be_visible()
        page = console.open("deliveries?status=dead")
        expect(page.get_by_text("24 match")).to_be_visible()
        page = console.open("replays")
        row = page.get_by_role("row").filter(has_text="ACME-2214")
        expect(row).to_contain_text("24 of 24")


def test_dead_letters_are_counted_beside_their_page_and_their_tab_is_seen(console: Console) -> None:
    console.enter("left-dead", "viewer")
    with Receiver(status=500) as gone:
        subscribe(console, "counted", gone.url, "counted.order", **ONCE)
        send(console, "counted.order", 3)
        page = open_when(console, "dead", 3)
    console.open("settings/general")
    page.get_by_role("link", name="3 dead letters of the last 24 h").click()
    expect(page).to_have_url(re.compile(r"/deliveries\?status=dead$"))
    expect(page.get_by_text("3 match")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    expect(page.get_by_role("tab", name="Dead letter")).to_be_in_viewport(ratio=1)
    console.open("settings/data")
    expect(
        page.get_by_role("navigation", name="Settings").get_by_role("link", name="Data")
    ).to_be_in_viewport(ratio=1)


def test_what_failed_is_seen_by_cause_and_sent_again_from_there(console: Console) -> None:
    console.enter("seen-by-cause", "operator")
    with Receiver(status=503) as crm, Receiver(status=422) as fraud:
        subscribe(console, "cause-crm", crm.url, "cause.order", **ONCE)
        subscribe(console, "cause-fraud", fraud.url, "cause.order", **ONCE)
        send(console, "cause.order", 10)
        page = open_when(console, "dead", 20)
        # What dies later is counted beside the rows, and moves none of them.
        send(console, "cause.order", 2, first=10)
        new = page.get_by_role("button", name="4 new")
        expect(new).to_be_visible(timeout=30_000)
        expect(page.get_by_text("20 match")).to_be_visible()
        new.click()
        expect(page.get_by_text("24 match")).to_be_visible()
        expect(new).to_have_count(0)

        page.get_by_role("button", name="Group by cause").click()
        expect(page.get_by_text("24 deliveries, 2 causes")).to_be_visible()
        row = page.get_by_role("row").filter(has_text="422 Unprocessable Content")
        expect(row).to_contain_text("cause-fraud")
        row.get_by_role("link", name="12 deliveries").click()
        expect(page.get_by_text("12 match")).to_be_visible()
        expect(page.get_by_role("button", name="Remove last answer")).to_be_visible()
        page.go_back()

        crm.status = 204
        page.get_by_role("button", name="Retry 12: 503, cause-crm").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Rate per sink").focus()
        page.keyboard.press("Home")
        dialog.get_by_role("button", name="Retry 12").click()
        expect(page).to_have_url(re.compile(r"/replays/[0-9a-f-]{36}$"))
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Paused", exact=True)).to_be_visible()
        # Its own page tells more; elsewhere it is told beside what one looks at.
        told = page.get_by_role("region", name="Retry of 12 deliveries")
        expect(told).to_have_count(0)
        replay = page.url.rpartition("/")[2]
        page.get_by_role("link", name=re.compile("^Deliveries")).first.click()
        expect(told.get_by_role("progressbar")).to_be_attached()
        expect(told).to_contain_text("Paused")
        told.get_by_role("link", name="Retry of 12 deliveries").click()
        expect(page).to_have_url(re.compile(f"/replays/{replay}$"))
        expect(told).to_have_count(0)
        page.go_back()
        expect(told).to_be_visible()
        console.ask("POST", f"/replays/{replay}/resume", None)
        expect(told).to_contain_text("12 delivered", timeout=60_000)
        expect(told).to_have_count(0, timeout=30_000)


def test_some_are_checked_by_keys_and_what_waits_is_called_off(console: Console) -> None:
    console.enter("off-called", "operator")
    with Receiver(status=503) as sink:
        subscribe(console, "waits", sink.url, "off.order", retry=3, backoffDelay="PT1H")
        send(console, "off.order", 6)
        page = open_when(console, "retrying", 6)
        bar = page.get_by_role("toolbar", name="Selected rows")
        for key in ("j", "x", "j", "x"):
            page.keyboard.press(key)
        expect(bar).to_contain_text("2 selected")
        page.keyboard.press("Escape")
        expect(bar).to_have_count(0)
        # From the second row to the fourth, by a reach.
        checks = page.get_by_role("checkbox", name=re.compile("Select row"))
        checks.nth(1).check(force=True)
        checks.nth(3).click(force=True, modifiers=["Shift"])
        expect(bar).to_contain_text("3 selected")
        bar.get_by_role("button", name="Cancel deliveries").click()
        dialog = page.get_by_role("dialog", name="Cancel 3 deliveries")
        expect(dialog).to_contain_text("Nothing has been cancelled yet")
        dialog.get_by_role("button", name="Cancel 3").click()
        expect(page.get_by_role("region", name="Progress")).to_contain_text("3 cancelled", timeout=30_000)
        page = open_when(console, "cancelled", 3)
        assert len(sink.requests) == 6


def test_events_are_replayed_to_an_address_of_their_own(console: Console) -> None:
    console.enter("elsewhere", "operator")
    with Receiver() as usual, Receiver() as staging:
        subscribe(console, "usual", usual.url, "else.order", **ONCE)
        send(console, "else.order", 5)
        page = open_when(console, "delivered", 5)
        page = console.open("replays")
        page.get_by_role("button", name="Replay…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Type; empty is every one").fill("else.order")
        dialog.get_by_role("radiogroup", name="To").get_by_text("An address").click()
        dialog.get_by_role("textbox", name="Address").fill(staging.url)
        dialog.get_by_role("button", name="Replay 5").click()
        expect(page.get_by_role("region", name="Progress")).to_contain_text("5 delivered", timeout=30_000)
        expect(page.get_by_role("region", name="What was asked")).to_contain_text(staging.url)
        assert len(staging.requests) == 5
        assert all(headers["weir-replay"] for headers, _ in staging.requests)
        assert len(usual.requests) == 5


@pytest.mark.refused("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_SOCKET", "status of 502", "status of 503")
def test_a_restart_of_everything_is_seen_and_survived(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    weir = LocalWeir(tmp_path / "home")
    port = httpx.URL(weir.up()).port
    try:
        page = new_page()
        page.goto(weir.run("open", "--print").stdout.strip())
        page.wait_for_url("**/p/default/**")
        console = Console(page, weir)
        with Receiver(status=503) as sink:
            subscribe(console, "killed", sink.url, "killed.order", **ONCE)
            send(console, "killed.order", 20)
            open_when(console, "dead", 20)
            sink.status, before = 204, len(sink.requests)
            body = {"select": {"status": "dead"}, "ratePerSecond": 2, "reason": "through a restart"}
            replay = console.ask("POST", "/replays", body)
            console.open(f"replays/{replay['id']}")
            progress = page.get_by_role("region", name="Progress")
            expect(progress).to_contain_text(re.compile(r"[1-9]\d* delivered"))

            for pid in weir.processes():
                os.kill(pid, signal.SIGKILL)
            weir.wait_until_empty()
            expect(page.get_by_text("Weir does not answer")).to_be_visible()
            assert len(sink.requests) - before < 20
            done = weir.run("up", "--detach", "--port", str(port))
            assert done.returncode == 0, done.stderr

            # The page goes on by itself, and so does the job.
            expect(page.get_by_text("Weir does not answer")).to_have_count(0, timeout=30_000)
            expect(progress).to_contain_text("20 delivered", timeout=120_000)
            ids = [headers["webhook-id"] for headers, _ in sink.requests[before:]]
            assert len(set(ids)) == 20
            assert json.dumps(console.ask("GET", f"/replays/{replay['id']}", None)["state"]) == '"done"'
    finally:
        weir.kill()
