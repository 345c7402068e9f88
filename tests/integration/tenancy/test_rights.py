"""What the two roles may do, and that no table with a project was forgotten."""

import asyncpg
import pytest

from shared.db.roles import PROJECT, SERVICE
from shared.db.security import EVERYTHING, FUNCTIONS, RIGHTS, rights_of
from shared.runtime.resources import Resources
from tests.support.projects import Project, create_project

TABLES = """
SELECT c.relname AS name, c.relrowsecurity AS secured,
    EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id') AS of_project
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""

POLICIES = """
SELECT p.polname AS name, r.rolname AS role, p.polcmd = '*' AS all_commands, p.polpermissive AS permissive,
    pg_get_expr(p.polqual, p.polrelid) AS rows, p.polwithcheck IS NULL AS checked_alike
FROM pg_policy p JOIN pg_roles r ON p.polroles = ARRAY[r.oid] WHERE p.polrelid = $1::text::regclass
"""


async def test_every_table_with_a_project_is_behind_policies(pool: asyncpg.Pool) -> None:
    tables = await pool.fetch(TABLES)
    of_project = {table["name"] for table in tables if table["of_project"]}
    assert of_project >= {"events", "deliveries", "attempts", "subscriptions", "api_keys", "members"}
    without_column = {"projects", "users", "sink_health", "audit_heads"}
    for table in tables:
        name = table["name"]
        assert table["secured"] is (name in of_project | without_column), name
        if not table["secured"]:
            continue
        policies = {p["name"]: p for p in await pool.fetch(POLICIES, name)}
        assert set(policies) == {"project", "service"}, name
        assert all(p["all_commands"] and p["permissive"] and p["checked_alike"] for p in policies.values())
        assert (policies["project"]["role"], policies["service"]["role"]) == (PROJECT, SERVICE)
        assert policies["service"]["rows"] == "true"
        rows = policies["project"]["rows"]
        if name in of_project:
            assert (
                rows == "(project_id = (NULLIF(current_setting('weir.project'::text, true), ''::text))::uuid)"
            ), name


async def test_the_roles_cannot_pass_it_by(pool: asyncpg.Pool) -> None:
    for role in (PROJECT, SERVICE):
        found = await pool.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", role)
        for may in (
            "rolsuper",
            "rolbypassrls",
            "rolcanlogin",
            "rolcreaterole",
            "rolcreatedb",
            "rolreplication",
        ):
            assert found[may] is False, may
        assert not await pool.fetchval("SELECT count(*) FROM pg_class WHERE relowner = $1", found["oid"])
        assert not await pool.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1", found["oid"])
        assert not await pool.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)


async def test_rights_are_those_that_are_written_down(pool: asyncpg.Pool) -> None:
    everything = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
    for table in await pool.fetch(TABLES):
        wanted = rights_of(table["name"], of_project=table["of_project"])
        for role, said in ((PROJECT, wanted.project), (SERVICE, wanted.service)):
            granted = {
                right
                for right in everything
                if await pool.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table["name"], right)
            }
            assert granted == ({*said.split(", ")} - {""} if "(" not in said else set()), (
                table["name"],
                role,
            )


async def test_what_is_written_down_is_there(pool: asyncpg.Pool) -> None:
    for name in RIGHTS:
        assert await pool.fetchval("SELECT to_regclass($1) IS NOT NULL", name), name
    assert EVERYTHING == "SELECT, INSERT, UPDATE, DELETE"
    definer = "SELECT proname || '(' || oidvectortypes(proargtypes) || ')' AS name, prosecdef, proconfig, proacl::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    functions = {row["name"]: row for row in await pool.fetch(definer)}
    for name, roles in FUNCTIONS.items():
        assert functions[name]["prosecdef"]
        assert functions[name]["proconfig"] == ["search_path=public, pg_temp"]
        for role in (PROJECT, SERVICE):
            may = await pool.fetchval("SELECT has_function_privilege($1, $2, 'EXECUTE')", role, name)
            assert may is (role in roles), (name, role)
        assert "{=X" not in functions[name]["proacl"], "everybody may"


async def test_partitions_are_reached_through_their_tables_alone(pool: asyncpg.Pool) -> None:
    await pool.execute("SELECT ensure_partitions('2026-03-01', '2026-03-02')")
    partitions = await pool.fetch("SELECT relname, oid FROM pg_class WHERE relispartition AND relkind = 'r'")
    assert len(partitions) >= 6
    for partition in partitions:
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            for role in (PROJECT, SERVICE):
                may = await pool.fetchval(
                    "SELECT has_table_privilege($1, $2::oid, $3)", role, partition["oid"], right
                )
                copies = role == SERVICE and right == "INSERT" and partition["relname"].startswith("events_p")
                assert may is copies, (partition["relname"], role, right)


async def test_connections_work_as_the_roles(resources: Resources, project: Project) -> None:
    as_whom = "SELECT current_user::text"
    assert await (await resources.pg()).fetchval(as_whom) == SERVICE
    assert await (await resources.stream()).fetchval(as_whom) == SERVICE
    assert await (await resources.of(project.id)).fetchval(as_whom) == PROJECT
    assert await (await resources.reading_of(project.id)).fetchval(as_whom) == PROJECT


async def test_a_project_sees_and_writes_its_own_alone(
    resources: Resources, pool: asyncpg.Pool, project: Project, settings
) -> None:
    other = await create_project(pool, settings)
    own = await resources.of(project.id)
    assert [row["id"] for row in await own.fetch("SELECT id FROM projects")] == [project.id]
    assert (
        await own.execute("UPDATE projects SET version = version + 1 WHERE id = $1", other.id) == "UPDATE 0"
    )
    assert await own.execute("UPDATE api_keys SET name = 'mine'") == "UPDATE 1"
    assert await own.execute("DELETE FROM api_keys WHERE project_id = $1", other.id) == "DELETE 0"
    insert = "INSERT INTO producers (id, project_id, name) VALUES (gen_random_uuid(), $1, 'p')"
    assert await own.execute(insert, project.id) == "INSERT 0 1"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await own.execute(insert, other.id)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await own.execute("UPDATE producers SET project_id = $1", other.id)
    for statement in (
        "DELETE FROM projects",
        "INSERT INTO projects (id, name) VALUES (gen_random_uuid(), 'another')",
        "SELECT password_hash FROM users",
        "SELECT FROM signing_keys",
        "SELECT FROM shards",
        "UPDATE alembic_version SET version_num = '9999'",
        "DELETE FROM events",
        "DELETE FROM deliveries",
        "SELECT ensure_partitions('2026-03-01', '2026-03-01')",
        "ALTER TABLE events DISABLE ROW LEVEL SECURITY",
        "TRUNCATE producers",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await own.execute(statement)


async def test_people_are_seen_where_they_are_members(
    resources: Resources, pool: asyncpg.Pool, project: Project, settings
) -> None:
    other = await create_project(pool, settings)
    for place in (project, other):
        await pool.execute(
            "WITH made AS (INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), $1, 'P') RETURNING id)"
            " INSERT INTO members (project_id, user_id, role) SELECT $2, id, 'viewer' FROM made",
            f"{place.name}@example.com",
            place.id,
        )
    own = await resources.of(project.id)
    assert [row["email"] for row in await own.fetch("SELECT email FROM users")] == [
        f"{project.name}@example.com"
    ]


async def test_for_no_project_there_is_nothing(resources: Resources, project: Project) -> None:
    own = await resources.of(project.id)
    async with own.acquire() as connection, connection.transaction():
        for nothing in ("SET LOCAL weir.project = ''", "RESET weir.project"):
            await connection.execute(nothing)
            assert await connection.fetch("SELECT FROM projects") == []
            assert await connection.fetch("SELECT FROM own_events") == []
