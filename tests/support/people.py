"""Users made directly in the database, and the HTTP client that a browser would be."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import httpx
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from shared.auth.links import create_link


@dataclass(frozen=True)
class Person:
    """A user and, where they have one, their password."""

    id: UUID
    email: str
    password: str | None


async def create_person(
    pool: asyncpg.Pool, *, password: str | None = None, roles: dict[UUID, str] | None = None
) -> Person:
    """A new user with a role in each of the projects named."""
    found = Person(uuid4(), f"{uuid4().hex[:10]}@example.org", password)
    password_hash = (
        PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password) if password else None
    )
    await pool.execute(
        "INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, 'Ann Example', $3)",
        found.id,
        found.email,
        password_hash,
    )
    for project_id, role in (roles or {}).items():
        await pool.execute(
            "INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, $3)", project_id, found.id, role
        )
    return found


async def new_link(pool: asyncpg.Pool, person: Person) -> str:
    """A one-time token of that user's."""
    async with pool.acquire() as connection:
        return await create_link(connection, person.id)


def browser(
    app: ASGIApp,
    url: str = "http://127.0.0.1:8480",
    user_agent: str = "Firefox",
    *,
    address: str = "127.0.0.1",
) -> httpx.AsyncClient:
    """A client with a cookie jar of its own."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=(address, 1)),
        base_url=url,
        headers={"user-agent": user_agent, "origin": url, "sec-fetch-site": "same-origin"},
    )
