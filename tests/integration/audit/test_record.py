"""What is recorded is there with its change, numbered, chained, and there to stay."""

import asyncio
import json

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.audit import chain
from shared.audit.by import By, by_operator, by_weir
from shared.audit.queries import NO_PROJECT
from shared.audit.record import MAX_DOCUMENT_BYTES, record
from tests.support.people import create_person
from tests.support.projects import Project


async def test_a_row_says_who_did_what_to_what_from_where(keep, rows, project: Project) -> None:
    await keep(project.id, "producer.changed", name="shop", before={"burst": 1}, after={"burst": 2})
    (row,) = await rows(project.id)
    assert row["project_id"] == project.id
    assert (row["actor_kind"], row["actor_id"], row["actor_name"]) == ("key", "abcdefghijkl", "ci")
    assert (row["via"], row["agent"], row["address"]) == ("key", "curl/8", "198.51.100.7")
    assert (row["action"], row["kind"], row["thing_name"]) == ("producer.changed", "producer", "shop")
    assert (row["before"], row["after"]) == ({"burst": 1}, {"burst": 2})


async def test_names_and_roles_are_those_of_the_moment(
    keep, rows, project: Project, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, roles={project.id: "admin"})
    await keep(project.id, by=By("user", str(person.id), "console"))
    await pool.execute("UPDATE users SET name = 'Another Name' WHERE id = $1", person.id)
    await pool.execute("DELETE FROM members WHERE user_id = $1", person.id)
    await keep(project.id, by=By("key", project.key.split("_")[1], "command"))
    first, second = await rows(project.id)
    assert (first["actor_name"], first["role"]) == ("Ann Example", "admin")
    assert (second["actor_name"], second["role"]) == ("test", None)


async def test_weir_and_operators_have_names(keep, rows, project: Project) -> None:
    await keep(project.id, by=by_weir())
    await keep(project.id, by=by_operator("weir up"))
    first, second = await rows(project.id)
    assert (first["actor_kind"], first["actor_name"], first["via"]) == ("weir", "Weir", "weir")
    assert second["actor_name"]
    assert (second["via"], second["agent"]) == ("operator", "weir up")


async def test_it_is_there_with_its_change_or_not_at_all(
    rows, project: Project, pool: asyncpg.Pool, by: By
) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(RuntimeError, match="outside of the transaction"):
            await record(connection, by, "producer.deleted", project_id=project.id)
        transaction = connection.transaction()
        await transaction.start()
        await record(connection, by, "producer.deleted", project_id=project.id)
        await transaction.rollback()
    assert await rows(project.id) == []


async def test_who_records_at_once_is_numbered_without_gaps(keep, rows, project: Project) -> None:
    await asyncio.gather(*(keep(project.id) for _ in range(30)))
    found = await rows(project.id)
    assert [row["sequence"] for row in found] == list(range(1, 31))
    assert [row["prev_hash"] for row in found] == [bytes(32), *(row["hash"] for row in found[:-1])]
    assert [row["at"] for row in found] == sorted(row["at"] for row in found)


async def test_what_concerns_no_project_has_a_chain_of_its_own(keep, rows, project: Project) -> None:
    before = len(await rows(NO_PROJECT))
    await keep(None, "session.started")
    await keep(project.id)
    assert (await rows(NO_PROJECT))[-1]["sequence"] == before + 1
    assert (await rows(project.id))[-1]["sequence"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor_name = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE audit_heads SET sequence = 0",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "INSERT INTO audit_heads (chain, hash) VALUES (gen_random_uuid(), '')",
    ],
)
async def test_nothing_of_it_can_be_changed(keep, project: Project, pool: asyncpg.Pool, statement) -> None:
    await keep(project.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only be added to"):
        await pool.execute(statement)


async def test_nobody_chooses_where_their_row_stands(keep, rows, project: Project, pool) -> None:
    await keep(project.id)
    await pool.execute(
        """
        INSERT INTO audit (id, project_id, chain, sequence, at, actor_kind, actor_name, via, action, kind, thing_name,
                           prev_hash, hash)
        VALUES (gen_random_uuid(), $1, gen_random_uuid(), 99, '2001-01-01', 'user', 'x', 'api', 'a.b', 'a', 'c', '', '')
        """,
        project.id,
    )
    first, second = await rows(project.id)
    assert second["sequence"] == 2
    assert second["prev_hash"] == first["hash"]
    assert second["at"] > first["at"]


async def test_secrets_do_not_get_in(keep, rows, project: Project) -> None:
    await keep(project.id, name=project.key, before={"x": project.key}, after={"password": "hunter2 hunter2"})
    (row,) = await rows(project.id)
    text = repr(dict(row))
    assert project.key.split("_")[2] not in text
    assert "hunter2" not in text
    assert project.key.split("_")[1] in row["thing_name"]


async def test_of_what_is_too_long_there_is_its_digest(keep, rows, project: Project) -> None:
    await keep(project.id, after={"schema": "x" * MAX_DOCUMENT_BYTES})
    (row,) = await rows(project.id)
    assert row["after"]["tooLong"]["bytes"] > MAX_DOCUMENT_BYTES


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(value=json_values, name=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
async def test_the_hash_can_be_computed_away_from_the_database(
    pool: asyncpg.Pool, by: By, project: Project, value, name
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await record(
            connection,
            by,
            "type.changed",
            project_id=project.id,
            id=name.replace("\0", ""),
            name=name,
            after=[value],
        )
        row = await connection.fetchrow(
            "SELECT *, before::text AS before_text, after::text AS after_text FROM audit"
            " WHERE chain = $1 ORDER BY sequence DESC LIMIT 1",
            project.id,
        )
    line = json.dumps(
        {
            "sequence": row["sequence"],
            "id": str(row["id"]),
            "chain": str(row["chain"]),
            "projectId": str(row["project_id"]),
            "at": row["at"].isoformat(),
            "actor": {"kind": row["actor_kind"], "id": row["actor_id"], "name": row["actor_name"]},
            "role": row["role"],
            "via": row["via"],
            "agent": row["agent"],
            "address": row["address"],
            "requestId": row["request_id"],
            "action": row["action"],
            "thing": {"kind": row["kind"], "id": row["thing_id"], "name": row["thing_name"]},
            "prevHash": row["prev_hash"].hex(),
            "hash": row["hash"].hex(),
        }
    )
    line = f'{line[:-1]}, "before": {row["before_text"] or "null"}, "after": {row["after_text"]}}}'
    assert chain.hash_of(chain.read(line)) == row["hash"].hex()
