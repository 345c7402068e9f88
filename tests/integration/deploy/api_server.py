"""Of the API server of Kubernetes, what a Lease and a watch ask for: objects with versions, and pods that show metrics."""

from pathlib import Path
from typing import Any, Self

import httpx
from aiohttp import web

from cli.deploy.kubernetes import Kubectl, Kubernetes


class ApiServer:
    """`async with ApiServer() as server`: `server.kubernetes()` speaks to it as the deploy does, without kubectl."""

    def __init__(self, socket: Path | None = None) -> None:
        self._socket = socket
        self.objects: dict[str, dict[str, Any]] = {}
        self.metrics: dict[str, str] = {}
        self.logs: dict[str, str] = {}
        self.jobs: list[dict[str, Any]] = []
        self.prints: str | None = None
        self.tokens: set[str | None] = set()
        self._version = 0
        self._runner: web.AppRunner | None = None
        self._clients: list[httpx.AsyncClient] = []
        self.url = ""

    def put(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        document["metadata"]["resourceVersion"] = str(self._version)
        self.objects[path] = document
        return document

    def pod(self, name: str, metrics: str, restarts: int = 0) -> None:
        status = {"phase": "Running", "containerStatuses": [{"name": "weir", "restartCount": restarts}]}
        self.objects[f"/api/v1/namespaces/weir/pods/{name}"] = {"metadata": {"name": name}, "status": status}
        self.metrics[name] = metrics

    def _run(self, job: dict[str, Any]) -> None:
        """End a Job well, as soon as it is made. Its log is `prints`, and cannot be read where that is None."""
        self.jobs.append(job)
        name = job["metadata"]["name"]
        job["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
        labels = {"batch.kubernetes.io/job-name": name}
        metadata = {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels}
        self.put(
            f"/api/v1/namespaces/weir/pods/{name}", {"metadata": metadata, "status": {"phase": "Succeeded"}}
        )
        if self.prints is not None:
            self.logs[name] = self.prints

    def kubernetes(self, kubectl: Kubectl | None = None) -> Kubernetes:
        client = httpx.AsyncClient(base_url=self.url)
        self._clients.append(client)
        return Kubernetes(kubectl or Kubectl.__new__(Kubectl), client, "weir")

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/weir/pods/{pod}:8080/proxy/metrics", self._metrics)
        app.router.add_get("/api/v1/namespaces/weir/pods/{pod}/log", self._log)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        if self._socket is not None:
            await web.UnixSite(self._runner, self._socket).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers.get("x-weir-metrics-token"))
        text = self.metrics.get(request.match_info["pod"])
        return web.Response(status=503) if text is None else web.Response(text=text)

    async def _log(self, request: web.Request) -> web.Response:
        text = self.logs.get(request.match_info["pod"])
        return _refused(403) if text is None else web.Response(text=text)

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        if request.method == "GET":
            selector = request.query.get("labelSelector", "")
            found = [
                o
                for p, o in self.objects.items()
                if p.rpartition("/")[0] == path and _matches(o["metadata"], selector)
            ]
            if path in self.objects:
                return web.json_response(self.objects[path])
            return web.json_response({"items": found}) if path.endswith("s") else _refused(404)
        document = await request.json()
        if request.method == "PATCH":
            return web.json_response(self.put(path, _merged(self.objects[path], document)))
        if request.method == "POST":
            path = f"{path}/{document['metadata']['name']}"
            if path in self.objects:
                return _refused(409)
            if path.rpartition("/")[0].endswith("/jobs"):
                self._run(document)
            return web.json_response(self.put(path, document))
        if request.method == "DELETE":
            return _refused(404) if self.objects.pop(path, None) is None else web.json_response({})
        if document["metadata"]["resourceVersion"] != self.objects[path]["metadata"]["resourceVersion"]:
            return _refused(409)
        return web.json_response(self.put(path, document))


def _merged(value: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(value) if isinstance(value, dict) else {}
    for name, changed in patch.items():
        if changed is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), changed)
    return merged


def _matches(metadata: dict[str, Any], selector: str) -> bool:
    """Whether a label has one value; of other selectors, as of none, everything is."""
    key, is_one, value = selector.partition("=")
    return not is_one or (metadata.get("labels") or {}).get(key) == value


def _refused(status: int) -> web.Response:
    return web.json_response({"message": "refused"}, status=status)
