"""A browser tab with the console's live page: how long an event takes to be drawn, and which tasks took long, and why."""

import asyncio
import json
import shutil
import statistics
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from tests.support.weir import LocalWeir

if TYPE_CHECKING:
    from tests.bench.live import Source

LONG_MS = 50.0
COOL_MS = 1500
CATEGORIES = ["toplevel", "devtools.timeline"]
TASKS = {"RunTask", "ThreadControllerImpl::RunTask"}

WATCH = """
() => {
  window.took = []; window.long = []
  const seen = new Set()
  new PerformanceObserver((list) => list.getEntries().forEach((e) => window.long.push(e.duration)))
    .observe({ entryTypes: ['longtask'] })
  new MutationObserver(() => {
    const now = Date.now()
    for (const cell of document.querySelectorAll('[role=grid] [role=row] [title^="at "]')) {
      const title = cell.title
      if (!seen.has(title)) { seen.add(title); window.took.push(now - Number(title.slice(3, 16))) }
    }
  }).observe(document.querySelector('[role=region][aria-label^=Events]'), { subtree: true, childList: true, attributes: true, characterData: true })
}
"""
"""A subject stands in the title of its cell. Rows that left the screen before they were drawn are not counted."""


def watched(weir: LocalWeir, url: str, source: "Source", seconds: float) -> dict[str, Any]:
    """Milliseconds until a row is drawn in the console, and its tasks of more than 50 ms.

    Of those, `tasks` has how long each took by the clock and of a processor: a task that takes long by the clock alone was
    kept waiting by the machine.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(weir.run("open", "--print").stdout.strip())
        page.wait_for_url("**/p/default/**")
        page.goto(f"{url}/p/default/live?rate=1000")
        page.get_by_role("status").filter(has_text="Connected").wait_for()
        # What is done once, when the page opens, is another figure.
        page.wait_for_timeout(COOL_MS)
        page.evaluate(WATCH)
        browser.start_tracing(page=page, categories=CATEGORIES)
        sending = threading.Thread(target=lambda: asyncio.run(source.run(seconds)))
        sending.start()
        while sending.is_alive():
            page.wait_for_timeout(500)
        page.wait_for_timeout(COOL_MS)
        took = sorted(page.evaluate("window.took"))
        long = page.evaluate("window.long")
        shown = page.locator("span", has_text="shown since").last.inner_text()
        trace = json.loads(browser.stop_tracing())["traceEvents"]
        browser.close()
    return {
        "sent": len(source.sent),
        "perSecond": len(source.sent) / seconds,
        "shown": int(shown.split()[0].replace(",", "")),
        "drawn": len(took),
        "p50": statistics.median(took),
        "p99": took[int(len(took) * 0.99)],
        "tasksOver50ms": len(long),
        "longestTask": max(long, default=0.0),
    } | tasks(trace)


def tasks(trace: list[dict[str, Any]]) -> dict[str, Any]:
    """The tasks of the page's main thread in a trace of Chrome's: the share of it that they took, and the long ones."""
    mains = {
        (event["pid"], event["tid"])
        for event in trace
        if event.get("name") == "thread_name" and event["args"].get("name") == "CrRendererMain"
    }
    ran = [event for event in trace if event.get("ph") == "X" and (event["pid"], event["tid"]) in mains]
    spent: Counter[tuple[int, int]] = Counter()
    for event in ran:
        if event["name"] in TASKS:
            spent[event["pid"], event["tid"]] += event.get("tdur", 0)
    if not spent:
        return {}
    main, used = spent.most_common(1)[0]
    ran = [event for event in ran if (event["pid"], event["tid"]) == main]
    whole = [event for event in ran if event["name"] in TASKS]
    seconds = (max(e["ts"] for e in whole) - min(e["ts"] for e in whole)) / 1e6
    long = [event for event in whole if event["dur"] > LONG_MS * 1000]
    return {
        "mainThread": used / 1e6 / seconds,
        "longestOfProcessor": max(event.get("tdur", 0) for event in whole) / 1000,
        "tasks": [
            {
                "ms": round(event["dur"] / 1000, 1),
                "processorMs": round(event.get("tdur", 0) / 1000, 1),
                "parts": _parts(event, ran),
            }
            for event in sorted(long, key=lambda event: -event["dur"])[:8]
        ],
        "work": _most(ran),
    }


def _parts(task: dict[str, Any], ran: list[dict[str, Any]]) -> dict[str, float]:
    """What a task was made of: milliseconds by the clock, of the longest."""
    end = task["ts"] + task["dur"]
    inside = [e for e in ran if e is not task and task["ts"] <= e["ts"] and e["ts"] + e["dur"] <= end]
    spent: Counter[str] = Counter()
    for event in inside:
        if event["name"] not in TASKS:
            spent[event["name"]] += event["dur"]
    return {name: round(us / 1000, 1) for name, us in spent.most_common(5)}


def _most(ran: list[dict[str, Any]]) -> dict[str, float]:
    """Milliseconds of a processor in all, by what they went to; what is inside of something else counts there too."""
    spent: Counter[str] = Counter()
    for event in ran:
        if event["name"] not in TASKS:
            spent[event["name"]] += event.get("tdur", 0)
    return {name: round(us / 1000, 1) for name, us in spent.most_common(10)}
