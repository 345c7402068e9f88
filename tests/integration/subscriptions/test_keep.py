"""Subscriptions are kept, changed and deleted, each change whole or not at all."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest

from functions.subscriptions.app import create
from shared.auth.sealing import unseal
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.projects import Project, create_key, create_project
from tests.support.stream import an_event, deliver, store
from tests.support.waiting import waits_for_lock

DEFAULTS = {
    "retry": 12,
    "backoffPolicy": "exponential",
    "backoffDelay": "PT5S",
    "backoffMax": "PT6H",
    "timeout": "PT15S",
    "retryAfterMax": "PT1H",
    "format": "binary",
    "deadLetterSink": None,
    "ordering": "none",
    "maxInFlight": 32,
    "ratePerSecond": None,
    "batchSize": 1,
    "headers": {},
    "ceOverrides": {"extensions": {}},
    "replies": False,
}
HMAC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_HMAC = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def body(**members: Any) -> dict[str, Any]:
    return {"sink": "https://example.com/events", **members}


async def version_of(pool: asyncpg.Pool, project: Project) -> int:
    return await pool.fetchval("SELECT version FROM projects WHERE id = $1", project.id)


async def kept(pool: asyncpg.Pool, project: Project) -> tuple[int, int, int]:
    """What a refused request must leave as it was."""
    rows = await pool.fetchval("SELECT count(*) FROM subscriptions WHERE project_id = $1", project.id)
    versions = await pool.fetchval(
        "SELECT count(*) FROM subscription_versions WHERE project_id = $1", project.id
    )
    return rows, versions, await version_of(pool, project)


@pytest.mark.spec("S02", "S22", "S23")
async def test_201_says_every_default_and_where_it_is(client: httpx.AsyncClient, project: Project) -> None:
    answer = await client.post(
        "/subscriptions", json={"name": "orders", "sink": "https://example.com/events"}
    )
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/v1/projects/{project.name}/subscriptions/{made['id']}"
    assert made["filters"] == []
    assert made["delivery"] == DEFAULTS
    assert made["signingSecrets"] == []
    assert made["signingSecretCount"] == 0
    assert (made["state"], made["stateReason"], made["version"]) == ("active", None, 1)
    assert (await client.get(f"http://weir.test{answer.headers['location']}")).json() == made


@pytest.mark.spec("K3.2")
async def test_delivery_values_are_kept_and_said_in_iso_8601(client: httpx.AsyncClient) -> None:
    given = {
        "retry": 0,
        "backoffPolicy": "linear",
        "backoffDelay": "PT0.2S",
        "backoffMax": "PT90S",
        "timeout": "PT1M",
        "retryAfterMax": "PT0S",
        "format": "json",
        "deadLetterSink": "http://example.com/dead",
        "ordering": "partitionkey",
        "maxInFlight": 1,
        "ratePerSecond": 2.5,
    }
    made = (await client.post("/subscriptions", json=body(delivery=given))).json()
    assert made["delivery"] == {**DEFAULTS, **given, "backoffMax": "PT1M30S"}


@pytest.mark.spec("S03")
async def test_an_id_of_the_clients_is_ignored(client: httpx.AsyncClient) -> None:
    mine = str(uuid4())
    answer = await client.post("/subscriptions", json=body(id=mine))
    assert answer.status_code == 201
    assert answer.json()["id"] != mine


async def test_a_name_is_made_from_the_host_and_stays_unique(client: httpx.AsyncClient) -> None:
    names = [(await client.post("/subscriptions", json=body())).json()["name"] for _ in range(3)]
    assert names == ["example.com", "example.com-2", "example.com-3"]


async def test_409_for_a_name_that_is_taken_in_the_project_alone(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    first = (await client.post("/subscriptions", json=body(name="one"))).json()
    second = (await client.post("/subscriptions", json=body(name="two"))).json()
    before = await kept(pool, project)
    assert (await client.post("/subscriptions", json=body(name="one"))).status_code == 409
    assert (await client.put(f"/subscriptions/{second['id']}", json=body(name="one"))).status_code == 409
    assert await kept(pool, project) == before
    assert (await client.put(f"/subscriptions/{first['id']}", json=body(name="one"))).status_code == 200
    other = await create_project(pool, settings)
    elsewhere = f"http://weir.test/v1/projects/{other.name}/subscriptions"
    assert (await client.post(elsewhere, json=body(name="one"), headers=other.headers)).status_code == 201


async def test_racing_creations_of_one_name_give_one(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/subscriptions", json=body(name="same")) for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"filters": [{"exact": {"Type": "a"}}]}, "/filters/0/exact/Type"),
        ({"filters": [{"exact": {}}]}, "/filters/0/exact"),
        ({"filters": [{"all": [{"prefix": {"type": ""}}]}]}, "/filters/0/all/0/prefix/type"),
        ({"filters": [{"sql": "type ="}]}, "/filters/0/sql"),
        ({"filters": {"exact": {"type": "a"}}}, "/filters"),
        ({"filters": [{"exact": {"type": "a\u0000b"}}]}, "/filters/0/exact/type"),
        ({"filters": [{"exact": {"type": "a" * 100_000}}]}, "/filters"),
        ({"delivery": {"retry": -1}}, "/delivery/retry"),
        ({"delivery": {"backoffDelay": "5s"}}, "/delivery/backoffDelay"),
        ({"delivery": {"ratePerSecond": 0}}, "/delivery/ratePerSecond"),
        ({"delivery": {"retries": 3}}, "/delivery/retries"),
        ({"delivery": "PT5S"}, "/delivery"),
        ({"sink": "ftp://example.com/"}, "/sink"),
        ({"sink": "https://user:secret@example.com/"}, "/sink"),
        ({"sink": "https://example.com/#part"}, "/sink"),
        ({"sink": "/relative"}, "/sink"),
        ({"sink": 7}, "/sink"),
        ({"sink": "https://example.com/" + "a" * 2000}, "/sink"),
        ({"signingSecrets": ["whsec_short"]}, "/signingSecrets/0"),
        ({"signingSecrets": [HMAC, 5]}, "/signingSecrets/1"),
        ({"signingSecrets": [HMAC] * 5}, "/signingSecrets"),
        ({"state": "sleeping"}, "/state"),
        ({"name": ""}, "/name"),
        ({"name": " padded"}, "/name"),
        ({"name": "two\nlines"}, "/name"),
        ({"name": "n" * 201}, "/name"),
        ({"colour": "red"}, "/colour"),
    ],
)
@pytest.mark.spec("S08", "S09")
async def test_422_points_at_what_is_wrong_and_leaves_nothing_behind(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, change: dict[str, Any], pointer: str
) -> None:
    made = (await client.post("/subscriptions", json=body(name="kept"))).json()
    before = await kept(pool, project)
    for answer in (
        await client.post("/subscriptions", json=body(**change)),
        await client.put(f"/subscriptions/{made['id']}", json=body(**change)),
    ):
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
        assert "secret@" not in answer.text
        assert HMAC not in answer.text
    assert await kept(pool, project) == before
    assert (await client.get(f"/subscriptions/{made['id']}")).json() == made


async def test_422_names_everything_wrong_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/subscriptions",
        json={"filters": [{}], "sink": "x", "delivery": {"retry": "1"}, "signingSecrets": ["a", HMAC, "b"]},
    )
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/filters/0", "/sink", "/delivery/retry", "/signingSecrets/0", "/signingSecrets/2"]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"sink": ', "application/json", 400),
        (b"", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"sink": "https://example.com/"}', "text/plain", 415),
        (b'{"sink": "https://example.com/", "\\ud800": 1}', "application/json", 422),
        (
            b'{"sink": "https://example.com/", "filters": [{"exact": {"\\ud800": "a"}}]}',
            "application/json",
            422,
        ),
        (
            b'{"sink": "https://example.com/", "filters": [{"exact": {"type": "\\ud800"}}]}',
            "application/json",
            422,
        ),
        (b'{"sink": "https://example.com/", "name": "\\ud800"}', "application/json", 422),
        (b'{"sink": "https://example.com/", "delivery": {"ratePerSecond": NaN}}', "application/json", 422),
        (b'{"sink": "https://example.com/", "delivery": {"retry": 1e999}}', "application/json", 422),
        (b"[" * 100_000, "application/json", 400),
        (b'{"sink":"' + b"a" * 2 * 1024 * 1024 + b'"}', "application/json", 413),
        (b"\xff\xfe", "application/json", 400),
    ],
)
async def test_bodies_that_are_none_change_nothing(
    client: httpx.AsyncClient,
    pool: asyncpg.Pool,
    project: Project,
    content: bytes,
    content_type: str,
    status: int,
) -> None:
    answer = await client.post("/subscriptions", content=content, headers={"content-type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await kept(pool, project) == (0, 0, 0)


async def test_each_change_counts_in_row_versions_and_project(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    made = (await client.post("/subscriptions", json=body(name="a"))).json()
    changed = (
        await client.put(f"/subscriptions/{made['id']}", json=body(name="b", sink="http://example.org/"))
    ).json()
    assert (changed["version"], changed["name"], changed["sink"]) == (2, "b", "http://example.org/")
    assert changed["updatedAt"] > made["updatedAt"]
    assert await kept(pool, project) == (1, 2, 2)
    assert (await client.delete(f"/subscriptions/{made['id']}")).status_code == 204
    assert await kept(pool, project) == (0, 2, 3)
    rows = await pool.fetch(
        "SELECT version, name, sink FROM subscription_versions WHERE subscription_id = $1 ORDER BY version",
        UUID(made["id"]),
    )
    assert [tuple(row) for row in rows] == [
        (1, "a", "https://example.com/events"),
        (2, "b", "http://example.org/"),
    ]


async def test_what_was_read_can_be_sent_back(client: httpx.AsyncClient) -> None:
    made = (
        await client.post("/subscriptions", json=body(name="a", signingSecrets=[HMAC], state="paused"))
    ).json()
    again = await client.put(f"/subscriptions/{made['id']}", json=made)
    assert again.status_code == 200
    changing = ("version", "updatedAt")
    assert {k: v for k, v in again.json().items() if k not in changing} == {
        k: v for k, v in made.items() if k not in changing
    }


@pytest.mark.spec("S12")
async def test_secrets_are_sealed_kept_and_never_shown(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings
) -> None:
    async def secrets() -> list[str] | None:
        sealed = await pool.fetchval(
            "SELECT signing_secrets_sealed FROM subscriptions WHERE id = $1", UUID(made["id"])
        )
        assert sealed is None or HMAC.encode() not in sealed
        return None if sealed is None else msgspec.json.decode(unseal(settings.sealing, sealed))

    answer = await client.post("/subscriptions", json=body(signingSecrets=[HMAC]))
    made = answer.json()
    assert HMAC not in answer.text
    assert made["signingSecretCount"] == 1
    assert await secrets() == [HMAC]
    await client.put(f"/subscriptions/{made['id']}", json=body(sink="http://example.org/"))
    assert await secrets() == [HMAC]
    rotated = await client.put(f"/subscriptions/{made['id']}", json=body(signingSecrets=[OTHER_HMAC, HMAC]))
    assert rotated.json()["signingSecretCount"] == 2
    assert await secrets() == [OTHER_HMAC, HMAC]
    gone = await client.put(f"/subscriptions/{made['id']}", json=body(signingSecrets=None))
    assert gone.json()["signingSecretCount"] == 0
    assert await secrets() is None
    listed = await client.get("/subscriptions")
    assert HMAC not in listed.text


async def test_secrets_of_another_deployment_are_not_counted(
    client: httpx.AsyncClient, settings: Settings, project: Project
) -> None:
    made = (await client.post("/subscriptions", json=body(signingSecrets=[HMAC]))).json()
    from functions.subscriptions.service import Subscriptions

    other = Resources(settings.model_copy(update={"secret": type(settings.secret)("b" * 32)}))
    service = Subscriptions(other)
    pool = await other.pg()
    row = await pool.fetchrow("SELECT * FROM subscriptions WHERE id = $1", UUID(made["id"]))
    assert service.count_secrets(row) is None
    await other.close()


@pytest.mark.spec("S24")
async def test_lists_go_on_where_they_ended(client: httpx.AsyncClient) -> None:
    made = [(await client.post("/subscriptions", json=body(name=f"s{n}"))).json()["name"] for n in range(5)]
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/subscriptions", params=params)).json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"cursor": "nonsense"}])
async def test_422_for_pages_that_cannot_be(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    answer = await client.get("/subscriptions", params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/query/{next(iter(params))}"


@pytest.mark.spec("S22", "S25")
async def test_404_for_what_is_not_there_or_another_projects(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings
) -> None:
    made = (await client.post("/subscriptions", json=body())).json()
    other = await create_project(pool, settings)
    elsewhere = f"http://weir.test/v1/projects/{other.name}/subscriptions"
    for path in (f"/subscriptions/{uuid4()}", "/subscriptions/not-a-uuid", "/subscriptions/%00"):
        assert (await client.get(path)).status_code == 404
        assert (await client.put(path, json=body())).status_code == 404
        assert (await client.delete(path)).status_code == 404
    for method, members in (("GET", None), ("PUT", body()), ("DELETE", None)):
        path = f"{elsewhere}/{made['id']}"
        mine = await client.request(method, path, json=members)
        theirs = await client.request(method, path, json=members, headers=other.headers)
        assert (mine.status_code, theirs.status_code) == (404, 404)
    assert (await client.get(f"/subscriptions/{made['id']}")).json() == made


async def test_a_key_that_may_only_read_changes_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    made = (await client.post("/subscriptions", json=body())).json()
    key = await create_key(pool, settings, project.id, scopes=["subscriptions:read"])
    reader = {"authorization": f"Bearer {key}"}
    assert (await client.get("/subscriptions", headers=reader)).status_code == 200
    before = await kept(pool, project)
    for method, path in (
        ("POST", "/subscriptions"),
        ("PUT", f"/subscriptions/{made['id']}"),
        ("DELETE", f"/subscriptions/{made['id']}"),
    ):
        assert (await client.request(method, path, json=body(), headers=reader)).status_code == 403
        assert (
            await client.request(method, path, json=body(), headers={"authorization": ""})
        ).status_code == 401
    assert await kept(pool, project) == before


class TestStates:
    @pytest.fixture
    async def made(self, client: httpx.AsyncClient) -> dict[str, Any]:
        return (await client.post("/subscriptions", json=body(name="s"))).json()

    async def rows(self, pool: asyncpg.Pool, made: dict[str, Any]) -> list[tuple[Any, ...]]:
        found = await pool.fetch(
            """
            SELECT status, held, next_attempt_at <= now() AS due, ended_at IS NOT NULL AS ended FROM deliveries
            WHERE subscription_id = $1 ORDER BY id
            """,
            UUID(made["id"]),
        )
        return [tuple(row) for row in found]

    async def test_resuming_releases_what_was_held_and_wakes_its_shards(
        self,
        client: httpx.AsyncClient,
        resources: Resources,
        pool: asyncpg.Pool,
        project: Project,
        made: dict[str, Any],
    ) -> None:
        woken: set[int] = set()

        def listener(shards: frozenset[int]) -> frozenset[int]:
            woken.update(shards)
            return shards

        subscription = UUID(made["id"])
        await client.put(f"/subscriptions/{made['id']}", json=body(name="s", state="paused"))
        uids = await store(pool, project.id, [an_event(n) for n in range(4)])
        for uid, shard, status in zip(
            uids, (103, 107, 103, 105), ("pending",) * 3 + ("delivered",), strict=True
        ):
            waits = status == "pending"
            await deliver(pool, project.id, uid, subscription, status, shard=shard, held=waits)
        resources.wake.listen(listener)
        resumed = await client.put(f"/subscriptions/{made['id']}", json=body(name="s", state="active"))
        assert resumed.json()["state"] == "active"
        waiting, done = ("pending", False, True, False), ("delivered", False, None, False)
        assert await self.rows(pool, made) == [waiting, waiting, waiting, done]
        assert woken == {103, 107}

    async def test_resuming_keeps_the_order_of_a_key(
        self, client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, made: dict[str, Any]
    ) -> None:
        await client.put(f"/subscriptions/{made['id']}", json=body(name="s", state="paused"))
        uids = await store(pool, project.id, [an_event(n) for n in range(4)])
        for position, (uid, key) in enumerate(zip(uids, ("a", "a", "b", "b"), strict=True)):
            await deliver(
                pool,
                project.id,
                uid,
                UUID(made["id"]),
                "pending",
                held=True,
                order_key=key,
                position=position,
            )
        await client.put(f"/subscriptions/{made['id']}", json=body(name="s", state="active"))
        due = [row[2] for row in await self.rows(pool, made)]
        assert due == [True, None, True, None]

    async def test_disabling_and_deleting_cancel_what_waits(
        self, client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, made: dict[str, Any]
    ) -> None:
        other = (await client.post("/subscriptions", json=body(name="t"))).json()
        uids = await store(pool, project.id, [an_event(n) for n in range(3)])
        for subscription in (made, other):
            for uid, status in zip(uids, ("pending", "retrying", "dead"), strict=True):
                await deliver(pool, project.id, uid, UUID(subscription["id"]), status)
        await client.put(f"/subscriptions/{made['id']}", json=body(name="s", state="disabled"))
        cancelled, dead = ("cancelled", False, None, True), ("dead", False, None, False)
        assert await self.rows(pool, made) == [cancelled, cancelled, dead]
        assert (await self.rows(pool, other))[0][0] == "pending"
        await client.delete(f"/subscriptions/{other['id']}")
        assert await self.rows(pool, other) == [cancelled, cancelled, dead]

    async def test_the_reason_is_weirs_and_goes_with_the_state(
        self, client: httpx.AsyncClient, pool: asyncpg.Pool, made: dict[str, Any]
    ) -> None:
        path, subscription = f"/subscriptions/{made['id']}", UUID(made["id"])
        mine = await client.put(path, json=body(name="s", state="disabled", stateReason="mine"))
        assert (mine.json()["state"], mine.json()["stateReason"]) == ("disabled", None)
        await pool.execute("UPDATE subscriptions SET state_reason = 'gone' WHERE id = $1", subscription)
        edited = await client.put(path, json=body(name="s"))
        assert (edited.json()["state"], edited.json()["stateReason"]) == ("disabled", "gone")
        active = await client.put(path, json=body(name="s", state="active"))
        assert (active.json()["state"], active.json()["stateReason"]) == ("active", None)


async def test_changes_survive_each_other(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    made = (await client.post("/subscriptions", json=body(name="s"))).json()
    answers = await asyncio.gather(
        *(
            client.put(f"/subscriptions/{made['id']}", json=body(name="s", delivery={"retry": n}))
            for n in range(8)
        )
    )
    assert sorted(a.json()["version"] for a in answers) == list(range(2, 10))
    assert await kept(pool, project) == (1, 9, 9)


async def test_503_when_the_store_is_away(settings: Settings, project: Project) -> None:
    url = type(settings.database_url)("postgresql://nobody@127.0.0.1:1/none")
    away = Resources(settings.model_copy(update={"database_url": url}))
    transport = httpx.ASGITransport(create(away))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir.test") as client:
        answer = await client.post(
            f"/v1/projects/{project.name}/subscriptions", json=body(), headers=project.headers
        )
    await away.close()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_the_document_describes_the_filters(settings: Settings) -> None:
    document = create(Resources(settings)).openapi()
    assert "HTTPValidationError" not in json.dumps(document)
    filters = document["components"]["schemas"]["SubscriptionCreate"]["properties"]["filters"]
    dialects = {"exact", "prefix", "suffix", "all", "any", "not", "sql", "cesql", "cel"}
    assert set(filters["items"]["properties"]) == dialects


async def test_a_change_that_meets_dispatch_half_way_goes_through(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    """Dispatch disables a subscription: it locks the subscription first, then the project."""
    made = (await client.post("/subscriptions", json=body(name="s"))).json()
    async with pool.acquire() as dispatch:
        transaction = dispatch.transaction()
        await transaction.start()
        await dispatch.execute(
            "UPDATE subscriptions SET state_reason = 'gone' WHERE id = $1", UUID(made["id"])
        )
        change = asyncio.create_task(client.put(f"/subscriptions/{made['id']}", json=body(name="t")))
        while not await waits_for_lock(pool):
            assert not change.done()
        try:
            await dispatch.execute("UPDATE projects SET version = version + 1 WHERE id = $1", project.id)
        except asyncpg.DeadlockDetectedError:
            await transaction.rollback()
        else:
            await transaction.commit()
        answer = await change
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "t"


@pytest.mark.parametrize(
    ("path", "allowed"), [("/subscriptions", "GET, POST"), ("/subscriptions/any", "GET, PUT, DELETE")]
)
async def test_405_names_every_method_of_the_address(
    client: httpx.AsyncClient, path: str, allowed: str
) -> None:
    answer = await client.patch(path, json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_limited_key_has_no_replies_taken_in(
    client: httpx.AsyncClient, project: Project, pool: asyncpg.Pool, settings: Settings
) -> None:
    """They would be events of whatever source and type, which the key itself may not send."""
    key = await create_key(pool, settings, project.id, sources=["/shop/*"])
    limited = {"authorization": f"Bearer {key}"}
    with_replies = body(delivery={"replies": True})
    theirs = (await client.post("/subscriptions", json=body(name="theirs"), headers=limited)).json()
    ours = (await client.post("/subscriptions", json=with_replies)).json()
    before = await kept(pool, project)
    for refused in (
        await client.post("/subscriptions", json=with_replies, headers=limited),
        await client.put(f"/subscriptions/{theirs['id']}", json=with_replies, headers=limited),
        await client.put(f"/subscriptions/{ours['id']}", json=with_replies, headers=limited),
    ):
        assert refused.status_code == 403
        assert "Leave delivery.replies out" in refused.json()["detail"]
    assert await kept(pool, project) == before
    off = await client.put(f"/subscriptions/{ours['id']}", json=body(), headers=limited)
    assert (off.status_code, off.json()["delivery"]["replies"]) == (200, False)
