"""Reading the audit log: pages, filters, exports, and whether it holds."""

import csv
import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.audit import chain
from shared.audit.by import By, by_weir
from shared.audit.record import record
from shared.auth.authority import authority_of
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import Person, create_person
from tests.support.projects import Project, create_key, create_project

Keep = Callable[..., Awaitable[None]]

KEY = By("key", "abcdefghijkl", "key", name="ci", agent="curl/8", address="198.51.100.7")


@pytest.fixture
def keep(pool: asyncpg.Pool) -> Keep:
    async def keep(
        project_id: UUID | None, action: str = "producer.changed", *, by: By = KEY, **about: Any
    ) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await record(
                connection, by, action, project_id=project_id, **{"id": uuid4(), "name": "shop", **about}
            )

    return keep


@pytest.fixture
async def anna(pool: asyncpg.Pool, project: Project) -> Person:
    return await create_person(pool, roles={project.id: "admin"})


def user(person: Person) -> By:
    return By("user", str(person.id), "console", agent="Mozilla/5.0", address="203.0.113.5")


async def listed(projects, **query: Any) -> list[dict[str, Any]]:
    answer = await projects.ask("GET", "/audit", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_row_as_it_is_shown(projects, keep: Keep, anna: Person, project: Project) -> None:
    await keep(project.id, by=user(anna), before={"burst": 1}, after={"burst": 2})
    answer = (await projects.ask("GET", "/audit")).json()
    assert (answer["next"], answer["total"], answer["searched"]) == (None, 1, None)
    (item,) = answer["items"]
    assert item["actor"] == {"kind": "user", "id": str(anna.id), "name": "Ann Example"}
    assert (item["role"], item["via"], item["address"]) == ("admin", "console", "203.0.113.5")
    assert (item["action"], item["thing"]["kind"], item["thing"]["name"]) == (
        "producer.changed",
        "producer",
        "shop",
    )
    assert (item["sequence"], item["prevHash"]) == (1, chain.FIRST)
    assert "before" not in item
    entry = (await projects.ask("GET", f"/audit/{item['id']}")).json()
    assert entry == {**item, "before": {"burst": 1}, "after": {"burst": 2}}


async def test_pages_from_the_newest_on(projects, keep: Keep, project: Project) -> None:
    for number in range(7):
        await keep(project.id, name=f"n{number}")
    names: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await projects.ask("GET", "/audit", **query)).json()
        names += [item["thing"]["name"] for item in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 3
        query["cursor"] = page["next"]
    assert names == [f"n{number}" for number in reversed(range(7))]


async def test_sign_ins_of_members_stand_among_the_changes(
    projects, keep: Keep, anna: Person, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    stranger = await create_person(pool, roles={(await create_project(pool, settings)).id: "owner"})
    await keep(project.id, name="first")
    await keep(None, "session.started", by=user(anna), id="s1", name=anna.email)
    await keep(None, "session.started", by=user(stranger), id="s2", name=stranger.email)
    await keep(None, "session.refused", by=By("nobody", None, "console"), id=anna.id, name=anna.email)
    await keep(project.id, name="last")
    late = await create_person(pool)
    await keep(None, "session.started", by=user(late), id="s3", name=late.email)
    await pool.execute(
        "INSERT INTO members (project_id, user_id, role) VALUES ($1, $2, 'viewer')", project.id, late.id
    )
    found = await listed(projects)
    assert [item["action"] for item in found] == [
        *("producer.changed", "session.refused", "session.started", "producer.changed"),
    ]
    pages = []
    cursor = None
    while True:
        page = (await projects.ask("GET", "/audit", limit=1, **({"cursor": cursor} if cursor else {}))).json()
        pages += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert pages == found
    started = found[2]
    assert started["projectId"] is None
    assert (await projects.ask("GET", f"/audit/{started['id']}")).json()["thing"]["id"] == "s1"
    other = await pool.fetchval(
        "SELECT id FROM audit WHERE thing_id = 's2' AND actor_id = $1", str(stranger.id)
    )
    assert (await projects.ask("GET", f"/audit/{other}")).status_code == 404


async def test_filters(projects, keep: Keep, anna: Person, project: Project) -> None:
    await keep(project.id, "producer.created", by=user(anna), name="shop", after={"types": ["com.acme.*"]})
    await keep(project.id, "key.created", name="import", id="zzzzzzzzzzzz")
    await keep(project.id, "subscription.disabled", by=by_weir(), name="crm", after={"stateReason": "gone"})

    async def actions(**query: Any) -> list[str]:
        return [item["action"] for item in await listed(projects, **query)]

    assert await actions(actor=f"user:{anna.id}") == ["producer.created"]
    assert await actions(actor="key:abcdefghijkl") == ["key.created"]
    assert await actions(actor="weir:Weir") == ["subscription.disabled"]
    assert await actions(actor="ann example") == ["producer.created"]
    assert await actions(actor="nobody here") == []
    assert await actions(kind=["key", "subscription"]) == ["subscription.disabled", "key.created"]
    assert await actions(action="key.created") == ["key.created"]
    assert await actions(thing="zzzzzzzzzzzz") == ["key.created"]
    assert await actions(thing="crm") == ["subscription.disabled"]
    assert await actions(q="COM.ACME") == ["producer.created"]
    assert await actions(q="gone", kind="key") == []
    assert await actions(q="198.51.100.7") == ["key.created"]
    now = datetime.now(UTC)
    assert await actions(since=(now + timedelta(minutes=1)).isoformat()) == []
    assert len(await actions(since=(now - timedelta(minutes=1)).isoformat())) == 3
    assert len(await actions(since="0001-01-01T00:00:00Z")) == 3
    assert await actions(until=(now - timedelta(minutes=1)).isoformat()) == []
    values = (await projects.ask("GET", "/audit/values")).json()
    assert values["kinds"] == ["key", "producer", "subscription"]
    assert {actor["name"] for actor in values["actors"]} == {"Ann Example", "ci", "Weir"}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"since": "yesterday"}, "/query/since"),
        ({"cursor": "x"}, "/query/cursor"),
        ({"q": "\0"}, "/query/q"),
        ({"actor": "x" * 401}, "/query/actor"),
        ({"limit": "0"}, "/query/limit"),
    ],
)
async def test_what_cannot_be_asked(projects, query: dict[str, str], pointer: str) -> None:
    answer = await projects.ask("GET", "/audit", **query)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("entry", ["x", "018f0000-0000-7000-8000-000000000000"])
async def test_an_entry_that_is_not_there(projects, entry: str) -> None:
    assert (await projects.ask("GET", f"/audit/{entry}")).status_code == 404


async def test_an_export_holds_away_from_here(projects, keep: Keep, project: Project) -> None:
    for number in range(120):
        await keep(project.id, after={"n": number, "float": 1.50, "long name": {"b": 1, "a": 'ä\u2028\n"'}})
    answer = await projects.ask("GET", "/audit/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert f"audit-{project.name}-" in answer.headers["content-disposition"]
    rows = [chain.read(line) for line in answer.content.splitlines() if line]
    verdict = chain.verify(rows)
    assert (verdict.rows, verdict.broken) == (120, None)
    assert (await projects.ask("GET", "/audit/verify")).json()["head"] == {
        "sequence": verdict.sequence,
        "hash": verdict.hash,
    }
    rows[60]["after"] = {"n": 1}
    assert chain.verify(rows).broken == chain.Break(61, rows[60]["id"], "changed")
    del rows[60]
    broken = chain.verify(rows).broken
    assert broken is not None
    assert (broken.sequence, broken.reason) == (62, "missing")


async def test_an_export_of_what_fits(projects, keep: Keep, project: Project) -> None:
    await keep(project.id, "key.created", name="a")
    await keep(project.id, "producer.created", name="b")
    answer = await projects.ask("GET", "/audit/export", kind="producer")
    assert [json.loads(line)["thing"]["name"] for line in answer.text.splitlines()] == ["b"]


async def test_an_export_for_spreadsheets(projects, keep: Keep, project: Project) -> None:
    await keep(project.id, name="=HYPERLINK(1)", after={"a": 'x "y"\n'})
    answer = await projects.ask("GET", "/audit/export", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["thing_name"] == "'=HYPERLINK(1)"
    assert json.loads(row["after"]) == {"a": 'x "y"\n'}
    assert row["sequence"] == "1"


async def test_whether_it_holds(projects, keep: Keep, project: Project) -> None:
    for _ in range(3):
        await keep(project.id)
    said = (await projects.ask("GET", "/audit/verify")).json()
    assert (said["holds"], said["rows"], said["sequence"], said["next"]) == (True, 3, 3, None)
    head = f"{said['head']['sequence']}:{said['head']['hash']}"
    await keep(project.id)
    assert (await projects.ask("GET", "/audit/verify", head=head)).json()["holds"]
    assert (await projects.ask("GET", "/audit/verify", after="3")).json()["rows"] == 1
    beyond = (await projects.ask("GET", "/audit/verify", after=str(2**63 - 1))).json()
    assert (beyond["holds"], beyond["broken"]["reason"]) == (False, "missing")
    other = (await projects.ask("GET", "/audit/verify", head=f"3:{'0' * 64}")).json()
    assert (other["holds"], other["broken"]) == (False, {"sequence": 3, "id": None, "reason": "head"})
    assert (await projects.ask("GET", "/audit/verify", head="x")).status_code == 422


async def test_it_needs_its_permission(projects, pool, settings: Settings, project: Project) -> None:
    key = await create_key(pool, settings, project.id, ["events:read", "keys:read"])
    for path in ("", "/export", "/verify", "/values", f"/{uuid4()}"):
        assert (await projects.ask("GET", f"/audit{path}", key=key)).status_code == 403


async def test_everybody_sees_their_own_sign_ins(
    projects, keep: Keep, anna: Person, resources: Resources, pool: asyncpg.Pool, project: Project
) -> None:
    other = await create_person(pool)
    await keep(None, "session.started", by=user(anna), id="s1", name=anna.email)
    await keep(None, "session.started", by=user(other), id="s2", name=other.email)
    await keep(project.id, by=user(anna))
    token = (await authority_of(resources).issue(anna.id, "s")).text
    client: httpx.AsyncClient = projects.client
    answer = await client.get("/v1/me/audit", headers={"authorization": f"Bearer {token}"})
    assert [item["thing"]["id"] for item in answer.json()["items"]] == ["s1"]
    assert (await client.get("/v1/me/audit", headers=project.headers)).status_code == 403
