"""Whatever is done to the rows behind the log's back shows."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.audit.chain import FIRST
from shared.audit.verify import holds, main, read_head, verify_part
from tests.support.projects import Project

Tamper = Callable[..., Awaitable[None]]


@pytest.fixture
def tamper(database_url: str) -> Tamper:
    """Somebody who owns the database and has taken the triggers off."""

    @asynccontextmanager
    async def owner() -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(database_url)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = 'replica'")
                yield connection
        finally:
            await connection.close()

    async def tamper(statement: str, *arguments: object) -> None:
        async with owner() as connection:
            assert await connection.execute(statement, *arguments) != "UPDATE 0"

    return tamper


@pytest.fixture
async def chain(keep, project: Project) -> UUID:
    for number in range(6):
        await keep(project.id, "producer.changed", after={"burst": number})
    return project.id


async def test_an_untouched_chain_holds(chain: UUID, pool: asyncpg.Pool) -> None:
    part = await verify_part(pool, chain)
    assert (part.rows, part.sequence, part.broken, part.is_last) == (6, 6, None, True)
    assert (part.head_sequence, part.head_hash) == (6, part.hash)
    assert await holds(pool, chain, 6, part.hash)
    assert not await holds(pool, chain, 5, part.hash)


async def test_it_is_computed_in_parts(chain: UUID, pool: asyncpg.Pool) -> None:
    first = await verify_part(pool, chain, 0, 4)
    assert (first.rows, first.sequence, first.is_last) == (4, 4, False)
    second = await verify_part(pool, chain, first.sequence, 4)
    assert (second.rows, second.sequence, second.broken, second.is_last) == (2, 6, None, True)
    whole = await verify_part(pool, chain, 0, 6)
    assert not whole.is_last
    end = await verify_part(pool, chain, 6, 6)
    assert (end.rows, end.broken, end.is_last) == (0, None, True)


async def test_a_chain_without_rows_holds(pool: asyncpg.Pool) -> None:
    part = await verify_part(pool, uuid4())
    assert (part.rows, part.sequence, part.hash, part.head_sequence, part.broken) == (0, 0, FIRST, 0, None)


@pytest.mark.parametrize(
    ("statement", "sequence", "reason"),
    [
        ("UPDATE audit SET actor_name = 'else' WHERE chain = $1 AND sequence = 3", 3, "changed"),
        ("UPDATE audit SET after = '{\"burst\": 9}' WHERE chain = $1 AND sequence = 3", 3, "changed"),
        ("UPDATE audit SET at = at - interval '1 day' WHERE chain = $1 AND sequence = 3", 3, "changed"),
        ("UPDATE audit SET address = NULL WHERE chain = $1 AND sequence = 1", 1, "changed"),
        ("DELETE FROM audit WHERE chain = $1 AND sequence = 3", 4, "missing"),
        ("DELETE FROM audit WHERE chain = $1 AND sequence = 1", 2, "missing"),
        ("DELETE FROM audit WHERE chain = $1 AND sequence = 6", 6, "head"),
        ("DELETE FROM audit WHERE chain = $1 AND sequence > 2", 3, "head"),
        ("DELETE FROM audit WHERE chain = $1", 1, "head"),
        ("DELETE FROM audit_heads WHERE chain = $1", 1, "head"),
    ],
)
async def test_what_was_done_to_rows_shows(
    chain: UUID, pool: asyncpg.Pool, tamper: Tamper, statement: str, sequence: int, reason: str
) -> None:
    await tamper(statement, chain)
    broken = (await verify_part(pool, chain)).broken
    assert broken is not None
    assert (broken.sequence, broken.reason) == (sequence, reason)


async def test_rows_that_changed_places_show(chain: UUID, pool: asyncpg.Pool, tamper: Tamper) -> None:
    for old, new in ((3, 103), (4, 3), (103, 4)):
        await tamper("UPDATE audit SET sequence = $3 WHERE chain = $1 AND sequence = $2", chain, old, new)
    broken = (await verify_part(pool, chain)).broken
    assert broken is not None
    assert (broken.sequence, broken.reason) == (3, "relinked")


async def test_a_row_that_was_written_anew_with_its_hash_does_not_fit(
    chain: UUID, pool: asyncpg.Pool, tamper: Tamper
) -> None:
    await tamper("UPDATE audit SET actor_name = 'else' WHERE chain = $1 AND sequence = 3", chain)
    await tamper("UPDATE audit a SET hash = audit_hash(a) WHERE chain = $1 AND sequence = 3", chain)
    broken = (await verify_part(pool, chain)).broken
    assert broken is not None
    assert (broken.sequence, broken.reason) == (4, "relinked")


async def test_a_chain_that_was_written_anew_misses_the_head_that_was_noted(
    chain: UUID, pool: asyncpg.Pool, tamper: Tamper
) -> None:
    noted = await verify_part(pool, chain)
    await tamper("DELETE FROM audit WHERE chain = $1 AND sequence = 6", chain)
    await tamper(
        """
        UPDATE audit_heads SET sequence = 5, hash = (SELECT hash FROM audit WHERE chain = $1 AND sequence = 5)
        WHERE chain = $1
        """,
        chain,
    )
    assert (await verify_part(pool, chain)).broken is None
    assert not await holds(pool, chain, noted.head_sequence, noted.head_hash)


async def test_a_part_behind_a_row_that_is_gone_is_none(chain: UUID, pool, tamper: Tamper) -> None:
    await tamper("DELETE FROM audit WHERE chain = $1 AND sequence = 4", chain)
    broken = (await verify_part(pool, chain, 4)).broken
    assert broken is not None
    assert (broken.sequence, broken.reason) == (4, "missing")


async def test_an_operator_verifies_every_chain(
    chain: UUID,
    keep,
    project: Project,
    pool: asyncpg.Pool,
    tamper: Tamper,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WEIR_DATABASE_URL", database_url)
    head = await verify_part(pool, chain)

    async def said(*arguments: str) -> tuple[int, dict]:
        code = await asyncio.to_thread(main, arguments)
        lines = map(json.loads, capsys.readouterr().out.splitlines())
        return code, {line["project"]: line for line in lines}

    _, lines = await said()
    assert lines[project.name] == {
        "project": project.name,
        "rows": 6,
        "head": f"6:{head.hash}",
        "holds": True,
    }
    _, lines = await said("--head", f"{project.name}=6:{'0' * 64}")
    assert (lines[project.name]["holds"], lines[project.name]["reason"]) == (False, "head")
    await tamper("DELETE FROM audit WHERE chain = $1 AND sequence = 2", chain)
    code, lines = await said()
    assert code == 1
    assert (lines[project.name]["at"], lines[project.name]["reason"]) == (3, "missing")


@pytest.mark.parametrize("text", ["", "1", "1:xy", "x:" + "0" * 64, "1:" + "0" * 62])
def test_what_is_no_head(text: str) -> None:
    with pytest.raises(ValueError):
        read_head(text)
