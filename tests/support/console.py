"""Words for what a person does in the console."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from playwright.sync_api import Page

from tests.support.weir import LocalWeir

AXE = Path(__file__).resolve().parents[2] / "frontend/node_modules/axe-core/axe.min.js"


class Console:
    """One page of the console in one project."""

    def __init__(self, page: Page, weir: LocalWeir, project: str = "default") -> None:
        self.page = page
        self.weir = weir
        self.project = project
        self.context: dict[str, str] = weir.json("context", "show")

    def ask(self, method: str, path: str, body: object) -> Any:
        """Ask the API of the project, with a key that may do everything in it; the answer, which must be good."""
        url = f"{self.context['url']}/v1/projects/{self.project}{path}"
        headers = {"authorization": f"Bearer {self.context['apiKey']}"}
        answer = httpx.request(method, url, json=body, headers=headers).raise_for_status()
        return answer.json() if answer.content else None

    def enter(self, project: str, role: str) -> None:
        """Make a project and go on there, where who is signed in has `role`."""
        url = f"{self.context['url']}/v1/projects"
        headers = {"authorization": f"Bearer {self.context['apiKey']}"}
        made = httpx.post(url, json={"name": project}, headers=headers).raise_for_status().json()
        self.context = {**self.context, "apiKey": made["apiKey"]}
        self.project = project
        running = json.loads((self.weir.home / "running.json").read_text())

        async def demote() -> None:
            connection = await asyncpg.connect(running["database_url"])
            await connection.execute(
                "UPDATE members SET role = $2 WHERE project_id = (SELECT id FROM projects WHERE name = $1)",
                project,
                role,
            )
            await connection.close()

        # Playwright has a running loop in this thread.
        with ThreadPoolExecutor(1) as other:
            other.submit(asyncio.run, demote()).result()

    def open(self, place: str) -> Page:
        """Go to `/p/PROJECT/place` and wait until nothing is loading."""
        self.page.goto(f"{self.context['url']}/p/{self.project}/{place}")
        self.page.wait_for_load_state("load")
        self.page.locator("main, [role=main]").first.wait_for()
        return self.page

    def send(self, kind: str, data: object) -> Any:
        """Send an event to the project; its story, once each of its deliveries has ended."""
        event = {"specversion": "1.0", "id": uuid4().hex, "source": "/e2e", "type": kind, "data": data}
        taken = httpx.post(
            f"{self.context['url']}/in/{self.project}",
            json=event,
            headers={
                "authorization": f"Bearer {self.context['apiKey']}",
                "content-type": "application/cloudevents+json",
            },
        ).raise_for_status()
        deadline = time.monotonic() + 60
        while True:
            story = self.ask("GET", f"/events/{taken.json()['uid']}", None)
            if story["deliveries"] and all(one["endedAt"] for one in story["deliveries"]):
                return story
            assert time.monotonic() < deadline, story["deliveries"]

    def emit(self, kind: str, data: object, *more: str, wait: bool = True) -> str:
        """Send an event with the command line; its uid."""
        done = self.weir.run(
            "emit",
            "-t",
            kind,
            "-s",
            "/e2e",
            "-d",
            json.dumps(data),
            "-o",
            "json",
            *(("--wait", "20s") if wait else ()),
            *more,
        )
        assert done.returncode in {0, 6}, done.stderr
        found = json.loads(done.stdout)
        return str(found.get("uid") or found["event"]["uid"])

    def subscribe(self, name: str, sink: str, *more: str) -> str:
        """Make a subscription with the command line; its id."""
        return str(self.weir.json("subscriptions", "create", name, "--sink", sink, *more)["id"])

    def go(self, place: str) -> None:
        """Go to a page of the project, or to an address that begins with a slash, without loading the console anew."""
        address = place if place.startswith("/") else f"/p/{self.project}/{place}"
        router = "document.querySelector('#app').__vue_app__.config.globalProperties.$router"
        self.page.evaluate(f"place => {router}.push(place).then(() => undefined)", address)

    def violations(self, axe: str, *rules: str) -> list[Any]:
        """What axe-core finds wrong on the page as it is: rule, and the elements. What fades in is there first.

        With `rules`, of those alone.
        """
        # The program is large: a page that stays is given it once.
        if self.page.evaluate("typeof axe") == "undefined":
            self.page.evaluate(axe)
        found = self.page.evaluate(
            "rules => Promise.allSettled(document.getAnimations()"
            ".filter(a => a.effect.getComputedTiming().endTime !== Infinity).map(a => a.finished))"
            ".then(() => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})}))"
            ".then(r => r.violations.map("
            "v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' + (n.failureSummary || ''))]))",
            list(rules),
        )
        assert isinstance(found, list)
        return found
