"""Tries of passwords that failed are in the audit log, as many as may be, and nothing of what was typed."""

from uuid import uuid4

import asyncpg
import pytest

from functions.identity import refusals
from functions.identity.app import create
from shared.cache.windows import Limit
from shared.runtime.resources import Resources
from tests.support.people import browser, create_person

PASSWORD = "correct horse battery"


async def try_password(resources: Resources, email: str, password: str) -> None:
    async with browser(create(resources)) as client:
        answer = await client.post("/v1/auth/sign-in", json={"email": email, "password": password})
    assert answer.status_code == 401


async def refused(pool: asyncpg.Pool, thing: str | None) -> list[asyncpg.Record]:
    return await pool.fetch(
        "SELECT * FROM audit WHERE action = 'session.refused' AND thing_id IS NOT DISTINCT FROM $1", thing
    )


async def test_who_failed_at_an_account(resources: Resources, pool: asyncpg.Pool) -> None:
    person = await create_person(pool, password=PASSWORD)
    await try_password(resources, person.email, "hunter2 hunter2")
    (row,) = await refused(pool, str(person.id))
    assert (row["actor_kind"], row["thing_name"]) == ("nobody", person.email)
    assert row["address"] == "127.0.0.1"
    assert "hunter2" not in repr(dict(row))


async def test_of_what_names_no_account_no_text_is_kept(resources: Resources, pool: asyncpg.Pool) -> None:
    before = len(await refused(pool, None))
    typed = f"{uuid4().hex}@example.org"
    await try_password(resources, typed, "hunter2 hunter2")
    rows = await refused(pool, None)
    assert len(rows) == before + 1
    assert typed not in repr([dict(row) for row in rows])


async def test_only_so_many_are_kept(
    resources: Resources, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "OF_ACCOUNT", Limit("few", 2, 60))
    person = await create_person(pool, password=PASSWORD)
    for _ in range(4):
        await try_password(resources, person.email, "hunter2 hunter2")
    assert len(await refused(pool, str(person.id))) == 2
