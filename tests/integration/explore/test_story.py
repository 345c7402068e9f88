"""One answer with all that is known of an event, and what two events differ in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.explore.story import queries
from shared.core.ids import floor
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.explore.conftest import subscribe
from tests.support.plans import plan
from tests.support.projects import Project, create_key, create_project
from tests.support.stream import an_event, deliver, store

START = datetime(2026, 4, 7, 12, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def parent(span: str, trace: str = TRACE) -> str:
    return f"00-{trace}-{span * 16}-01"


async def test_everything_is_in_one_answer(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    key = project.key.removeprefix("weir_").partition("_")[0]
    other = await subscribe(pool, project.id, "other", [{"exact": {"type": "com.example.else"}}])
    (uid,) = await store(pool, project.id, [an_event(data=b'{"total": 7}')], at=START, producer=f"key:{key}")
    await pool.execute(
        "UPDATE events SET schema_version = 4, taken_us = 1600, commit_events = 14 WHERE uid = $1", uid
    )
    await pool.execute("UPDATE subscription_versions SET created_at = '2026-01-01'")
    made = await deliver(
        pool, project.id, uid, subscription, attempt_count=1, first_started_at=START, first_status_code=202
    )
    story = (await client.get(f"/events/{uid}/story")).json()
    event = (await client.get(f"/events/{uid}")).json()
    assert {name: story[name] for name in event} == event
    assert story["event"]["data"] == {"total": 7}
    assert story["deliveries"][0]["id"] == str(made)
    assert story["sender"]["kind"] == "key"
    assert story["sender"]["id"] == key
    assert story["sender"]["name"] is not None
    assert story["intake"] == {"durationMs": 1.6, "commitEvents": 14, "schemaVersion": 4}
    verdicts = {v["subscription"]: v for v in story["subscriptions"]}
    assert verdicts[str(subscription)]["delivery"] == str(made)
    assert verdicts[str(other)]["matched"] is False
    assert verdicts[str(other)]["clause"] == {"exact": {"type": "com.example.else"}}
    assert story["related"]["items"] == []
    assert story["related"]["complete"] is True


async def test_what_it_came_of_and_what_came_of_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    said = {"traceparent": parent("1"), "correlationid": "order-7"}
    events = [
        an_event(0, id="cart"),
        an_event(1, id="order", extensions={"causationid": "cart", **said}),
        an_event(2, id="reply", extensions={"causationid": "order", "weirhops": 1}),
        an_event(3, id="paid", extensions={"causationid": "order"}),
        an_event(4, id="traced", extensions={"traceparent": parent("2")}),
        an_event(5, id="same", extensions={"correlationid": "order-7"}),
        an_event(6, id="none", extensions={"traceparent": parent("3", "f" * 32), "correlationid": "order-8"}),
    ]
    uids = await store(pool, project.id, events, at=START)
    made = await deliver(
        pool,
        project.id,
        uids[1],
        subscription,
        attempt_count=1,
        first_started_at=START,
        first_detail={
            "url": "http://sink.test/",
            "response": None,
            "reply": {"uid": str(uids[2]), "duplicate": False},
        },
    )
    (far,) = await store(
        pool,
        project.id,
        [an_event(7, extensions={"causationid": "order"})],
        at=START + timedelta(days=8),
    )
    story = (await client.get(f"/events/{uids[1]}/story")).json()
    found = [(r["id"], r["relation"], r["delivery"]) for r in story["related"]["items"]]
    assert found == [
        ("cart", "cause", None),
        ("reply", "effect", str(made)),
        ("paid", "effect", None),
        ("traced", "trace", None),
        ("same", "correlation", None),
    ]
    assert str(far) not in {r["uid"] for r in story["related"]["items"]}

    back = (await client.get(f"/events/{uids[2]}/story")).json()
    assert [(r["id"], r["relation"]) for r in back["related"]["items"]] == [("order", "cause")]
    assert (back["older"], back["newer"]) == (str(uids[1]), str(uids[3]))
    last = (await client.get(f"/events/{far}/story")).json()
    assert (last["older"], last["newer"]) == (None, None)


async def test_other_projects_are_not_related(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    theirs = await create_project(pool, settings)
    said = {"traceparent": parent("1"), "correlationid": "c", "causationid": "c-1"}
    (uid,) = await store(pool, project.id, [an_event(0, id="c-1", extensions=said)], at=START)
    await store(pool, theirs.id, [an_event(1, id="c-1", extensions=said)], at=START)
    story = (await client.get(f"/events/{uid}/story")).json()
    assert story["related"]["items"] == []


async def test_of_each_relation_there_are_fifty(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    events = [an_event(n, extensions={"correlationid": "many"}) for n in range(60)]
    uids = await store(pool, project.id, events, at=START)
    story = (await client.get(f"/events/{uids[0]}/story")).json()
    assert len(story["related"]["items"]) in {49, 50}
    assert story["related"]["complete"] is False


async def test_a_long_extension_is_found_and_another_with_its_beginning_is_not(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    long = "x" * 9_000
    events = [an_event(n, extensions={"correlationid": long + end}) for n, end in enumerate("aab")]
    uids = await store(pool, project.id, events, at=START)
    story = (await client.get(f"/events/{uids[0]}/story")).json()
    assert [r["uid"] for r in story["related"]["items"]] == [str(uids[1])]


async def test_names_are_for_those_who_may_read_them(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Settings
) -> None:
    key = project.key.removeprefix("weir_").partition("_")[0]
    (uid,) = await store(pool, project.id, [an_event()], producer=f"key:{key}")
    reader = await create_key(pool, settings, project.id, ["events:read", "deliveries:read"])
    headers = {"Authorization": f"Bearer {reader}"}
    sender = (await client.get(f"/events/{uid}/story", headers=headers)).json()["sender"]
    assert (sender["id"], sender["name"]) == (key, None)
    blind = await create_key(pool, settings, project.id, ["events:read"])
    refused = await client.get(f"/events/{uid}/story", headers={"Authorization": f"Bearer {blind}"})
    assert refused.status_code == 403
    assert (await client.get(f"/events/{uuid4()}/story")).status_code == 404


@pytest.mark.parametrize(
    ("principal", "kind"),
    [("source:github", "source"), ("producer:till", "producer"), ("reply:billing", "reply")],
)
async def test_who_sent_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, principal: str, kind: str
) -> None:
    (uid,) = await store(pool, project.id, [an_event()], producer=principal)
    sender = (await client.get(f"/events/{uid}/story")).json()["sender"]
    assert (sender["kind"], sender["id"]) == (kind, principal.partition(":")[2])


async def test_two_events_are_compared(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    one, two = await store(
        pool,
        project.id,
        [
            an_event(1, subject="a", data=b'{"total": 1, "items": [1, 2], "big": 12345678901234567890123}'),
            an_event(2, data=b'{"total": 2, "items": [1], "big": 12345678901234567890123}'),
        ],
    )
    answer = await client.get(f"/events/{two}/compare", params={"with": str(one)})
    assert answer.status_code == 200, answer.text
    found = {item["pointer"]: item for item in answer.json()["items"]}
    assert set(found) == {"/id", "/subject", "/data/total", "/data/items/1"}
    assert (found["/data/total"]["left"], found["/data/total"]["right"]) == (1, 2)
    assert (found["/subject"]["inLeft"], found["/subject"]["inRight"]) == (True, False)
    missing = await client.get(f"/events/{one}/compare", params={"with": str(uuid4())})
    assert missing.status_code == 404
    assert (await client.get(f"/events/{two}/compare")).json() == answer.json()
    alone = (await client.get(f"/events/{one}/compare")).json()
    assert (alone["left"], alone["items"]) == (None, [])


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("statement", [queries.EFFECTS, queries.CORRELATED, queries.TRACED])
async def test_what_is_related_is_found_by_an_index(
    resources: Resources, pool: asyncpg.Pool, project: Project, statement: str, generic: bool
) -> None:
    said = {"causationid": "c", "correlationid": "c", "traceparent": parent("1")}
    day = datetime(2026, 7, 5, 12, tzinfo=UTC)
    await store(pool, project.id, [an_event(n) for n in range(2_000)], at=day)
    await store(pool, project.id, [an_event(-1, extensions=said)], at=day + timedelta(hours=1))
    await pool.execute("ANALYZE events")
    low, high = (floor(int((day + timedelta(days=n)).timestamp() * 1000)) for n in (-1, 1))
    value = TRACE if statement is queries.TRACED else "c"
    asked = await resources.of(project.id)
    found = await plan(asked, statement, project.id, value, low, high, 51, generic=generic)
    assert not found.sequential("202607")
    assert found.rows("events_p202607") <= 1


async def test_what_sent_it_again(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, subscription: UUID
) -> None:
    (uid,) = await store(pool, project.id, [an_event()], at=START)
    made = await deliver(pool, project.id, uid, subscription)
    replay = uuid4()
    await pool.execute(
        """
        INSERT INTO replays (id, project_id, kind, reason, selection, low, high, created_by)
        VALUES ($1, $2, 'replay', 'the sink lost them', '{}', $3, $3, 'key:gone')
        """,
        replay,
        project.id,
        uid,
    )
    again = await deliver(pool, project.id, uid, subscription, id=uuid_beside(uid), replay_id=replay)
    story = (await client.get(f"/events/{uid}/story?subscriptions=now")).json()
    assert {d["id"]: d["replay"] for d in story["deliveries"]} == {str(made): None, str(again): str(replay)}
    assert [v["delivery"] for v in story["subscriptions"]] == [str(made)]
    (told,) = story["replays"]
    assert (told["id"], told["kind"], told["reason"], told["createdBy"]) == (
        str(replay),
        "replay",
        "the sink lost them",
        "key",
    )


def uuid_beside(uid: UUID) -> UUID:
    """Another key of the same millisecond."""
    return UUID(int=uid.int ^ 1)
