"""Whether new revisions are well, asked through their tag addresses before anybody else is sent there."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx

from cli.deploy import jobs, names
from cli.deploy.gateway import Gateway
from cli.deploy.kubernetes import Kubernetes
from cli.deploy.live import Service
from cli.deploy.rendered import Release, job
from cli.errors import CommandError

MODULE = "shared.runtime.inside"
OUTSIDE_SECONDS = 60.0
PAUSE_SECONDS = 0.5
EVENT_TYPE = "com.weir.smoke"


class SmokeError(CommandError):
    """A new revision is not well: it must not be promoted."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A project that is there for smoke, and a key that may send and read events in it."""

    project: str
    key: str


async def inside(
    kubernetes: Kubernetes,
    release: Release,
    services: Iterable[Service],
    *,
    seconds: float,
    check: Callable[[], None],
) -> None:
    """Ask every function from within the cluster, by a Job of the new image; handlers are reached nowhere else."""
    urls = [
        ("tick+" if s.local else "")
        + f"http://{names.GREEN}-{s.name}.{kubernetes.namespace}.svc.cluster.local"
        for s in services
    ]
    made = job(release.migration, f"smoke-{release.id}", urls, MODULE)
    made["spec"]["backoffLimit"] = 0
    made["spec"]["template"].setdefault("metadata", {})["labels"] = {"app.kubernetes.io/component": "smoke"}
    try:
        await jobs.run(kubernetes, made, seconds=seconds, again=True, check=check)
    except CommandError as error:
        raise SmokeError(_wrong(error.details) or f"smoke inside the cluster: {error.message}") from error


def _wrong(lines: tuple[str, ...]) -> str:
    try:
        return "; ".join(json.loads(lines[-1])["wrong"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


async def outside(gateway: Gateway, services: Iterable[Service]) -> None:
    """Ask every endpoint function by the way that users take."""
    found = [s for s in services if not s.local]
    answers = await asyncio.gather(
        *(_asked(gateway, s, path) for s in found for path in ("/healthz", "/readyz"))
    )
    if wrong := [said for said in answers if said]:
        raise SmokeError("; ".join(wrong))


async def _asked(gateway: Gateway, service: Service, path: str) -> str:
    """Empty, or what was wrong when the time was up: a gateway may learn of a tag a moment later than its status."""
    deadline = monotonic() + OUTSIDE_SECONDS
    while True:
        said = await _once(gateway, service, path)
        if not said or monotonic() > deadline:
            return said
        await asyncio.sleep(PAUSE_SECONDS)


async def _once(gateway: Gateway, service: Service, path: str) -> str:
    address = service.tags[names.GREEN]
    try:
        answer = await gateway.send("GET", address, path)
    except httpx.HTTPError as error:
        return f"GET {address}{path}: {error!r} (is `--gateway` what it needs?)"
    return (
        "" if answer.status_code == 200 else f"GET {address}{path}: {answer.status_code} {answer.text[:300]}"
    )


async def end_to_end(
    gateway: Gateway, services: Mapping[str, Service], credentials: Credentials, seconds: float
) -> int:
    """Send one event through the new `ingest`, and see by the new `explore` that it is delivered.

    The number of its deliveries. Needs a subscription of the project that takes events of the type
    `com.weir.smoke`. SmokeError when there is none, or one does not get it within so many seconds.
    """
    headers = {"authorization": f"Bearer {credentials.key}"}
    event = {
        "ce-specversion": "1.0",
        "ce-id": str(uuid4()),
        "ce-source": "/weir/deploy",
        "ce-type": EVENT_TYPE,
        "content-type": "application/json",
    }
    ingest = _address(services, "ingest")
    answer = await _sent(
        gateway,
        "POST",
        ingest,
        f"/in/{credentials.project}",
        headers=headers | event,
        content=b'{"smoke": true}',
    )
    if answer.status_code != 202:
        raise SmokeError(f"the new ingest answered {answer.status_code} to an event: {answer.text[:300]}")
    uid = answer.json()["uid"]
    explore = _address(services, "explore")
    path = f"/v1/projects/{credentials.project}/deliveries?event={uid}"
    deadline = monotonic() + seconds
    while True:
        answer = await _sent(gateway, "GET", explore, path, headers=headers)
        if answer.status_code != 200:
            raise SmokeError(f"the new explore answered {answer.status_code}: {answer.text[:300]}")
        found = answer.json()["items"]
        if found and all(d["status"] == "delivered" for d in found):
            return len(found)
        if any(d["status"] in {"dead", "cancelled"} for d in found):
            raise SmokeError(f"event {uid} was not delivered: {[d['status'] for d in found]}")
        if monotonic() > deadline:
            why = "no subscription takes it" if not found else "it still waits"
            raise SmokeError(
                f"event {uid} was stored, and not delivered within {seconds:.0f} s: {why}",
                hint=f"project {credentials.project} needs a subscription to {EVENT_TYPE}, and a sink that answers",
            )
        await asyncio.sleep(PAUSE_SECONDS)


async def _sent(gateway: Gateway, method: str, address: str, path: str, **options: Any) -> httpx.Response:
    try:
        return await gateway.send(method, address, path, **options)
    except httpx.HTTPError as error:
        raise SmokeError(f"{method} {address}{path}: {error!r}") from error


def _address(services: Mapping[str, Service], name: str) -> str:
    """Of the new revision; of the one that serves where this deploy brings none."""
    service = services.get(name)
    if service is None:
        raise SmokeError(f"there is no function {name} here to send an event through")
    return service.tags.get(names.GREEN) or service.url
