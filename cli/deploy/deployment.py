"""The loop of a deploy: look at the cluster, decide, do; until a step says that it is the end."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from time import monotonic

import httpx

from cli.deploy import decide, edge, jobs, names, rendered, smoke, watch
from cli.deploy.cluster import (
    BINDINGS,
    BROKERS,
    LOOK_SECONDS,
    PODS,
    REVISIONS,
    bound_sinks,
    last_json,
    look,
    patch_all,
    sweep,
)
from cli.deploy.decide import Kind, Seen, Step
from cli.deploy.evidence import Limits
from cli.deploy.gateway import TIMEOUT_SECONDS, Gateway
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.lease import Lease
from cli.deploy.live import Live, Revision, condition
from cli.deploy.rendered import Manifest, Release
from cli.deploy.smoke import Credentials
from cli.deploy.watch import Prometheus
from cli.errors import INVALID, CommandError

FAILED_SECONDS = 20.0
"""How long a revision may say that it failed before it is believed: a container that starts again may yet be well."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a deploy is to go. Times in seconds."""

    gateway: str | None = None
    timeout: float = 300.0
    watch: float = 120.0
    limits: Limits = field(default_factory=Limits)
    hold: bool = False
    inside_only: bool = False
    credentials: Credentials | None = None
    metrics_token: str | None = None
    prometheus: Prometheus | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: `done`, `held` before it was promoted, or `rolled back` with the reason."""

    state: str
    release: str
    reason: str = ""


class Deployment:
    """One deploy of a namespace, by whoever holds its lease."""

    def __init__(
        self,
        kubernetes: Kubernetes,
        lease: Lease,
        documents: Iterable[Manifest | None],
        *,
        image: str | None,
        options: Options,
        tell: Callable[[str], None],
    ) -> None:
        self._kubernetes = kubernetes
        self._lease = lease
        self._documents = list(documents)
        self._image = image
        self._options = options
        self._tell = tell
        self._seen = Seen()
        self._head: str | None = None
        self._told = ""

    async def run(self) -> Outcome:
        """Take it to its end. CommandError when it cannot go on: nothing was promoted by it, or only the edge is late."""
        limits = httpx.Timeout(TIMEOUT_SECONDS)
        async with httpx.AsyncClient(timeout=limits, follow_redirects=False) as client:
            while True:
                self._lease.check()
                release, now = await self._look()
                step = decide.decide(release, now, self._seen, hold=self._options.hold)
                if step.kind is Kind.DONE:
                    await sweep(self._kubernetes, now)
                    return Outcome("done", release.id)
                if step.kind is Kind.HOLD:
                    return Outcome("held", release.id)
                if step.kind is Kind.ROLLED_BACK:
                    return Outcome("rolled back", release.id, step.text)
                if step.kind is Kind.REFUSE:
                    raise CommandError(
                        step.text,
                        code=INVALID,
                        hint="`weir deploy` with what was deployed then goes on; `weir deploy rollback` goes back",
                    )
                await self._take(step, release, now, Gateway(client, self._options.gateway), client)

    async def _look(self) -> tuple[Release, Live]:
        release = rendered.read(self._documents, self._image, await bound_sinks(self._kubernetes))
        return release, await look(self._kubernetes)

    async def _take(
        self, step: Step, release: Release, now: Live, gateway: Gateway, client: httpx.AsyncClient
    ) -> None:
        """Do what a step says. What speaks against the new revisions becomes a fault, and the next step."""
        self._say(step)
        try:
            match step.kind:
                case Kind.PREPARE:
                    await self._prepare(release)
                    self._saw(step.kind)
                case Kind.MIGRATE:
                    await self._migrate(release, now)
                    self._saw(step.kind)
                case Kind.DISCARD:
                    await self._discard(step.names)
                case Kind.CREATE:
                    await self._create(release, step.names)
                case Kind.AWAIT_REVISIONS:
                    await self._await_revisions(step.names)
                case Kind.AWAIT_TAGS | Kind.AWAIT_TRAFFIC | Kind.AWAIT_SETTLED | Kind.AWAIT_RESTORED:
                    await self._await_routes(step)
                case Kind.SMOKE:
                    await self._smoke(release, now, step.names, gateway)
                    self._saw(step.kind)
                case Kind.WIRE:
                    await self._kubernetes.apply(release.after)
                    self._saw(step.kind)
                case Kind.ROLL_OUT:
                    await self._roll_out(release)
                    self._saw(step.kind)
                case Kind.WATCH:
                    await self._watch(release, now, step.names, gateway, client)
                    self._saw(step.kind)
                case _:
                    await patch_all(self._kubernetes, step)
        except FaultError as error:
            if self._seen.fault:
                raise
            self._tell(f"not well: {error.message}")
            for line in error.details:
                self._tell(f"  {line}")
            self._seen = replace(self._seen, fault=error.message)
        except smoke.SmokeError as error:
            self._tell(f"not well: {error.message}")
            if error.hint:
                self._tell(f"  → {error.hint}")
            self._seen = replace(self._seen, fault=error.message)

    def _saw(self, kind: Kind) -> None:
        self._seen = replace(self._seen, done=self._seen.done | {kind})

    def _say(self, step: Step) -> None:
        about = step.names or tuple(step.patches)
        line = f"{step.kind}: {', '.join(about)}" if about else str(step.kind)
        if line != self._told:
            self._tell(line)
            self._told = line

    async def _prepare(self, release: Release) -> None:
        await self._kubernetes.apply(release.before)
        kinds = {"SinkBinding": BINDINGS, "Broker": BROKERS}
        for document in release.before:
            kind = kinds.get(document["kind"])
            if kind is not None:
                # A binding that came after the Services could not write into them: their revisions have names.
                await self._until_ready(kind, document["metadata"]["name"])

    async def _until_ready(self, kind: str, name: str) -> None:
        deadline = monotonic() + self._options.timeout
        while True:
            found = await self._kubernetes.get(kind, name)
            ready, said = condition(found or {}, "Ready")
            if ready:
                return
            if monotonic() > deadline:
                raise CommandError(
                    f"{name} is not ready: {said}",
                    hint=f"kubectl -n {self._kubernetes.namespace} describe {kind.rpartition('/')[2]} {name}",
                )
            self._lease.check()
            await asyncio.sleep(LOOK_SECONDS)

    async def _migrate(self, release: Release, now: Live) -> None:
        running = now.running()
        arguments = ["--phase", "expand", *(["--running", running] if running else [])]
        printed = await jobs.run(
            self._kubernetes,
            rendered.job(release.migration, f"migrate-{release.id}", arguments),
            seconds=self._options.timeout,
            again=False,
            check=self._lease.check,
        )
        said = last_json(printed)
        self._head = said.get("head")
        waiting = tuple(str(revision) for revision in said.get("waiting") or ())
        self._seen = replace(self._seen, waiting=waiting)
        if said:
            later = f"; {', '.join(waiting)} wait for `weir deploy contract`" if waiting else ""
            self._tell(f"  the schema is at {said.get('at')}{later}")

    async def _discard(self, revisions: Iterable[str]) -> None:
        for name in revisions:
            await self._kubernetes.delete(REVISIONS, name)
            deadline = monotonic() + self._options.timeout
            while (found := await self._kubernetes.get(REVISIONS, name)) is not None:
                if condition(found, "Ready")[0] is not False or monotonic() > deadline:
                    break
                await asyncio.sleep(LOOK_SECONDS)

    async def _create(self, release: Release, services: Iterable[str]) -> None:
        """Only what is rendered: kubectl takes away again what it has applied once and finds no more."""
        await self._kubernetes.apply(rendered.with_schema(release.services[n], self._head) for n in services)

    async def _await_revisions(self, revisions: Iterable[str]) -> None:
        """Until all are ready. FaultError when one fails, or the time is up."""
        deadline = monotonic() + self._options.timeout
        failing: dict[str, float] = {}
        while True:
            self._lease.check()
            found = (await look(self._kubernetes)).revisions
            waiting = [name for name in revisions if name not in found or found[name].ready is not True]
            if not waiting:
                return
            now = monotonic()
            failing = failing_since(failing, found, waiting, now)
            broken = [name for name, at in failing.items() if now - at > FAILED_SECONDS]
            if broken or now > deadline:
                name = (broken or waiting)[0]
                said = found[name].message if name in found else "it was not made"
                raise FaultError(
                    f"revision {name} does not become ready: {said}",
                    details=tuple(await self._last_lines(name)),
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _last_lines(self, revision: str) -> list[str]:
        pods = await self._kubernetes.list(PODS, f"{names.REVISION_OF}={revision}")
        for pod in pods:
            path = self._kubernetes.path(PODS, pod["metadata"]["name"])
            try:
                text = await self._kubernetes.text(
                    f"{path}/log", params={"container": rendered.CONTAINER, "tailLines": 10}
                )
            except CommandError:
                continue
            return text.splitlines()
        return []

    async def _await_routes(self, step: Step) -> None:
        deadline = monotonic() + self._options.timeout
        while True:
            self._lease.check()
            found = (await look(self._kubernetes)).services
            late = [name for name in step.names if not found[name].current]
            if not late:
                return
            if monotonic() > deadline:
                raise FaultError(
                    f"{late[0]}: the gateways did not take the traffic: {found[late[0]].message}"
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _smoke(self, release: Release, now: Live, services: tuple[str, ...], gateway: Gateway) -> None:
        found = [now.services[name] for name in services]
        await smoke.inside(
            self._kubernetes, release, found, seconds=self._options.timeout, check=self._lease.check
        )
        if self._options.inside_only:
            return
        await smoke.outside(gateway, found)
        if self._options.credentials is not None:
            credentials, timeout = self._options.credentials, self._options.timeout
            count = await smoke.end_to_end(gateway, now.services, credentials, timeout)
            self._tell(f"  one event went in and was delivered to {count} sinks")

    async def _watch(
        self,
        release: Release,
        now: Live,
        services: tuple[str, ...],
        gateway: Gateway,
        client: httpx.AsyncClient,
    ) -> None:
        found = [now.services[name] for name in services]
        template = release.services[services[0]]["spec"]["template"]
        token = await watch.token(self._kubernetes, template, self._options.metrics_token)
        look_on = watch.Watch(
            probes=watch.Probes(gateway, () if self._options.inside_only else found),
            pods=watch.Pods(self._kubernetes, [s.green for s in found], token),
            limits=self._options.limits,
            held_open=frozenset(s.name for s in found if s.local),
            prometheus=self._options.prometheus,
            client=client,
            tell=lambda line: self._tell(f"  {line}"),
            check=self._lease.check,
        )
        faults = await look_on.run(self._options.watch)
        if faults:
            raise FaultError("; ".join(faults))

    async def _roll_out(self, release: Release) -> None:
        await self._kubernetes.apply(release.edge)
        await edge.until_rolled_out(
            self._kubernetes,
            release.deployments,
            seconds=self._options.timeout,
            tell=lambda line: self._tell(f"  {line}"),
            check=self._lease.check,
        )


def failing_since(
    before: Mapping[str, float], found: Mapping[str, Revision], waiting: Iterable[str], now: float
) -> dict[str, float]:
    """Since when each revision has said without a break that it failed: Knative also says so of one that is starting."""
    return {name: before.get(name, now) for name in waiting if name in found and found[name].ready is False}


class FaultError(CommandError):
    """Something speaks against the new revisions: what serves goes back, all of it."""
