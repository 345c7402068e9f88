"""What the examples of the help need to be there before they are run, and what stands for their placeholders."""

import asyncio
import json
import subprocess
from datetime import UTC, datetime
from typing import Any

from click.testing import CliRunner

from cli.local.home import Home
from cli.main import weir as command
from tests.integration.cli.stage import Stage
from tests.support import stream
from tests.support.archive import archive
from tests.support.people import create_person
from tests.support.weir import COMMAND, LocalWeir

DAY, NEXT_DAY = "2026-10-01", "2026-10-02"
ARCHIVED = (datetime(2024, 5, 2, 12, tzinfo=UTC), datetime(2024, 5, 3, 12, tzinfo=UTC))
"""Days that are long over, whenever the examples are run."""


def emit(stage: Stage, type_: str = "order.created", *more: str) -> str:
    data = '{"order": {"id": "A-1"}, "total": 120}'
    sent = stage.answer("emit", "-t", type_, "-s", "/shop", "-d", data, *more)
    return str(sent["uid"])


def report(stage: Stage) -> None:
    stage.write("report.pdf", "%PDF-1.7")


def event(stage: Stage) -> None:
    """Two events, for the ids that examples name."""
    subscription(stage)
    for name in ("019377d0-2c00-7a1c-8a60-7c1f9f6f3a10", "0199c3f2-8a51-7c3e-b0d4-5f2a9e6b1c70"):
        stage.stands_for[name] = emit(stage)


def subscription(stage: Stage) -> None:
    """`billing`, in its second version."""
    stage.call("subscriptions", "create", "billing", "--sink", stage.sink.url, "--type", "order.created")
    stage.call("subscriptions", "pause", "billing")
    stage.call("subscriptions", "resume", "billing")


def delivery(stage: Stage) -> None:
    """A delivery that is dead, and its event."""
    stage.sink.status = 500
    once = '{"retry": 0}'
    stage.call(
        "subscriptions", "create", "billing", "--sink", stage.sink.url, "--type", "order.created", "--delivery", once
    )  # fmt: skip
    uid = emit(stage, "order.created", "--id", "7")
    sent = CliRunner().invoke(command, ["emit", "-t", "order.created", "-s", "/shop", "--wait", "20s"])
    assert sent.exit_code == 6, sent.output
    (dead, *_) = stage.answer("deliveries", "ls", "--status", "dead")["items"]
    stage.sink.status = 204
    stage.stands_for["019377d0-2c00-7d11-9f3b-1d2c3b4a5968"] = dead["id"]
    stage.stands_for["--event 019377d0-2c00-7d11-9f3b-1d2c3b4a5968"] = f"--event {uid}"


def replay(stage: Stage) -> None:
    """A replay that goes on for as long as its example needs."""
    subscription(stage)
    for _ in range(3):
        emit(stage)
    made = stage.answer("replay", "--since", "1h", "--to", "billing", "--rate", "0.1", "--yes")
    stage.stands_for["019377d0-2c00-7d11-9f3b-1d2c3b4a5968"] = made["id"]


def paused_replay(stage: Stage) -> None:
    replay(stage)
    stage.call("replays", "pause", stage.stands_for["019377d0-2c00-7d11-9f3b-1d2c3b4a5968"])


def search(stage: Stage) -> None:
    stage.call("searches", "save", "Orders that died", "--type", "order.created", "--outcome", "dead")


def documents(stage: Stage) -> None:
    """The files that examples of `subscriptions` name."""
    told = {"name": "billing", "sink": stage.sink.url, "filters": [{"exact": {"type": "order.created"}}]}
    stage.write("subs/billing.json", json.dumps(told))
    stage.write("billing.yaml", json.dumps(told))
    stage.write("crm-auth.json", json.dumps({"type": "basic", "username": "weir", "password": "secret"}))


def type_files(stage: Stage) -> None:
    stage.write("order.json", json.dumps({"type": "object", "required": ["order"]}))


def described_type(stage: Stage) -> None:
    type_files(stage)
    stage.call("types", "set", "com.acme.order", "--schema", "order.json", "--mode", "reject")


def producer(stage: Stage) -> None:
    stage.call("producers", "create", "shop", "--source", "/shop*")


def key(stage: Stage) -> None:
    made = stage.answer("keys", "create", "storefront", "--scope", "events:write")
    stage.stands_for["4fPq0ZkWbN3x"] = made["id"]


def rotated_key(stage: Stage) -> None:
    key(stage)
    stage.call("keys", "rotate", stage.stands_for["4fPq0ZkWbN3x"], "--overlap", "7d")


def member(stage: Stage) -> None:
    async def join(pool: Any, project_id: Any) -> str:
        return (await create_person(pool, roles={project_id: "viewer"})).email

    stage.stands_for["jonas@example.com"] = asyncio.run(stage.in_database(join))


def role(stage: Stage) -> None:
    stage.call("roles", "create", "auditor", "--permission", "events:read", "--permission", "audit:read")


def audited(stage: Stage) -> None:
    """An entry, the export of all, and the head of an earlier verification."""
    search(stage)
    stage.call("audit", "export", "--out", "audit.ndjson")
    stage.stands_for["01942f6e-7c1a-7abc-9def-0123456789ab"] = stage.answer("audit", "ls")["items"][0]["id"]
    head = "1206:6e613eae2454b2fd0f2c4a2b6d1e8c7b5a4938271605f4e3d2c1b0a998877665"
    stage.stands_for[head] = stage.call("audit", "verify").rpartition("head ")[2].strip()


def source(stage: Stage) -> None:
    stage.call("sources", "create", "repos", "--kind", "github")


def rotating_source(stage: Stage) -> None:
    source(stage)
    stage.call("sources", "rotate", "repos")


def archived(stage: Stage) -> None:
    """Events of two archived days."""

    async def put(pool: Any, project_id: Any) -> Any:
        events = [stream.an_event(n, subject="order-7", data=b"7") for n in range(2)]
        return [await archive(pool, project_id, events, at) for at in ARCHIVED]

    uids, _ = asyncio.run(stage.in_database(put))
    first, second = (at.date().isoformat() for at in ARCHIVED)
    stage.stands_for |= {"01942f6e-7c1a-7abc-9def-0123456789ab": str(uids[0]), DAY: first, NEXT_DAY: second}


def recall(stage: Stage) -> None:
    archived(stage)
    uid = "01942f6e-7c1a-7abc-9def-0123456789ab"
    stage.stands_for[uid] = stage.answer("archive", "recall", stage.stands_for[uid])["id"]


def hold(stage: Stage) -> None:
    made = stage.answer("holds", "create", "Case 2026-17", "--subject", "customer-7")
    stage.stands_for["01942f6e-7c1a-7abc-9def-0123456789ab"] = made["id"]


def listened(stage: Stage) -> None:
    """Somebody listened, and there is an event that came after that."""
    emit(stage)
    listen = ["listen", "--forward", stage.sink.url, "--since", "1h", "-n", "1"]
    subprocess.run([*COMMAND, *listen], check=True, capture_output=True, timeout=60)


def other_home(stage: Stage) -> None:
    """The example has a home of its own."""
    stage.environment["WEIR_HOME"] = str(stage.folder / "other")


def other_weir(stage: Stage) -> None:
    """Another Weir runs, in the example's own home."""
    other_home(stage)
    LocalWeir(stage.folder / "other").up()


def sealing_keys(stage: Stage) -> None:
    """A file with a key, for another Weir: nobody gives the key to the one that runs for all."""
    other_weir(stage)
    stage.write("sealing-keys", stage.call("secrets", "key", "2027-01"))
    stage.stands_for["/run/secrets/sealing-keys"] = "sealing-keys"


def its_settings(stage: Stage) -> None:
    """The environment of a function that is served alone."""
    told = Home(stage.weir.home).running()
    assert told is not None
    stage.environment |= {
        "WEIR_DATABASE_URL": told.database_url,
        "WEIR_REDIS_URL": told.redis_url,
        "WEIR_SECRET": Home(stage.weir.home).secret(),
        "WEIR_PUBLIC_URL": told.url,
    }
