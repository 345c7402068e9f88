"""Sources of third parties over HTTP: kept, shown without their secrets, used by ingest."""

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from functions.ingest.app import create as create_ingest
from functions.projects.app import create
from shared.auth.source_secrets import open_secrets
from shared.core.webhooks.load import load_kinds
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support import webhooks
from tests.support.projects import Project, create_key, create_project

SECRET = "a secret of both sides"
BODY = b'{"action": "opened"}'


class Sources:
    """`/v1/projects/{project}/sources` as the project's key."""

    def __init__(self, client: httpx.AsyncClient, project: Project) -> None:
        self.client = client
        self.project = project

    async def call(self, method: str, path: str = "", body: Any = None, **headers: str) -> httpx.Response:
        return await self.client.request(
            method,
            f"/v1/projects/{self.project.name}/sources{path}",
            # As ASCII: a body may hold half a surrogate pair, which only an escape can write.
            content=None if body is None else json.dumps(body),
            headers={**self.project.headers, "content-type": "application/json", **headers},
        )

    async def make(self, **members: Any) -> dict[str, Any]:
        answer = await self.call("POST", body={"name": "gh", "kind": "github", **members})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def sources(resources: Resources, project: Project) -> AsyncIterator[Sources]:
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        yield Sources(client, project)


def pointers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


async def version(pool: asyncpg.Pool, project: Project) -> int:
    return await pool.fetchval("SELECT intake_version FROM projects WHERE id = $1", project.id)


async def kept(pool: asyncpg.Pool, settings: Settings, project: Project) -> tuple[str, ...]:
    row = await pool.fetchrow("SELECT * FROM sources WHERE project_id = $1", project.id)
    return open_secrets(settings.sealing, row["id"], row["secrets_sealed"])


async def test_a_key_that_may_send_some_events_makes_no_source_that_sends_others(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    await sources.make(secrets=[SECRET])
    key = await create_key(pool, settings, sources.project.id, ["*"], ["/shop"])
    limited = {"authorization": f"Bearer {key}"}
    for method, path, body in (
        ("POST", "", {"name": "other", "kind": "github"}),
        ("PUT", "/gh", {"kind": "github", "secrets": [SECRET]}),
        ("POST", "/gh/secrets", {"secret": SECRET}),
    ):
        answer = await sources.call(method, path, body, **limited)
        assert answer.status_code == 403, (method, path, answer.text)
    assert (await sources.call("DELETE", "/gh", **limited)).status_code == 204


async def test_a_secret_is_made_where_any_will_do_and_shown_once(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    made = await sources.make()
    secret = made.pop("secret")
    assert len(secret) >= 32
    assert (made["secrets"], made["secretCount"]) == ([], 1)
    assert made["url"] == f"http://127.0.0.1:8480/in/{sources.project.name}/gh"
    assert await kept(pool, settings, sources.project) == (secret,)
    assert (await sources.call("GET", "/gh")).json() == made
    assert (await sources.call("GET")).json() == {"items": [made], "next": None}
    row = await pool.fetchrow("SELECT * FROM sources WHERE project_id = $1", sources.project.id)
    assert secret.encode() not in row["secrets_sealed"]


async def test_a_new_source_takes_what_is_signed_with_its_secret(
    sources: Sources, resources: Resources
) -> None:
    made = await sources.make()
    transport = httpx.ASGITransport(app=create_ingest(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        path = httpx.URL(made["url"]).path
        headers = webhooks.github(made["secret"], BODY, "issues")
        assert (await client.post(path, headers=headers, content=BODY)).status_code == 202
        assert (await sources.call("DELETE", "/gh")).status_code == 204
    assert (await sources.call("GET", "/gh")).status_code == 404
    assert (await sources.call("DELETE", "/gh")).status_code == 404


async def test_a_given_secret_is_never_shown(
    sources: Sources, caplog: pytest.LogCaptureFixture, pool: asyncpg.Pool
) -> None:
    caplog.set_level(logging.DEBUG)
    other = "another secret of both"
    answers = [
        await sources.call("POST", body={"name": "gh", "kind": "github", "secrets": [SECRET]}),
        await sources.call("POST", body={"name": "gh", "kind": "github", "secrets": [SECRET]}),
        await sources.call("POST", body={"name": "st", "kind": "stripe", "secrets": [SECRET]}),
        await sources.call("POST", body={"name": "x", "kind": "github", "secrets": [SECRET, SECRET, SECRET]}),
        await sources.call("GET", "/gh"),
        await sources.call("GET"),
        await sources.call("PUT", "/gh", {"secrets": [other, SECRET]}),
        await sources.call("PUT", "/gh", {"secrets": SECRET}),
        await sources.call("POST", "/gh/secrets", {"secret": other}),
        await sources.call("POST", "/gh/secrets", {"secrets": SECRET}),
    ]
    assert [a.status_code for a in answers] == [201, 409, 422, 422, 200, 200, 200, 422, 201, 422]
    assert answers[0].json()["secret"] is None
    told = caplog.text + "".join(answer.text for answer in answers)
    assert SECRET not in told
    assert other not in told


async def test_a_secret_is_exchanged_in_three_steps(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    await sources.make(secrets=[SECRET])
    second = (await sources.call("POST", "/gh/secrets", {})).json()
    assert second["secretCount"] == 2
    assert await kept(pool, settings, sources.project) == (second["secret"], SECRET)
    third = (await sources.call("POST", "/gh/secrets", {"secret": "the third secret"})).json()
    assert (third["secret"], third["secretCount"]) == (None, 2)
    assert await kept(pool, settings, sources.project) == ("the third secret", second["secret"])
    assert (await sources.call("DELETE", "/gh/secrets")).status_code == 204
    assert await kept(pool, settings, sources.project) == ("the third secret",)
    assert (await sources.call("DELETE", "/gh/secrets")).status_code == 204
    assert pointers(await sources.call("POST", "/gh/secrets", {"secret": "short"})) == ["/secret"]
    assert pointers(await sources.call("POST", "/gh/secrets", {"secret": ""})) == ["/secret"]
    assert (await sources.call("POST", "/no/secrets", {})).status_code == 404
    assert (await sources.call("DELETE", "/no/secrets")).status_code == 404


async def test_put_replaces_all_but_name_kind_and_secrets(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    made = await sources.make(
        secrets=[SECRET], settings={"mapping": {"subject": "{/a}"}}, ratePerSecond=5, burst=10
    )
    assert (made["ratePerSecond"], made["burst"]) == (5, 10)
    changed = (await sources.call("PUT", "/gh", {})).json()
    assert (changed["settings"], changed["ratePerSecond"], changed["burst"]) == ({}, None, None)
    assert (changed["kind"], changed["id"]) == ("github", made["id"])
    assert await kept(pool, settings, sources.project) == (SECRET,)
    back = (await sources.call("PUT", "/gh", {k: v for k, v in made.items() if k != "secret"})).json()
    assert back["settings"] == made["settings"]
    assert await kept(pool, settings, sources.project) == (SECRET,)
    assert pointers(await sources.call("PUT", "/gh", {"name": "other"})) == ["/name"]
    assert pointers(await sources.call("PUT", "/gh", {"secrets": None})) == ["/secrets"]
    assert pointers(await sources.call("PUT", "/gh", {"kind": "stripe"})) == ["/secrets/0"]
    assert (await sources.call("PUT", "/gh", {"kind": "plain", "secrets": None})).json()["secretCount"] == 0
    assert (await sources.call("PUT", "/no", {})).status_code == 404


async def test_every_change_is_told_to_ingest(sources: Sources, pool: asyncpg.Pool) -> None:
    seen = [await version(pool, sources.project)]
    await sources.make()
    for method, path, body in (
        ("PUT", "/gh", {}),
        ("POST", "/gh/secrets", {}),
        ("DELETE", "/gh/secrets", None),
        ("DELETE", "/gh", None),
    ):
        seen.append(await version(pool, sources.project))
        assert (await sources.call(method, path, body)).is_success
    seen.append(await version(pool, sources.project))
    assert seen == list(range(seen[0], seen[0] + 6))
    assert (await sources.call("POST", body={"name": "a", "kind": "stripe"})).status_code == 422
    assert (await sources.call("PUT", "/gh", {})).status_code == 404
    assert await version(pool, sources.project) == seen[-1]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"name": "No"}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "a\n"}, ["/name"]),
        ({"name": "a" * 64}, ["/name"]),
        ({"kind": "gitlab"}, ["/kind"]),
        ({"kind": "stripe"}, ["/secrets"]),
        ({"kind": "slack", "secrets": []}, ["/secrets"]),
        ({"secrets": ["good enough", "bad"]}, ["/secrets/1"]),
        ({"secrets": ["\ud800 half of a pair"]}, ["/secrets/0"]),
        ({"ratePerSecond": 0}, ["/ratePerSecond"]),
        ({"burst": 5}, ["/burst"]),
        ({"settings": {"header": "X"}}, ["/settings/header"]),
        ({"settings": {"mapping": {"type": "{a}"}}}, ["/settings/mapping/type"]),
        ({"kind": "hmac", "settings": {"algorithm": "md5"}}, ["/settings/algorithm"]),
        ({"kind": "hmac", "settings": {"signed": "\ud800{body}"}}, ["/settings/signed"]),
        ({"kind": "hmac", "settings": {"\ud800": 1}}, ["/settings/\\ud800"]),
        ({"settings": []}, ["/settings"]),
        ({"colour": 1}, ["/colour"]),
        ({"name": "No", "kind": "stripe", "burst": 5}, ["/name", "/burst", "/secrets"]),
    ],
)
async def test_bad_values_are_pointed_at_and_leave_nothing(
    sources: Sources, members: dict[str, Any], expected: list[str]
) -> None:
    answer = await sources.call("POST", body={"name": "gh", "kind": "github", **members})
    assert pointers(answer) == expected
    assert (await sources.call("GET")).json()["items"] == []


async def test_a_public_key_is_never_made_and_must_be_one(sources: Sources) -> None:
    settings = {"algorithm": "ed25519", "secretEncoding": "hex"}
    for given, pointer in (({}, "/secrets"), ({"secrets": ["00" * 31]}, "/secrets/0")):
        answer = await sources.call(
            "POST", body={"name": "ed", "kind": "hmac", "settings": settings, **given}
        )
        assert answer.status_code == 422
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    made = await sources.make(name="ed", kind="hmac", settings=settings, secrets=["00" * 32])
    assert (made["secret"], made["secretCount"]) == (None, 1)
    assert (await sources.call("POST", "/ed/secrets", {})).status_code == 422


async def test_lists_go_on_by_name(sources: Sources) -> None:
    for name in ("c", "a", "b"):
        await sources.make(name=name)
    first = (await sources.call("GET", "?limit=2")).json()
    assert [item["name"] for item in first["items"]] == ["a", "b"]
    rest = (await sources.call("GET", f"?limit=2&cursor={first['next']}")).json()
    assert ([item["name"] for item in rest["items"]], rest["next"]) == (["c"], None)


async def test_another_projects_source_is_not_there(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    await sources.make()
    other = Sources(sources.client, await create_project(pool, settings))
    for method, path in (("GET", "/gh"), ("PUT", "/gh"), ("DELETE", "/gh"), ("POST", "/gh/secrets")):
        body = {} if method in {"PUT", "POST"} else None
        assert (await other.call(method, path, body)).status_code == 404
    await other.make()
    for path in ("/%00", "/a%2Fb", "/" + "a" * 100):
        assert (await sources.call("GET", path)).status_code == 404


async def test_reading_is_not_writing(sources: Sources, pool: asyncpg.Pool, settings: Settings) -> None:
    await sources.make()
    reader = await create_key(pool, settings, sources.project.id, ["sources:read"])
    header = {"authorization": f"Bearer {reader}"}
    assert (await sources.call("GET", "/gh", **header)).status_code == 200
    assert (await sources.call("DELETE", "/gh", **header)).status_code == 403


async def test_the_kinds_say_what_they_need(sources: Sources) -> None:
    answer = await sources.client.get(
        f"/v1/projects/{sources.project.name}/source-kinds", headers=sources.project.headers
    )
    kinds = {kind["name"]: kind for kind in answer.json()["items"]}
    assert list(kinds) == list(load_kinds())
    assert kinds["stripe"]["secrets"] == {
        "required": True,
        "generated": False,
        "hint": load_kinds()["stripe"].secrets.hint,
    }
    assert kinds["github"]["secrets"]["generated"]
    assert not kinds["plain"]["secrets"]["required"]
    assert kinds["plain"]["signatureHeader"] is None
    assert "algorithm" in kinds["hmac"]["settings"]
    assert kinds["shopify"]["mapping"]["shopifyeventid"] == ["{header:x-shopify-event-id}"]


async def test_a_source_whose_secrets_are_lost_is_shown_and_can_be_saved_again(
    sources: Sources, pool: asyncpg.Pool, settings: Settings
) -> None:
    await sources.make()
    await pool.execute(
        "UPDATE sources SET secrets_sealed = '\\x01' WHERE project_id = $1", sources.project.id
    )
    assert (await sources.call("GET", "/gh")).json()["secretCount"] is None
    assert pointers(await sources.call("PUT", "/gh", {})) == ["/secrets"]
    assert (await sources.call("PUT", "/gh", {"secrets": [SECRET]})).json()["secretCount"] == 1
    assert await kept(pool, settings, sources.project) == (SECRET,)
