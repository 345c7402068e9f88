"""What each change leaves in the log: what there was, what there is, and nothing that is secret."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from shared.audit.masks import CHANGED, MASK
from shared.auth.bootstrap import ensure_local_owner
from shared.auth.owner import let_in
from shared.runtime.settings import Settings
from tests.support.certificates import authority
from tests.support.projects import Project
from tests.support.sink import Sink

SIGNING = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbG9uZSE="
SECRET = "a-token-that-nobody-may-read"


class Changes:
    """Asks below the project, and reads what was recorded since."""

    def __init__(self, api: httpx.AsyncClient, project: Project, pool: asyncpg.Pool) -> None:
        self._api, self._project, self._pool = api, project, pool

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._api.request(method, f"/v1/projects/{self._project.name}{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def rows(self) -> list[asyncpg.Record]:
        return await self._pool.fetch(
            "SELECT * FROM audit WHERE chain = $1 ORDER BY sequence", self._project.id
        )

    async def last(self) -> asyncpg.Record:
        return (await self.rows())[-1]


@pytest.fixture
def changes(api: httpx.AsyncClient, project: Project, pool: asyncpg.Pool) -> Changes:
    return Changes(api, project, pool)


async def test_a_subscription_from_its_beginning_to_its_end(changes: Changes, project: Project) -> None:
    wanted = {"name": "crm", "sink": "https://a.example/v1", "delivery": {"retry": 5}}
    path = f"/subscriptions/{(await changes.ask('POST', '/subscriptions', wanted))['id']}"
    changed = wanted | {"sink": "https://a.example/v2", "delivery": {"retry": 6}}
    await changes.ask("PUT", path, changed)
    await changes.ask("PUT", path, changed | {"state": "paused"})
    await changes.ask("PUT", path, changed | {"state": "active"})
    await changes.ask("PUT", path, changed | {"state": "disabled", "sink": "https://a.example/v3"})
    await changes.ask("DELETE", path)
    rows = await changes.rows()
    assert [row["action"] for row in rows] == [
        f"subscription.{what}" for what in ("created", "changed", "paused", "resumed", "changed", "deleted")
    ]
    assert {(row["thing_name"], row["thing_id"]) for row in rows} == {("crm", path.rpartition("/")[2])}
    created, changed_row, *_, deleted = rows
    assert created["before"] is None
    assert (changed_row["before"]["sink"], changed_row["after"]["sink"]) == (wanted["sink"], changed["sink"])
    assert changed_row["before"] == created["after"]
    assert changed_row["after"]["delivery"]["retry"] == 6
    assert (changed_row["before"]["version"], changed_row["after"]["version"]) == (1, 2)
    assert deleted["after"] is None
    assert created["actor_id"] == project.key.split("_")[1]
    assert created["address"] == "203.0.113.9"


async def test_the_secrets_of_a_subscription(changes: Changes) -> None:
    certificate, key = authority().certificate("weir")
    wanted = {
        "sink": f"https://a.example/x?token={SECRET}",
        "signingSecrets": [SIGNING],
        "auth": {"type": "basic", "username": "me", "password": SECRET},
        "tls": {"certificate": certificate, "privateKey": key},
        "delivery": {"headers": {"X-Api-Key": SECRET, "X-Tenant": "shop"}},
    }
    path = f"/subscriptions/{(await changes.ask('POST', '/subscriptions', wanted))['id']}"
    created = (await changes.last())["after"]
    assert created["signingSecrets"] == MASK
    assert created["auth"] == {"type": "basic", "username": "me", "password": MASK}
    assert created["tls"]["privateKey"] == MASK
    assert created["delivery"]["headers"] == {"X-Api-Key": MASK, "X-Tenant": "shop"}
    await changes.ask("PUT", path, {"sink": wanted["sink"]})
    kept = await changes.last()
    assert kept["before"]["auth"] == kept["after"]["auth"] == created["auth"]
    assert kept["after"]["signingSecrets"] == MASK
    await changes.ask("PUT", path, wanted | {"signingSecrets": None})
    given = (await changes.last())["after"]
    assert (given["auth"]["password"], given["tls"]["privateKey"]) == (CHANGED, CHANGED)
    assert given["signingSecrets"] is None
    text = repr([dict(row) for row in await changes.rows()])
    assert SECRET not in text
    assert SIGNING not in text
    assert key.splitlines()[1] not in text


async def test_a_probe(changes: Changes, sink: Sink) -> None:
    made = await changes.ask("POST", "/subscriptions", {"name": "crm", "sink": sink.url})
    await changes.ask("POST", f"/subscriptions/{made['id']}/probe")
    row = await changes.last()
    assert (row["action"], row["thing_name"]) == ("subscription.probed", "crm")
    assert row["after"] == {"sink": sink.url, "delivered": True, "statusCode": 200}


async def test_settings(changes: Changes, project: Project) -> None:
    await changes.ask("PUT", "/settings", {"ratePerSecond": 10, "burst": 20})
    row = await changes.last()
    assert (row["action"], row["thing_name"]) == ("settings.changed", project.name)
    assert row["before"] == {"ratePerSecond": None, "burst": None, "allowedOrigins": []}
    assert row["after"] == {"ratePerSecond": 10, "burst": 20, "allowedOrigins": []}


async def test_a_producer(changes: Changes, project: Project) -> None:
    await changes.ask("POST", "/producers", {"name": "shop", "types": ["a.*"]})
    await changes.ask("PUT", "/producers/shop", {"name": "shop-2", "types": ["b.*"]})
    key = await changes.ask("POST", "/keys", {"name": "k", "scopes": ["events:write"], "producer": "shop-2"})
    await changes.ask("DELETE", "/producers/shop-2")
    rows = [row for row in await changes.rows() if row["kind"] == "producer"]
    assert [row["action"] for row in rows] == ["producer.created", "producer.changed", "producer.deleted"]
    assert (rows[1]["before"]["name"], rows[1]["after"]["name"]) == ("shop", "shop-2")
    assert rows[2]["before"]["keys"] == [key["id"]]


async def test_a_source_and_its_secrets(changes: Changes) -> None:
    made = await changes.ask("POST", "/sources", {"name": "hook", "kind": "github"})
    first = (await changes.last())["after"]
    assert first["secrets"] == [MASK]
    second = await changes.ask("POST", "/sources/hook/secrets", {})
    assert (await changes.last())["after"]["secrets"] == [CHANGED, MASK]
    await changes.ask("DELETE", "/sources/hook/secrets")
    row = await changes.last()
    assert (row["before"]["secrets"], row["after"]["secrets"]) == ([MASK, MASK], [MASK])
    await changes.ask("PUT", "/sources/hook", {"kind": "github", "ratePerSecond": 5})
    await changes.ask("DELETE", "/sources/hook")
    rows = await changes.rows()
    assert [row["action"] for row in rows] == [
        f"source.{what}" for what in ("created", "changed", "changed", "changed", "deleted")
    ]
    text = repr([dict(row) for row in rows])
    assert made["secret"] not in text
    assert second["secret"] not in text


async def test_a_type_and_its_schemas(changes: Changes) -> None:
    schema = {"type": "object", "properties": {"password": {"type": "string"}}}
    await changes.ask("PUT", "/types/com.acme.order", {"schemaMode": "warn"})
    await changes.ask("POST", "/types/com.acme.order/schemas", {"schema": schema})
    await changes.ask("POST", "/types/com.acme.order/schemas", {"schema": schema})
    await changes.ask("PUT", "/types/com.acme.order", {"schemaMode": "reject"})
    await changes.ask("DELETE", "/types/com.acme.order")
    rows = await changes.rows()
    assert [row["action"] for row in rows] == [
        f"type.{what}" for what in ("created", "changed", "changed", "deleted")
    ]
    assert (rows[1]["before"]["schema"], rows[1]["after"]["schema"]) == (None, schema)
    assert rows[1]["after"]["schemaVersion"] == 1
    assert (rows[2]["before"]["schemaMode"], rows[2]["after"]["schemaMode"]) == ("warn", "reject")


async def test_how_the_built_in_sink_answers(changes: Changes) -> None:
    await changes.ask("PUT", "/sink", {"answer": "503"})
    row = await changes.last()
    assert (row["action"], row["before"], row["after"]) == (
        "sink.changed",
        {"answer": "200"},
        {"answer": "503"},
    )


async def test_a_project(api: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    name = f"p-{uuid4().hex[:12]}"
    answer = await api.post("/v1/projects", json={"name": name})
    assert answer.status_code == 201, answer.text
    rows = await pool.fetch(
        "SELECT a.* FROM audit a JOIN projects p ON p.id = a.chain WHERE p.name = $1", name
    )
    assert "project.created" in [row["action"] for row in rows]
    assert answer.json()["apiKey"].split("_")[2] not in repr([dict(row) for row in rows])


async def test_a_first_start_and_who_is_let_in(
    pool: asyncpg.Pool, settings: Settings, project: Project
) -> None:
    async with pool.acquire() as connection:
        made = await ensure_local_owner(connection, settings.secret, project=f"{project.name}-b")
        await ensure_local_owner(
            connection, settings.secret, project=f"{project.name}-b", known_key=made.api_key
        )
        await connection.execute("UPDATE members SET role = 'viewer' WHERE user_id = $1", made.user_id)
        said = await let_in(
            connection,
            url="https://weir.example",
            email="Owner@localhost",
            name="Owner",
            project=f"{project.name}-b",
        )
    rows = await pool.fetch(
        "SELECT a.* FROM audit a JOIN projects p ON p.id = a.chain WHERE p.name = $1 ORDER BY sequence",
        f"{project.name}-b",
    )
    assert [row["action"] for row in rows] == [
        *("project.created", "member.added", "key.created"),
        *("member.changed", "member.let_in"),
    ]
    assert {row["agent"] for row in rows[:3]} == {"weir up"}
    assert (rows[3]["before"]["role"], rows[3]["after"]["role"]) == ("viewer", "owner")
    assert {row["actor_kind"] for row in rows} == {"operator"}
    text = repr([dict(row) for row in rows])
    assert made.api_key.split("_")[2] not in text
    assert said["link"].split("=")[1] not in text
