"""Who may do what in the database: the roles, their rights, and which rows they see.

`secure` brings all of it about and changes nothing where it is so already. Migrations end with it, as they do with
partitions: a table that one of them made is secured with it, and a database that was restored into a server without
the roles is mended.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.db.roles import PROJECT, SERVICE, Role

ROLE_TRIES = 20
"""Roles belong to the server: others may be making them for their databases at the same moment."""

HERE = "nullif(current_setting('weir.project', true), '')::uuid"
"""The project that a connection serves; null for none, which no row has."""


class MissingRoleError(Exception):
    """The roles are not there and cannot be made; the message says what an administrator has to run."""


class Rights(NamedTuple):
    """What each role may do with a table, and which rows `weir_project` has of it: a condition, None for all."""

    project: str
    service: str
    rows: str | None


EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"
READ = "SELECT"

# What is not said here follows from the columns: a table with a project is each project's own and the service's,
# any other is the service's alone.
RIGHTS = {
    "alembic_version": Rights(READ, READ, None),
    "projects": Rights("SELECT, UPDATE", EVERYTHING, f"id = {HERE}"),
    "users": Rights(
        "SELECT (id, email, name, created_at)",
        EVERYTHING,
        # Of both the project sees its own. Who made a key may have left.
        "EXISTS (SELECT FROM members m WHERE m.user_id = users.id)"
        " OR EXISTS (SELECT FROM api_keys k WHERE k.created_by = 'user:' || users.id)",
    ),
    "sink_health": Rights(
        EVERYTHING,
        EVERYTHING,
        "EXISTS (SELECT FROM subscriptions s WHERE s.id = sink_health.subscription_id)",
    ),
    # An event is never changed, what became of it is never unsaid: partitions are dropped whole, by the owner.
    "events": Rights(READ, "SELECT, INSERT", f"project_id = {HERE}"),
    "deliveries": Rights("SELECT, UPDATE", "SELECT, INSERT, UPDATE", f"project_id = {HERE}"),
    "attempts": Rights(READ, "SELECT, INSERT", f"project_id = {HERE}"),
    # What was done is never undone. The trigger of the log writes its heads, as the owner.
    "audit": Rights("SELECT, INSERT", "SELECT, INSERT", f"project_id = {HERE}"),
    "audit_heads": Rights(READ, READ, f"chain = {HERE}"),
    "shards": Rights("", "SELECT, UPDATE", None),
    "stream_clock": Rights("", READ, None),
    "own_events": Rights(READ, "", None),
}

FUNCTIONS = {
    "ensure_partitions(date, date)": (SERVICE,),
    "index_days(date, integer)": (SERVICE,),
    "summarize_events(date)": (SERVICE,),
    "server_load()": (SERVICE,),
    "server_moved()": (PROJECT, SERVICE),
    "follow_server()": (PROJECT, SERVICE),
    "drop_day(date)": (SERVICE,),
    "remove_events(uuid, uuid[])": (SERVICE,),
}
"""Those that do with the owner's rights what neither role may."""

_TABLES = text(
    """
    SELECT c.relname AS name,
        EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'project_id'
            AND NOT a.attisdropped) AS of_project,
        ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    ORDER BY c.relname
    """
)
_DAYS = text(
    """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass('events') AND NOT has_table_privilege(:service, c.oid, 'INSERT')
    ORDER BY c.relname
    """
)
_FUNCTION = text("SELECT to_regprocedure(:function) IS NOT NULL")

INSUFFICIENT_PRIVILEGE = "42501"

# Others may be at it for their databases in the same moment: two of them change one row of the server's catalog.
# Not inherited: rights, and rows, come with SET ROLE alone.
_ENSURE_ROLE = """
DO $$ BEGIN
    FOR tried IN 1..{tries} LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN;
            END IF;
            IF NOT pg_has_role(current_user, '{role}', 'SET') THEN
                GRANT {role} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
            END IF;
            RETURN;
        EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN
            IF tried = {tries} THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.05);
        END;
    END LOOP;
END $$
"""


def secure(connection: Connection) -> None:
    """Have the roles, and each table secured; outside a transaction each by itself, so that no two are held at once.

    Raises MissingRoleError when a role is not there and cannot be made, or cannot be taken on.
    """
    make_roles(connection)
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {PROJECT}, {SERVICE}"))
    for table in connection.execute(_TABLES).all():
        _secure(connection, table.name, rights_of(table.name, of_project=table.of_project), table.policies)
    for partition in connection.scalars(_DAYS, {"service": SERVICE}).all():
        # Postgres copies into no table with row-level security, and groups of events are copied into their day. So
        # partitions have none; neither role may do anything else with one.
        connection.execute(text(f"GRANT INSERT ON {partition} TO {SERVICE}"))
    for function, roles in FUNCTIONS.items():
        if connection.scalar(_FUNCTION, {"function": function}):
            _at_once(
                connection,
                f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {function} TO {', '.join(roles)}",
            )


def make_roles(connection: Connection) -> None:
    """Have the roles, as a dump needs them that is to be restored. Raises MissingRoleError as `secure` does."""
    for role in (PROJECT, SERVICE):
        _ensure_role(connection, role)


def rights_of(table: str, *, of_project: bool) -> Rights:
    """What the roles may do with a table that has a column `project_id`, or has none."""
    if table in RIGHTS:
        return RIGHTS[table]
    if of_project:
        return Rights(EVERYTHING, EVERYTHING, f"project_id = {HERE}")
    return Rights("", EVERYTHING, None)


def _ensure_role(connection: Connection, role: Role) -> None:
    """Make the role where it is missing, and let whoever migrates take it on."""
    user = connection.scalar(text("SELECT quote_ident(current_user)"))
    try:
        connection.execute(text(_ENSURE_ROLE.format(role=role, tries=ROLE_TRIES)))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise MissingRoleError(
            f"the roles {PROJECT} and {SERVICE} are needed, and {user} may not make them or take them on: let an"
            f" administrator of the server run `CREATE ROLE {PROJECT} NOLOGIN; CREATE ROLE {SERVICE} NOLOGIN;"
            f" GRANT {PROJECT}, {SERVICE} TO {user} WITH INHERIT FALSE, SET TRUE`, those of it that are not done,"
            " and migrate again"
        ) from error


def _secure(connection: Connection, table: str, rights: Rights, policies: Sequence[str]) -> None:
    """Give each role its rights, and no more, and its rows. The owner sees all rows, as before."""
    statements = []
    for role, granted in ((PROJECT, rights.project), (SERVICE, rights.service)):
        statements.append(f"REVOKE ALL ON {table} FROM {role}")
        if granted:
            statements.append(f"GRANT {granted} ON {table} TO {role}")
    if rights.rows is not None and not {"project", "service"} <= set(policies):
        for name, role, rows in (("project", PROJECT, rights.rows), ("service", SERVICE, "true")):
            statements.append(f"DROP POLICY IF EXISTS {name} ON {table}")
            statements.append(f"CREATE POLICY {name} ON {table} TO {role} USING ({rows})")
        statements.append(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    _at_once(connection, *statements)


def _at_once(connection: Connection, *statements: str) -> None:
    """Whoever is at work meanwhile meets what was before, or what is after."""
    connection.execute(text(f"DO $$ BEGIN {'; '.join(statements)}; END $$"))
