"""All functions behind one address: what a gateway does on a cluster, done in the process."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.core.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Problem
from shared.runtime.answer import problem_response
from shared.runtime.console import ASSETS, Console
from shared.runtime.function import Function
from shared.runtime.guard import Guard
from shared.runtime.probes import Probes
from shared.runtime.resources import Resources
from shared.runtime.routes import Routes

API = frozenset({"v1", "in", "sink", ".well-known"})
"""First segments of what is never a page of the console."""

PAGES = "/p/"
"""Where the pages of a project are in the console."""

READ = Problem(METHOD_NOT_ALLOWED, "This address is only read.", headers={"Allow": "GET, HEAD"})
NOTHING = Problem(NOT_FOUND, "There is nothing at this address.")


class Edge:
    """Passes a request to the function that declares its path, or to the console.

    A function's application is made at its first request. `load` makes it.
    """

    def __init__(
        self,
        resources: Resources,
        functions: Iterable[Function],
        load: Callable[[Function], ASGIApp],
        version: str,
    ) -> None:
        self._functions = [f for f in functions if not f.is_handler]
        self._routes = Routes(self._functions)
        self._load = load
        self._apps: dict[str, ASGIApp] = {}
        self._version = version
        probes = Probes(resources, {"postgres"})  # without Redis only signing in waits
        self._own = {
            "/healthz": probes.health,
            "/readyz": probes.ready,
            "/metrics": probes.metrics,
            "/openapi.json": self._openapi,
        }
        self._document: bytes | None = None
        folder = resources.settings.console_dir
        self._console = Console(Path(folder), version) if folder else None
        self._rest = Guard(self._answer, "edge")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find who answers."""
        if scope["type"] == "http":
            function = self._routes.find(scope["path"])
            if function is not None:
                await self.application(function)(scope, receive, send)
                return
        await self._rest(scope, receive, send)

    def application(self, function: Function) -> ASGIApp:
        """The application of `function`, made when it is asked for first."""
        app = self._apps.get(function.name)
        if app is None:
            app = self._apps[function.name] = self._load(function)
        return app

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        own = self._own.get(path)
        reads = scope["method"] in {"GET", "HEAD"}
        page = own is None and self._is_page(path)
        if page and reads and self._console is not None:
            await self._console(scope, receive, send)
            return
        if own is None and not page:
            response = problem_response(NOTHING)
        elif own is None or not reads:
            response = problem_response(READ)
        else:
            response = await own(Request(scope, receive))
        await response(scope, receive, send)

    def _is_page(self, path: str) -> bool:
        """Whether the console answers `path`: its files, its pages, and every address without a suffix outside the API.

        The last segment of a page may look like a suffix: an event type is one. What is missing among the assets is
        no page: an old page would get HTML for a script.
        """
        if self._console is None or path.strip("/").partition("/")[0] in API:
            return False
        if self._console.has(path) or path.startswith(PAGES):
            return True
        return not (path.startswith(ASSETS) or Path(path).suffix)

    async def _openapi(self, _request: Request) -> Response:
        if self._document is None:
            from fastapi import FastAPI

            from shared.runtime.openapi import merged

            apps = (self.application(f) for f in self._functions)
            documents = [app.openapi() for app in apps if isinstance(app, FastAPI)]
            self._document = msgspec.json.encode(merged(documents, self._version))
        return Response(self._document, media_type="application/json")
