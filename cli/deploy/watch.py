"""What is seen of new revisions after they were promoted, and for how long it must be well.

Three sources, of which each may be missing: requests of our own to the endpoint functions, once a second, as users
send them; the metrics and restarts of the new revisions' pods, through the API server; or Prometheus in place of the
metrics. What cannot be read is said, and the others go on.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx

from cli.deploy import evidence, names
from cli.deploy.cluster import PODS
from cli.deploy.evidence import Counts, Evidence, Limits
from cli.deploy.gateway import Gateway
from cli.deploy.kubernetes import Kubernetes, ObjectMissingError
from cli.deploy.live import Service
from cli.deploy.rendered import CONTAINER
from cli.errors import CommandError

SECRETS = "/api/v1/secrets"
PORT = 8080
LOOK_SECONDS = 2.0
PROBE_SECONDS = 1.0
WINDOW_SECONDS = 30.0
TELL_SECONDS = 10.0
PROBE_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, float("inf"))
TOKEN = "WEIR_METRICS_TOKEN"  # noqa: S105 a name


@dataclass(frozen=True, slots=True)
class Prometheus:
    """Where to ask, and which series are this Weir's."""

    url: str
    selector: str


class Probes:
    """Requests of our own, counted."""

    def __init__(self, gateway: Gateway, services: Iterable[Service]) -> None:
        self._gateway = gateway
        self._services = [s for s in services if not s.local]
        self.counts: dict[str, Counts] = {}

    @asynccontextmanager
    async def sent(self) -> AsyncIterator[None]:
        """While this is open each function is asked once a second."""
        tasks = [asyncio.create_task(self._ask(service)) for service in self._services]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, service: Service) -> None:
        while True:
            began = monotonic()
            try:
                answer = await self._gateway.send("GET", service.url, "/readyz")
                failed = answer.status_code >= 500
            except httpx.HTTPError:
                failed = True
            took = monotonic() - began
            seen = Counts(1, int(failed), {bound: int(took <= bound) for bound in PROBE_BOUNDS})
            self.counts[service.name] = self.counts.get(service.name, Counts()) + seen
            await asyncio.sleep(max(0.0, PROBE_SECONDS - took))


class Pods:
    """Metrics and restarts of the pods of revisions. Those of a pod that has gone stay counted."""

    def __init__(self, kubernetes: Kubernetes, revisions: Iterable[str], token: str | None) -> None:
        self._kubernetes = kubernetes
        self._selector = f"{names.REVISION_OF} in ({','.join(sorted(revisions))})"
        self._token = token
        self._last: dict[str, Evidence] = {}
        self._first: dict[str, int] | None = None
        self._begun = False
        self.counts: Evidence = {}
        self.restarts: dict[str, int] = {}
        self.unread: str = "" if token else f"no {TOKEN} in the Secret of the functions nor here"

    async def look(self) -> None:
        """Add what came since the last look. The first one is where counting begins."""
        pods = await self._kubernetes.list(PODS, self._selector)
        self._count_restarts(pods)
        if self._token is None:
            return
        running = [p["metadata"]["name"] for p in pods if p["status"].get("phase") == "Running"]
        seen = await asyncio.gather(*map(self._metrics, running))
        for pod, found in zip(running, seen, strict=True):
            if found is not None:
                if self._begun:
                    self.counts = evidence.added(self.counts, evidence.since(found, self._last.get(pod, {})))
                self._last[pod] = found
        self._begun = True

    async def _metrics(self, pod: str) -> Evidence | None:
        path = self._kubernetes.path(PODS, f"{pod}:{PORT}") + "/proxy/metrics"
        try:
            text = await self._kubernetes.text(path, headers={"x-weir-metrics-token": self._token or ""})
        except ObjectMissingError:
            return None  # it has ended since it was listed
        except CommandError as error:
            self.unread = f"metrics of {pod}: {error.message}"
            return None
        return evidence.parse(text)

    def _count_restarts(self, pods: Iterable[Mapping[str, Any]]) -> None:
        now: dict[str, int] = {}
        for pod in pods:
            for status in pod["status"].get("containerStatuses") or ():
                if status["name"] == CONTAINER:
                    now[pod["metadata"]["name"]] = status["restartCount"]
        if self._first is None:
            self._first = now
        grown = {pod: count - self._first.get(pod, 0) for pod, count in now.items()}
        self.restarts |= {pod: count for pod, count in grown.items() if count > 0}


async def token(kubernetes: Kubernetes, template: Mapping[str, Any], given: str | None) -> str | None:
    """What opens `/metrics`: `given`, or as the Secrets say that a Service takes its environment from."""
    if given:
        return given
    for container in template["spec"]["containers"]:
        for source in container.get("envFrom") or ():
            name = (source.get("secretRef") or {}).get("name")
            with suppress(CommandError):
                secret = await kubernetes.get(SECRETS, name) if name else None
                value = ((secret or {}).get("data") or {}).get(TOKEN)
                if value:
                    return base64.b64decode(value).decode()
    return None


async def ask_prometheus(client: httpx.AsyncClient, prometheus: Prometheus, seconds: float) -> Evidence:
    """The requests of the last so many seconds. CommandError when it does not answer with them."""
    window = f"{{{prometheus.selector}}}[{max(int(seconds), 1)}s]"
    samples: list[tuple[dict[str, str], float]] = []
    for suffix, by in (("count", "function, status"), ("bucket", "function, le")):
        query = f"sum by ({by}) (increase({evidence.METRIC}_{suffix}{window}))"
        try:
            answer = await client.get(prometheus.url.rstrip("/") + "/api/v1/query", params={"query": query})
            answer.raise_for_status()
            found = answer.json()["data"]["result"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{prometheus.url} did not answer the query: {error!r}") from error
        for row in found:
            labels = dict(row["metric"]) | ({"le": "count"} if suffix == "count" else {})
            samples.append((labels, float(row["value"][1])))
    return evidence.collect(samples)


@dataclass
class Watch:
    """Looks until the time is up or something is wrong."""

    probes: Probes
    pods: Pods
    limits: Limits
    held_open: frozenset[str]
    prometheus: Prometheus | None
    client: httpx.AsyncClient
    tell: Callable[[str], None]
    check: Callable[[], None]
    _looks: list[tuple[float, Evidence, Evidence]] = field(default_factory=list)

    async def run(self, seconds: float) -> list[str]:
        """What is wrong; nothing when all was well for so many seconds."""
        began = told = monotonic()
        unread = ""
        async with self.probes.sent():
            while True:
                self.check()
                faults, unread = await self._look(began, unread)
                now = monotonic()
                if faults:
                    return faults
                if now - told >= TELL_SECONDS or now - began >= seconds:
                    self.tell(self._progress(now - began, seconds))
                    told = now
                if now - began >= seconds:
                    return []
                await asyncio.sleep(min(LOOK_SECONDS, max(0.0, began + seconds - now)))

    async def _look(self, began: float, unread: str) -> tuple[list[str], str]:
        try:
            await self.pods.look()
        except CommandError as error:
            self.pods.unread = error.message
        measured: Evidence = self.pods.counts
        now = monotonic()
        faults: list[str] = []
        if self.prometheus is not None and now - began > LOOK_SECONDS:
            try:
                found = await ask_prometheus(self.client, self.prometheus, min(WINDOW_SECONDS, now - began))
                faults = evidence.judge(found, self.limits, held_open=self.held_open)
            except CommandError as error:
                self.pods.unread = error.message
        if self.pods.unread and self.pods.unread != unread:
            self.tell(f"not everything can be seen: {self.pods.unread}")
        self._looks.append((now, measured, dict(self.probes.counts)))
        while len(self._looks) > 2 and self._looks[1][0] <= now - WINDOW_SECONDS:
            self._looks.pop(0)
        _, first, first_probes = self._looks[0]
        faults += evidence.judge(
            evidence.since(measured, first),
            self.limits,
            held_open=self.held_open,
            restarts=self.pods.restarts,
        )
        probed = evidence.judge(evidence.since(self.probes.counts, first_probes), self.limits)
        faults += [f"{fault} (requests of our own)" for fault in probed]
        return faults, self.pods.unread

    def _progress(self, seconds: float, of: float) -> str:
        counts = sum(self.pods.counts.values(), Counts())
        probes = sum(self.probes.counts.values(), Counts())
        return (
            f"{seconds:.0f} of {of:.0f} s: {counts.requests:.0f} requests, {counts.errors:.0f} failed;"
            f" {probes.requests:.0f} of our own, {probes.errors:.0f} failed"
        )
