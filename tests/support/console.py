"""Words for what a person does in the console."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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
        """Ask the API of the project, with a key that may do everything in it; the answer must be a success."""
        url = f"{self.context['url']}/v1/projects/{self.project}{path}"
        headers = {"authorization": f"Bearer {self.context['apiKey']}"}
        return httpx.request(method, url, json=body, headers=headers).raise_for_status().json()

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

    def violations(self, axe: str) -> list[Any]:
        """What axe-core finds wrong on the page as it is: rule, and the elements. What fades in is there first."""
        found = self.page.evaluate(
            axe + ";Promise.allSettled(document.getAnimations()"
            ".filter(a => a.effect.getComputedTiming().endTime !== Infinity).map(a => a.finished))"
            ".then(() => axe.run(document, {resultTypes: ['violations']})).then(r => r.violations.map("
            "v => [v.id, v.nodes.map(n => n.target.join(' ') + ' ' + (n.failureSummary || ''))]))"
        )
        assert isinstance(found, list)
        return found
