"""An archive in a folder, and days of the past that no other test has events in."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from events.housekeep.handler import create
from shared.archive.zstd import decompress
from shared.core.cloudevents import Event
from shared.runtime.handler import Handler
from shared.runtime.resources import Resources
from tests.support import stream
from tests.support.projects import Project

TICK = {"type": "dev.weir.tick", "source": "/weir", "data": {}}

_days = itertools.count(400)


@dataclass
class Keeping:
    """A project, its archive's folder and the handler that sees to it."""

    handler: Handler
    pool: asyncpg.Pool
    project: Project
    folder: Path

    async def keep(self, retention_days: int | None, archive_days: int | None = None) -> None:
        """Say for how long."""
        await self.pool.execute(
            "UPDATE projects SET retention_days = $2, archive_days = $3 WHERE id = $1",
            self.project.id,
            retention_days,
            archive_days,
        )

    async def tick(self) -> None:
        """Let a minute have passed."""
        await self.handler.handle(TICK)

    async def store(self, events: list[Event], day: date, **options: Any) -> list[UUID]:
        """Have events received from noon of `day` on."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        return await stream.store(self.pool, self.project.id, events, at=noon, **options)

    async def rows(self) -> set[UUID]:
        """The project's events in the database."""
        return {
            row[0]
            for row in await self.pool.fetch("SELECT uid FROM events WHERE project_id = $1", self.project.id)
        }

    async def row(self, uid: UUID) -> dict[str, Any]:
        """One of them, but for its place in the order of commits."""
        row = await self.pool.fetchrow("SELECT * FROM events WHERE uid = $1", uid)
        assert row is not None
        return {name: value for name, value in row.items() if name not in {"xid", "shard"}}

    async def has_partition(self, day: date) -> bool:
        """Whether the day has its tables."""
        return bool(await self.pool.fetchval("SELECT to_regclass($1) IS NOT NULL", f"events_p{day:%Y%m%d}"))

    def files(self, day: date) -> list[str]:
        """The names of the objects of a day."""
        found = self.folder / str(self.project.id) / f"{day:%Y/%m/%d}"
        return sorted(path.name for path in found.iterdir()) if found.exists() else []


def a_day() -> date:
    """A day of the past that no other test uses."""
    return datetime.now(UTC).date() - timedelta(days=next(_days))


def bytes_of(keeping: Keeping) -> bytes:
    """All that is in the archive, as anybody could read it."""
    found = b""
    for path in sorted(keeping.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += decompress(content) if path.suffix == ".zst" else content
    return found


async def erase(keeping: Keeping, subject: str) -> UUID:
    """Ask for an erasure, as the API does."""
    erasure_id = uuid4()
    await keeping.pool.execute(
        "INSERT INTO erasures (id, project_id, subject, subject_digest, created_by) VALUES ($1, $2, $3, '\\x00', 't')",
        erasure_id,
        keeping.project.id,
        subject,
    )
    return erasure_id


async def recall(keeping: Keeping, day: Any, **columns: Any) -> UUID:
    """Ask for all of a day, or what `columns` say of it."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    row = {
        "id": uuid4(),
        "project_id": keeping.project.id,
        "since": start,
        "until": start + timedelta(days=1),
        "keep_until": datetime.now(UTC) + timedelta(days=7),
        "created_by": "test",
        **columns,
    }
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await keeping.pool.execute(f"INSERT INTO recalls ({', '.join(row)}) VALUES ({places})", *row.values())
    return row["id"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the archive is."""
    found = tmp_path / "archive"
    monkeypatch.setenv("WEIR_ARCHIVE_URL", found.as_uri())
    return found


@pytest.fixture
async def keeping(
    resources: Resources, pool: asyncpg.Pool, project: Project, folder: Path
) -> AsyncIterator[Keeping]:
    handler = create(resources)
    yield Keeping(handler, pool, project, folder)
    # What is left of the past would be gone through at each tick of other tests.
    await pool.execute("UPDATE projects SET retention_days = NULL WHERE id = $1", project.id)
    await handler.drain()
