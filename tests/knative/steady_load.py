"""Requests at a steady rate, whatever becomes of those before: what users notice while versions change."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Request:
    """One request: who answered, when it was sent (monotonic seconds), what came (a status, or what went wrong)."""

    function: str
    at: float
    seconds: float
    said: str
    uid: str | None = None

    @property
    def failed(self) -> bool:
        return not self.said.startswith("2")


class SteadyLoad:
    """While it is open, `rates` requests a second: POSTs to `ingest`, and a GET of each other function's path.

    `hosts` are the functions' names at the gateway. A function may be asked under several of them, in turn.
    """

    def __init__(
        self, gateway: str, hosts: Mapping[str, str], project: str, key: str, rates: Mapping[str, float]
    ) -> None:
        self._gateway = gateway
        self._hosts = {name: [urlsplit(url).netloc] for name, url in hosts.items()}
        self._project, self._key, self._rates = project, key, rates
        self._ending = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.requests: list[Request] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def also(self, function: str, url: str) -> None:
        """Ask `function` under another name as well."""
        self._hosts[function] = [*self._hosts[function], urlsplit(url).netloc]

    def only(self, function: str, url: str) -> None:
        """Ask it under one name alone."""
        self._hosts[function] = [urlsplit(url).netloc]

    def since(self, at: float) -> list[Request]:
        """What was sent after a moment and has ended."""
        return [r for r in list(self.requests) if r.at >= at]

    @property
    def accepted(self) -> list[str]:
        """The uids of all events that were answered 202."""
        return [r.uid for r in list(self.requests) if r.uid is not None]

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for function, rate in self._rates.items():
                group.create_task(self._send(session, group, function, rate))

    async def _send(
        self, session: aiohttp.ClientSession, group: asyncio.TaskGroup, function: str, rate: float
    ) -> None:
        began, number = time.monotonic(), 0
        while not self._ending.is_set():
            hosts = self._hosts[function]
            group.create_task(self._one(session, function, hosts[number % len(hosts)]))
            number += 1
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))

    async def _one(self, session: aiohttp.ClientSession, function: str, host: str) -> None:
        at, uid = time.monotonic(), None
        headers = {"host": host, "authorization": f"Bearer {self._key}"}
        try:
            if function == "ingest":
                headers |= {
                    "ce-specversion": "1.0",
                    "ce-id": str(uuid4()),
                    "ce-source": "/tests/load",
                    "ce-type": "com.example.steady",
                    "content-type": "application/json",
                }
                url = f"{self._gateway}/in/{self._project}"
                async with session.post(url, headers=headers, data=b'{"steady": true}') as answer:
                    said = str(answer.status)
                    if answer.status == 202:
                        uid = (await answer.json())["uid"]
                    else:
                        said += f" {(await answer.text())[:200]}"
            else:
                url = f"{self._gateway}/v1/projects/{self._project}/{PATHS[function]}"
                async with session.get(url, headers=headers) as answer:
                    said = str(answer.status)
                    await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = repr(error)
        self.requests.append(Request(function, at, time.monotonic() - at, said, uid))


PATHS = {"explore": "events?limit=5", "subscriptions": "subscriptions"}


def report(requests: list[Request]) -> str:
    """How many, how fast, and what went wrong."""
    if not requests:
        return "no requests"
    took = sorted(r.seconds for r in requests)
    wrong = Counter(r.said for r in requests if r.failed)
    return (
        f"{len(requests)} requests, p50 {took[len(took) // 2] * 1000:.0f} ms,"
        f" p99 {took[len(took) * 99 // 100] * 1000:.0f} ms, {sum(wrong.values())} failed {dict(wrong) or ''}"
    )
