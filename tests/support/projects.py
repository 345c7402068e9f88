"""Projects and API keys made directly in the database, for tests of everything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from shared.auth.keys import hash_secret, make_key
from shared.runtime.settings import Settings


@dataclass(frozen=True)
class Project:
    """A project and a key that may do everything in it."""

    id: UUID
    name: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The credential as a request carries it."""
        return {"authorization": f"Bearer {self.key}"}


async def create_key(
    connection: asyncpg.Connection | asyncpg.Pool,
    settings: Settings,
    project_id: UUID,
    scopes: Sequence[str] = ("*",),
    sources: Sequence[str] = (),
    types: Sequence[str] = (),
    producer_id: UUID | None = None,
) -> str:
    """A new key's text."""
    key = make_key()
    await connection.execute(
        "INSERT INTO api_keys (id, project_id, name, secret_hash, scopes, sources, types, producer_id)"
        " VALUES ($1, $2, 'test', $3, $4, $5, $6, $7)",
        key.id,
        project_id,
        hash_secret(settings.secret, key),
        list(scopes),
        list(sources),
        list(types),
        producer_id,
    )
    return key.text


async def create_project(connection: asyncpg.Connection | asyncpg.Pool, settings: Settings) -> Project:
    """A new project with a name nobody else has."""
    project_id, name = uuid4(), f"p-{uuid4().hex[:12]}"
    await connection.execute("INSERT INTO projects (id, name) VALUES ($1, $2)", project_id, name)
    return Project(project_id, name, await create_key(connection, settings, project_id))


async def create_producer(
    connection: asyncpg.Connection | asyncpg.Pool, project_id: UUID, name: str = "shop", **columns: object
) -> UUID:
    """A new producer with these columns."""
    made = {"id": uuid4(), "project_id": project_id, "name": name, **columns}
    places = ", ".join(f"${number}" for number in range(1, len(made) + 1))
    await connection.execute(
        f"INSERT INTO producers ({', '.join(made)}) VALUES ({places})",
        *made.values(),
    )
    return made["id"]
