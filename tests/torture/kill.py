"""`make torture`: kill -9 of every part under load; afterwards every acknowledged event is accounted for.

    python -m tests.torture.kill [--rounds 4] [--rate 150] [--seed N]

Weir runs as `weir up --detach` with two workers in a home of its own, durable. In every round one kind of
part is killed with SIGKILL at a random moment (or all of them), then `weir up --detach` is called again. A
producer that was not answered 202 sends the same event again, as producers should. The table goes to stdout,
everything to build/torture.json; the exit code is 1 when anything was lost.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from cli.local.servers import free_port
from tests.support.sink import Sink
from tests.support.weir import LocalWeir

ROOT = Path(__file__).resolve().parents[2]
VICTIMS = ("worker", "postgres", "redis", "supervisor", "everything")
PRODUCERS = 8
BATCH = 30
"""Events that one of the producers sends at a time: so many are stored by another statement than few."""

CALM_SECONDS = (0.5, 2.0)
SETTLE_SECONDS = 60.0


@dataclass
class Round:
    """What one round killed, and how long it took until events were taken again."""

    killed: list[str]
    recovery_seconds: float
    acknowledged: int


@dataclass
class Report:
    """The account. `lost` must be 0; `repeated` is bounded by what was under way at a kill."""

    seed: int
    rounds: list[Round] = field(default_factory=list)
    acknowledged: int = 0
    stored: int = 0
    delivered: int = 0
    waiting: int = 0
    lost: int = 0
    lost_ids: list[str] = field(default_factory=list)
    repeated: int = 0
    settle_seconds: float = 0.0


class Load:
    """Producers with a bounded rate. `acknowledged` are the ids that were answered 202."""

    def __init__(self, url: str, project: str, key: str, rate: int) -> None:
        self._url = f"{url}/in/{project}"
        self._headers = {"authorization": f"Bearer {key}"}
        self._pause = PRODUCERS / rate
        self._number = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = False
        self.acknowledged: set[str] = set()
        self.taken = asyncio.Event()

    def start(self) -> None:
        self._tasks = [
            asyncio.ensure_future(self._produce(BATCH if number == 0 else 1)) for number in range(PRODUCERS)
        ]

    async def end(self) -> None:
        self._ending = True
        await asyncio.gather(*self._tasks)

    async def _produce(self, size: int) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while not self._ending:
                identities = [f"e{self._number + n}" for n in range(1, size + 1)]
                self._number += size
                while not await self._send(session, identities):
                    if self._ending:
                        return
                    await asyncio.sleep(0.1)
                await asyncio.sleep(self._pause * size)

    async def _send(self, session: aiohttp.ClientSession, identities: list[str]) -> bool:
        events = [
            {
                "specversion": "1.0",
                "id": identity,
                "source": "/torture",
                "type": "com.example.tortured",
                "data": {"a": 1},
            }
            for identity in identities
        ]
        kind, content = ("cloudevents-batch", events) if len(events) > 1 else ("cloudevents", events[0])
        headers = {**self._headers, "content-type": f"application/{kind}+json"}
        try:
            async with session.post(self._url, headers=headers, data=json.dumps(content)) as answer:
                if answer.status != 202:
                    return False
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        self.acknowledged.update(identities)
        self.taken.set()
        return True


class Api:
    """What the account is read from: the API alone."""

    def __init__(self, url: str, project: str, key: str) -> None:
        self._url = f"{url}/v1/projects/{project}"
        self._headers = {"authorization": f"Bearer {key}"}

    async def subscribe(self, sink: str) -> None:
        async with (
            aiohttp.ClientSession(headers=self._headers) as session,
            session.post(
                f"{self._url}/subscriptions",
                json={
                    "name": "torture",
                    "filters": [],
                    "sink": sink,
                    "delivery": {"backoffDelay": "PT0.2S", "backoffMax": "PT2S", "timeout": "PT5S"},
                },
            ) as answer,
        ):
            answer.raise_for_status()

    async def all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        async with aiohttp.ClientSession(headers=self._headers) as session:
            while True:
                parameters = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
                async with session.get(f"{self._url}/{path}", params=parameters) as answer:
                    answer.raise_for_status()
                    page = await answer.json()
                items += page["items"]
                cursor = page["next"]
                if cursor is None:
                    return items


async def command(weir: LocalWeir, *arguments: str) -> Any:
    return await asyncio.to_thread(weir.run, *arguments)


def victims(kind: str, status: dict[str, Any], dice: random.Random) -> dict[str, int]:
    """Name to process number of what is to be killed."""
    parts = {part["name"]: part["pid"] for part in status["parts"] if part["pid"]}
    parts["supervisor"] = status["pid"]
    if kind == "everything":
        return parts
    fitting = sorted(name for name in parts if name.startswith(kind))
    if kind == "worker" and dice.random() < 0.5:
        return {name: parts[name] for name in fitting}
    name = dice.choice(fitting)
    return {name: parts[name]}


async def one_round(weir: LocalWeir, kind: str, port: int, load: Load, dice: random.Random) -> Round:
    """Some calm, a kill, `weir up` again; ends when an event was taken after that."""
    await asyncio.sleep(dice.uniform(*CALM_SECONDS))
    status = json.loads((await command(weir, "status", "-o", "json")).stdout)
    chosen = victims(kind, status, dice)
    for pid in chosen.values():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    load.taken.clear()
    started = time.monotonic()
    done = await command(weir, "up", "--detach", "--port", str(port))
    if done.returncode:
        raise SystemExit(f"weir up failed after killing {sorted(chosen)}:\n{done.stdout}{done.stderr}")
    async with asyncio.timeout(60):
        await load.taken.wait()
    return Round(sorted(chosen), round(time.monotonic() - started, 2), len(load.acknowledged))


async def account(api: Api, load: Load, sink: Sink, report: Report) -> None:
    """Wait until all deliveries have ended, then compare what was acknowledged with what is there."""
    started = time.monotonic()
    while True:
        deliveries = await api.all("deliveries")
        waiting = [d for d in deliveries if d["status"] in {"pending", "retrying"}]
        received = {r.header("ce-id") for r in sink.requests}
        if (load.acknowledged <= received and not waiting) or time.monotonic() - started > SETTLE_SECONDS:
            break
        await asyncio.sleep(0.5)
    events = {item["event"]["id"]: item["uid"] for item in await api.all("events")}
    waiting_uids = {d["event"] for d in waiting}
    seen = Counter(r.id for r in sink.requests)
    report.acknowledged = len(load.acknowledged)
    report.stored = len(load.acknowledged & events.keys())
    report.delivered = len(load.acknowledged & received)
    report.waiting = sum(events.get(i) in waiting_uids for i in load.acknowledged - received)
    report.lost_ids = sorted(
        i
        for i in load.acknowledged
        if i not in events or (i not in received and events[i] not in waiting_uids)
    )
    report.lost = len(report.lost_ids)
    report.repeated = sum(seen.values()) - len(seen)
    report.settle_seconds = round(time.monotonic() - started, 1)


async def torture(folder: Path, kinds: list[str], rate: int, seed: int) -> Report:
    """Run a round for each of `kinds` in `folder`."""
    dice = random.Random(seed)
    report = Report(seed)
    weir = LocalWeir(folder / "home")
    weir.environment["WEIR_WORKERS"] = "2"
    port = free_port()
    try:
        done = await command(weir, "up", "--detach", "--port", str(port))
        if done.returncode:
            raise SystemExit(done.stderr)
        context = json.loads((await command(weir, "context", "show", "-o", "json")).stdout)
        where = (context["url"], context["project"], context["apiKey"])
        api, load = Api(*where), Load(*where, rate)
        async with Sink() as sink:
            await api.subscribe(sink.url)
            load.start()
            try:
                for kind in kinds:
                    print(f"killing: {kind}", file=sys.stderr)
                    report.rounds.append(await one_round(weir, kind, port, load, dice))
                await asyncio.sleep(1)
            finally:
                await load.end()
            await account(api, load, sink, report)
    finally:
        await command(weir, "down")
    return report


def table(report: Report) -> str:
    """The account as Markdown."""
    rows = [("killed", "events taken again after"), ("---", "---")]
    rows += [(", ".join(r.killed), f"{r.recovery_seconds:.1f} s") for r in report.rounds]
    rows += [("", "")]
    head = ("acknowledged", "stored", "delivered", "waiting", "lost", "repeated", "all ended after")
    values = (
        *(str(getattr(report, name)) for name in head[:-1]),
        f"{report.settle_seconds:.1f} s",
    )
    parts = ["\n".join("| " + " | ".join(row) + " |" for row in rows[:-1])]
    parts.append("\n".join("| " + " | ".join(row) + " |" for row in (head, ("---",) * len(head), values)))
    return "\n\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often each kind of part is killed")
    parser.add_argument("--rate", type=int, default=150, help="events per second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    chosen = parser.parse_args()
    kinds = list(VICTIMS) * chosen.rounds
    random.Random(chosen.seed).shuffle(kinds)
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(torture(Path(folder), kinds, chosen.rate, chosen.seed))
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "torture.json").write_text(json.dumps(asdict(report), indent=2) + "\n")
    print(table(report))
    return 1 if report.lost else 0


if __name__ == "__main__":
    sys.exit(main())
