"""`weir archive`, `weir retention`, `weir holds` and `weir erasures`, on a Weir that runs."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from cli.local.home import Home
from cli.main import weir as command
from shared.db.pool import open_pool
from tests.support import stream
from tests.support.archive import archive
from tests.support.weir import LocalWeir


@pytest.fixture(autouse=True)
def _in_its_home(running: LocalWeir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WEIR_URL", "WEIR_PROJECT", "WEIR_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WEIR_HOME", str(running.home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("WEIR_ARCHIVE_URL", (running.home / "archive").as_uri())


def call(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def answer(*arguments: str) -> Any:
    return json.loads(call(*arguments, "-o", "json").stdout)


async def put(running: LocalWeir) -> list[UUID]:
    """Two events in the archive of the home, received in 2024."""
    told = Home(running.home).running()
    assert told is not None
    pool = await open_pool(told.database_url, size=2)
    try:
        project_id = await pool.fetchval("SELECT id FROM projects WHERE name = 'default'")
        events = [stream.an_event(n, subject="mara", data=b"7") for n in range(2)]
        return await archive(pool, project_id, events, datetime(2024, 5, 2, 12, tzinfo=UTC))
    finally:
        await pool.close()


def test_the_archive_is_listed_shown_verified_and_brought_back(running: LocalWeir) -> None:
    assert "nothing is archived" in call("archive", "ls").stderr
    uids = asyncio.run(put(running))
    (day,) = answer("archive", "ls")["items"]
    assert (day["day"], day["events"]) == ("2024-05-02", 2)
    found = call("archive", "ls", "--subject", "mara", "-o", "name").stdout.split()
    assert found == [str(uid) for uid in reversed(uids)]
    assert answer("archive", "get", str(uids[0]))["event"]["data"] == 7
    assert "sha256" in call("archive", "get", "2024-05-02", "-o", "yaml").stdout
    assert call("archive", "verify").stdout == "whole: 2 objects, 2 events\n"
    call("archive", "get", "2024-05-03", code=3)
    call("archive", "recall", code=2)

    tried = answer("archive", "recall", str(uids[0]), "--dry-run")
    assert (tried["state"], tried["atMost"]) == ("dry-run", 1)
    made = answer("archive", "recall", str(uids[0]), "--reason", "a look")
    assert (made["state"], made["events"]) == ("done", 1)
    assert answer("events", "get", str(uids[0]))["event"]["subject"] == "mara"
    assert made["id"] in call("archive", "recalls", "-o", "name").stdout
    call("archive", "end-recall", made["id"], code=2)
    call("archive", "end-recall", made["id"], "--yes")

    (path,) = (running.home / "archive").rglob("*.zst")
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    broken = call("archive", "verify", "2024-05-02", code=1)
    assert path.name in broken.stderr
    assert "1 of 2 objects" in broken.stderr
    path.write_bytes(content)


def test_retention_holds_and_erasures() -> None:
    said = answer("retention", "set", "--days", "30", "--archive-days", "400", "--yes")
    assert answer("retention", "get") == said
    assert (said["retentionDays"], said["archiveDays"], said["archive"]) == (30, 400, "folder")
    call("retention", "set", "--days", "30", "--archive-days", "3", "--yes", code=5)
    call("retention", "set", code=2)
    assert "for ever" in call("retention", "set", "--forever").stdout

    hold = call("holds", "create", "Case 7", "--subject", "mara", "-o", "name").stdout.strip()
    assert "Case 7" in call("holds", "ls").stdout
    call("holds", "lift", hold, code=2)
    call("holds", "lift", hold, "--yes")

    tried = answer("erasures", "create", "nobody", "--dry-run")
    assert (tried["state"], tried["events"]) == ("dry-run", 0)
    call("erasures", "create", "nobody", code=2)
    made = answer("erasures", "create", "nobody", "--yes")
    assert made["state"] == "running"
    assert [item["id"] for item in answer("erasures", "ls", "--subject", "nobody")["items"]] == [made["id"]]
