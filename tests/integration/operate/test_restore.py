"""Dump, wipe, restore into a server that knows nothing of the old one: nothing is lost, and order is kept."""

import asyncio
import re
import shlex
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from shared.db.migrate import main, migrate
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.dispatch.conftest import World, event
from tests.integration.operate.conftest import Servers, burn, run, world_on
from tests.support.sink import Answer, Received, Sink

KEY = "k"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "operate" / "backup.md"


@dataclass
class Receiver:
    """Answers each path as it was told, and keeps which events it has taken, in order."""

    answers: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: 200))
    taken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))

    def choose(self, request: Received) -> Answer:
        status = self.answers[request.path]
        self.ids[request.path].add(request.id)
        if status == 200:
            self.taken[request.path].append(request.header("ce-number") or "")
        return Answer(status)


def command(program: str, url: str, folder: Path) -> list[str]:
    """As the page for operators has it."""
    (line,) = re.findall(rf"^ +({program} .*)$", PAGE.read_text(), re.MULTILINE)
    line = line.replace('"$WEIR_DATABASE_URL"', url).replace("weir.dump", str(folder / "weir.dump"))
    return shlex.split(line)


async def emit(world: World, numbers: range, key: str | None = None) -> list[UUID]:
    """Events with these numbers, each in a commit of its own."""
    more = {} if key is None else {"partitionkey": key}
    kind = "com.example.plain" if key is None else "com.example.ordered"
    found: list[UUID] = []
    for number in numbers:
        stored = await world.send(event(type=kind, number=str(number), **more))
        found += [one.uid for one in stored]
    return found


async def statuses(world: World, subscription: UUID) -> list[str]:
    rows = await world.pool.fetch(
        "SELECT status FROM deliveries WHERE subscription_id = $1 ORDER BY event_uid", subscription
    )
    return [row["status"] for row in rows]


async def test_nothing_is_lost_by_dump_wipe_and_restore(
    servers: Servers, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = servers.start()
    await migrate(old.url)
    # As after months: the new server's transaction ids begin far below those that are stored.
    await burn(old.url, 20_000)
    receiver = Receiver()
    plain = [{"exact": {"type": "com.example.plain"}}]
    ordered = [{"exact": {"type": "com.example.ordered"}}]
    async with Sink() as sink:
        sink.choose(receiver.choose)
        receiver.answers |= {"/retried": 503, "/refused": 400, "/ordered": 503}
        later = {"backoffDelay": "PT2S", "backoffPolicy": "linear", "retry": 20}
        async with world_on(settings, old.url) as before:
            well = await before.subscribe(f"{sink.url}/well", plain)
            retried = await before.subscribe(f"{sink.url}/retried", plain, **later)
            refused = await before.subscribe(f"{sink.url}/refused", plain)
            paused = await before.subscribe(f"{sink.url}/paused", plain, state="paused")
            in_order = await before.subscribe(
                f"{sink.url}/ordered", ordered, ordering="partitionkey", **later
            )
            dying = Resources(before.resources.settings)
            handler = before.start(dying)
            await emit(before, range(5))
            await emit(before, range(5), KEY)
            dying.wake.local.send({"type": "dev.weir.tick", "source": "/weir", "data": {}})

            async def all_states() -> bool:
                found = [await statuses(before, s) for s in (well, retried, refused, paused, in_order)]
                return found == [
                    *(["delivered"] * 5, ["retrying"] * 5, ["dead"] * 5, ["pending"] * 5),
                    ["retrying", *["pending"] * 4],
                ]

            await before.until(all_states, timeout=60)
            before.handlers.clear()
            await before.crash(handler, dying)
        async with world_on(settings, old.url, before) as unread:
            await emit(unread, range(5, 10))
            await emit(unread, range(5, 10), KEY)
        first_ids = {path: set(ids) for path, ids in receiver.ids.items()}
        run(*command("pg_dump", old.url, tmp_path))
        old.stop()

        new = servers.start()
        monkeypatch.setenv("WEIR_DATABASE_URL", new.url)
        *_, flag = command("python -m shared.db.migrate", new.url, tmp_path)
        await asyncio.to_thread(main, [flag])
        run(*command("pg_restore", new.url, tmp_path))
        receiver.answers |= {"/retried": 200, "/ordered": 200}
        async with world_on(settings, new.url, before) as after:
            # What comes in before any dispatcher has seen the new server counts too.
            await emit(after, range(10, 15))
            await emit(after, range(10, 15), KEY)
            await after.pool.execute("UPDATE subscriptions SET state = 'active' WHERE id = $1", paused)
            await after.pool.execute(
                "UPDATE deliveries SET held = false, next_attempt_at = now() WHERE subscription_id = $1",
                paused,
            )
            await after.pool.execute("UPDATE projects SET version = version + 1")
            after.start()
            after.tick()

            async def all_arrived() -> bool:
                found = [await statuses(after, s) for s in (well, retried, paused, in_order)]
                return all(len(states) == 15 and set(states) == {"delivered"} for states in found)

            await after.until(all_arrived, timeout=90)
            assert await statuses(after, refused) == ["dead"] * 15
            await emit(after, range(15, 20))
            await after.until(lambda: _length(receiver.taken["/well"], 20), timeout=60)
    everything = [str(number) for number in range(20)]
    assert sorted(receiver.taken["/well"], key=int) == everything
    assert receiver.taken["/ordered"] == everything[:15]
    assert sorted(receiver.taken["/retried"], key=int)[:15] == everything[:15]
    assert first_ids["/retried"] < receiver.ids["/retried"]
    assert len(receiver.ids["/retried"]) == 20


async def _length(items: list[str], count: int) -> bool:
    await asyncio.sleep(0)
    return len(items) == count
