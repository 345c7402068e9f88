"""Every route of a project, with the project taken out of every statement: nothing of another's is seen or changed."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from functions.explore.app import create as create_explore
from shared.db.pool import _Connection, open_pool
from shared.rollups.queries import mark
from shared.rollups.upkeep import refresh
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.auth.test_routes import NAMES, app_of, routes_of
from tests.support import stream
from tests.support.archive import archive
from tests.support.projects import Project, create_project

HIDDEN = "only-the-others-know"
"""A word in everything the other project has that no request of this test says."""

CONDITION = re.compile(r"(?:\b\w+\.)?\b(?:project_id|chain)\s*=\s*(\$\d+)(?:::uuid)?")
OF_PROJECTS = re.compile(r"(\bprojects\b[^;]*\bWHERE\s+)id\s*=\s*(\$\d+)", re.DOTALL)


def without_project(statement: str) -> str:
    """The same statement for whatever project; its parameters stay."""
    found = CONDITION.sub(r"\1::uuid IS NOT NULL", statement)
    return OF_PROJECTS.sub(r"\1\2::uuid IS NOT NULL", found)


def test_what_is_taken_out() -> None:
    """The net has to be as wide as the statements are many: see `test_statements.py` for how they are written."""
    assert without_project("SELECT x FROM t WHERE project_id = $1 AND id = $2") == (
        "SELECT x FROM t WHERE $1::uuid IS NOT NULL AND id = $2"
    )
    assert without_project("UPDATE projects SET a = 1 WHERE id = $1") == (
        "UPDATE projects SET a = 1 WHERE $1::uuid IS NOT NULL"
    )


pytestmark = pytest.mark.usefixtures("streams_that_end")


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has every statement of a connection that serves a project sent without the project; those that had it."""
    sent: list[str] = []

    def stripped(name: str) -> Callable[..., Awaitable[Any]]:
        real = getattr(_Connection, name)

        async def send(self: Any, query: str, *args: Any, **more: Any) -> Any:
            if self.project is None:
                return await real(self, query, *args, **more)
            bare = without_project(query)
            if bare != query:
                sent.append(query)
            return await real(self, bare, *args, **more)

        return send

    for name in ("fetch", "fetchrow", "fetchval", "execute", "executemany"):
        monkeypatch.setattr(_Connection, name, stripped(name))
    return sent


class Others:
    """A project with one of everything, and what names each thing in a path."""

    def __init__(self, pool: asyncpg.Pool, project: Project) -> None:
        self.pool = pool
        self.project = project
        self.ids: dict[str, list[str]] = {}

    async def fill(self) -> None:
        own = self.project.id
        (uid,) = await stream.store(
            self.pool,
            own,
            [stream.an_event(subject=HIDDEN, type="their.type", data=b'"secret"')],
            facets=[{"word": HIDDEN}],
            # Among all that other tests have left, the newest: the first that a list would show.
            at=datetime.now(UTC),
        )
        subscription, producer, source = uuid4(), uuid4(), uuid4()
        await self.pool.execute(
            "INSERT INTO subscriptions (id, project_id, name, filters, sink, delivery) VALUES ($1, $2, 'theirs', '[]', $3, '{}')",
            subscription,
            own,
            f"https://{HIDDEN}.example.com",
        )
        await self.pool.execute(
            "INSERT INTO subscription_versions (subscription_id, version, project_id, name, filters, sink)"
            " VALUES ($1, 1, $2, 'theirs', '[]', $3)",
            subscription,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO sink_health (subscription_id, owner, subscription_version, state, since, reason, expires_at)"
            " VALUES ($1, 'o', 1, 'open', now(), $2, now() + interval '1 hour')",
            subscription,
            HIDDEN,
        )
        delivery = await stream.deliver(
            self.pool,
            own,
            uid,
            subscription,
            "pending",
            attempt_count=2,
            last_error=HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO attempts (delivery_id, number, project_id, started_at, duration_us, error)"
            " VALUES ($1, 2, $2, now(), 1, $3)",
            delivery,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO producers (id, project_id, name, issuer) VALUES ($1, $2, 'theirs', $3)",
            producer,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO sources (id, project_id, name, kind, settings) VALUES ($1, $2, 'theirs', 'hmac', $3)",
            source,
            own,
            {"word": HIDDEN},
        )
        await self.pool.execute(
            "INSERT INTO event_types (project_id, type, description, facets) VALUES ($1, 'their.type', $2, '{\"word\": \"/w\"}')",
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO event_schemas (project_id, type, version, schema, digest) VALUES ($1, 'their.type', 1, $2, '')",
            own,
            f'{{"title": "{HIDDEN}"}}',
        )
        await self.pool.execute("UPDATE api_keys SET name = $2 WHERE project_id = $1", own, HIDDEN)
        await self.pool.execute(
            "WITH made AS (INSERT INTO users (id, email, name) VALUES (gen_random_uuid(), $1, $2) RETURNING id)"
            " INSERT INTO members (project_id, user_id, role) SELECT $3, id, 'owner' FROM made",
            f"{uuid4().hex}@example.com",
            HIDDEN,
            own,
        )
        await self.pool.execute(
            "INSERT INTO roles (project_id, name, description, permissions) VALUES ($1, 'theirs', $2, '{}')",
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO invitations (id, project_id, email, role, token_hash, invited_by, expires_at)"
            " VALUES (gen_random_uuid(), $1, $2, 'viewer', $3, 'user:none', now() + interval '1 day')",
            own,
            f"{HIDDEN}@example.com",
            uuid4().bytes,
        )
        await self.pool.execute(
            "INSERT INTO audit (id, project_id, actor_kind, actor_name, via, action, kind, thing_name)"
            " VALUES (gen_random_uuid(), $1, 'user', $2, 'api', 'thing.changed', 'thing', $2)",
            own,
            HIDDEN,
        )
        replay = uuid4()
        await self.pool.execute(
            "INSERT INTO replays (id, project_id, kind, reason, selection, low, high, created_by)"
            " VALUES ($1, $2, 'retry', $3, '{}', $1, $1, 'user:none')",
            replay,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO replay_sinks (replay_id, subscription_id, project_id, cursor) VALUES ($1, $2, $3, $1)",
            replay,
            subscription,
            own,
        )
        search = uuid4()
        await self.pool.execute(
            "INSERT INTO saved_searches (id, project_id, name, page, query) VALUES ($1, $2, $3, 'events', '{}')",
            search,
            own,
            HIDDEN,
        )
        (archived,) = await archive(
            self.pool, own, [stream.an_event(subject=HIDDEN)], datetime(2024, 3, 1, tzinfo=UTC)
        )
        hold, recall, erasure = uuid4(), uuid4(), uuid4()
        await self.pool.execute(
            "INSERT INTO holds (id, project_id, name, created_by) VALUES ($1, $2, $3, 'user:none')",
            hold,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO recalls (id, project_id, since, until, subject, state, keep_until, created_by)"
            " VALUES ($1, $2, now(), now(), $3, 'done', now() + interval '1 day', 'user:none')",
            recall,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO erasures (id, project_id, subject, subject_digest, created_by)"
            " VALUES ($1, $2, $3, '', 'user:none')",
            erasure,
            own,
            HIDDEN,
        )
        await self.pool.execute(
            "INSERT INTO erasure_days (erasure_id, day, project_id, manifest_sha256, holds_sha256, held)"
            " VALUES ($1, '2024-03-01', $2, '', '', 7)",
            erasure,
            own,
        )
        await self.pool.execute(
            "INSERT INTO retention_waits (project_id, reason, days, oldest) VALUES ($1, 'store', 7, '2024-03-01')",
            own,
        )
        await refresh(self.pool, own)
        await mark(self.pool, own, [datetime(2020, 1, 1, tzinfo=UTC)])
        key = await self.pool.fetchval("SELECT id FROM api_keys WHERE project_id = $1", own)
        user = await self.pool.fetchval("SELECT user_id FROM members WHERE project_id = $1", own)
        entry = await self.pool.fetchval("SELECT id FROM audit WHERE project_id = $1", own)
        self.ids = {
            "{uid}": [str(uid), str(archived)],
            "{search}": [str(search)],
            "{day}": ["2024-03-01"],
            "{hold}": [str(hold)],
            "{recall}": [str(recall)],
            "{erasure}": [str(erasure)],
            "{id}": [str(subscription), str(delivery), str(entry), str(replay)],
            "{producer}": ["theirs"],
            "{source}": ["theirs"],
            "{key}": [key],
            "{type}": ["their.type"],
            "{version}": ["1"],
            "{user}": [str(user)],
            "{role}": ["theirs"],
            "{invitation}": [
                str(await self.pool.fetchval("SELECT id FROM invitations WHERE project_id = $1", own))
            ],
        }

    async def rows(self) -> dict[str, list[str]]:
        """Everything the project has, by table."""
        tables = await self.pool.fetch(
            "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'project_id'"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        found = {}
        for table in [*(table["name"] for table in tables), "projects"]:
            column = "id" if table == "projects" else "project_id"
            rows = await self.pool.fetch(
                f"SELECT t::text AS row FROM {table} t WHERE {column} = $1 ORDER BY 1",
                self.project.id,
            )
            found[table] = [row["row"] for row in rows]
        return found

    def paths(self, path: str, project: str) -> list[str]:
        """The path with what the other project has in its places."""
        made = [path.replace("{project}", project)]
        for place in re.findall(r"\{[^}]+\}", made[0]):
            ids = self.ids.get(place, ["theirs"])
            made = [one.replace(place, value) for one in made for value in ids]
        return made


BODIES: list[Any] = [
    {"name": "theirs"},
    {"filters": [], "sink": "https://example.com/new", "name": "new"},
    {"sink": "https://example.com/new"},
    {"kind": "hmac", "settings": {}},
    {"description": "new"},
    {"schema": {"type": "object"}, "data": 1},
    {"data": 1},
    {"sources": ["/new"]},
    {"filters": [{"prefix": {"type": "their"}}], "last": 50},
    {"select": {"status": ["pending", "retrying"]}},
    {"select": {"status": ["dead", "delivered"]}, "dryRun": True},
    {"select": {"since": "2020-01-01T00:00:00Z"}, "to": "theirs"},
    {"ratePerSecond": 5},
]
QUERIES = ("", "?limit=100", "?type=their.type", "?q=secret", f"?facet=word:{HIDDEN}", "?then=true")


@pytest.fixture
async def others(pool: asyncpg.Pool, settings: Settings) -> Others:
    made = Others(pool, await create_project(pool, settings))
    await made.fill()
    return made


async def test_no_route_shows_or_changes_what_another_project_has(
    resources: Resources, project: Project, others: Others, removed: list[str]
) -> None:
    before = await others.rows()
    assert [table for table, rows in before.items() if not rows] == [], (
        "the other project has nothing to see there"
    )
    walked = 0
    for name in NAMES:
        app = app_of(name, resources)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://weir", headers=project.headers
        ) as client:
            for method, path, demand in routes_of(app):
                if demand in {"public", "signed-in"}:
                    continue
                for url in others.paths(path, project.name):
                    asked = QUERIES if method == "GET" else ("",)
                    for query in asked:
                        for body in BODIES if method in {"POST", "PUT", "PATCH"} else (None,):
                            answer = await client.request(method, url + query, json=body)
                            walked += 1
                            said = f"{method} {url}{query} {body}: {answer.status_code} {answer.text}"
                            assert answer.status_code < 500, said
                            assert HIDDEN not in answer.text, said
    assert await others.rows() == before
    assert walked > 150
    tables = {
        "events",
        "deliveries",
        "attempts",
        "subscriptions",
        "producers",
        "sources",
        "api_keys",
        "event_types",
    }
    assert {table for table in tables if any(table in query for query in removed)} >= tables - {"attempts"}


async def test_without_the_roles_it_would_be_seen(
    settings: Settings,
    database_url: str,
    project: Project,
    others: Others,
    removed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The walk above looks where there is something to see."""

    async def as_owner(*args: Any, role: str, **more: Any) -> Any:
        return await open_pool(*args, **more)

    monkeypatch.setattr("shared.db.pool.open_pool", as_owner)
    resources = Resources(settings.model_copy(update={"database_url": SecretStr(database_url)}))
    try:
        transport = httpx.ASGITransport(create_explore(resources))
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://weir/v1/projects/{project.name}", headers=project.headers
        ) as client:
            for path in ("/events", f"/events/{others.ids['{uid}'][0]}"):
                answer = await client.get(path)
                assert HIDDEN in answer.text, path
    finally:
        await resources.close()
