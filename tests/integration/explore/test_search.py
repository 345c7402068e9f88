"""Events and deliveries are found by everything that they have, on days that are over and on one that goes on."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from functions.explore import finding
from shared.core.ids import uuid7
from shared.runtime.listing import write_cursor
from tests.integration.explore.conftest import subscribe
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = (TODAY - timedelta(days=3), TODAY - timedelta(days=2), TODAY)
EACH = 160


@dataclass(frozen=True)
class Kept:
    """An event and its deliveries, as they were stored: each with subscription, status, code and error."""

    uid: UUID
    event: Any
    facets: dict[str, Any]
    deliveries: list[tuple[UUID, UUID, str, int | None, str | None]]

    @property
    def outcome(self) -> str:
        statuses = {status for _, _, status, _, _ in self.deliveries}
        ranks = ("dead", "retrying", "pending", "delivered", "cancelled")
        return next((rank for rank in ranks if rank in statuses), "unmatched")


@pytest.fixture
async def kept(pool: asyncpg.Pool, project: Project, monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    """Three days of events, of which two are over and indexed; the newest first."""
    monkeypatch.setattr(finding, "FIRST_STEP", 10)
    chance = random.Random(8)
    subscriptions = [await subscribe(pool, project.id, name, []) for name in ("billing", "crm")]
    await pool.execute(
        "UPDATE subscription_versions SET sink = 'http://crm.test/hook' WHERE subscription_id = $1",
        subscriptions[1],
    )
    found: list[Kept] = []
    for day, start in enumerate(DAYS):
        events = [
            an_event(
                f"{day}-{n}",
                type=f"com.example.{chance.choice(['a', 'b', 'b.c'])}",
                source=f"/shop/{chance.randrange(3)}",
                subject=chance.choice([None, "orders/rare" if n % 40 == 0 else f"orders/{n % 7}"]),
                extensions={"partitionkey": f"C-{chance.randrange(30)}", "hops": chance.randrange(4)},
                data=b'{"say":"needle"}' if n % 11 == 0 else b'{"say":"hay"}',
            )
            for n in range(EACH)
        ]
        facets = [{"country": chance.choice(["NO", "SE"]), "n": n % 5} for n in range(EACH)]
        uids = await store(pool, project.id, events, at=start, step=timedelta(milliseconds=7), facets=facets)
        for uid, event, facet in zip(uids, events, facets, strict=True):
            deliveries = []
            for subscription in subscriptions[: chance.randrange(3)]:
                status = chance.choice(["delivered"] * 6 + ["dead", "retrying", "pending", "cancelled"])
                code = {"delivered": 200, "dead": 503}.get(status)
                error = {"dead": "upstream pool exhausted", "retrying": "connection reset"}.get(status)
                attempts = 0 if status == "pending" else 1
                made = await deliver(
                    pool, project.id, uid, subscription, status,
                    last_status_code=code, last_error=error, attempt_count=attempts,
                )  # fmt: skip
                deliveries.append((made, subscription, status, code, error))
            found.append(Kept(uid, event, facet, deliveries))
    await pool.execute("SELECT index_days($1, 1000)", TODAY.date())
    await pool.execute("SELECT summarize_events('2000-01-01')")
    return sorted(found, key=lambda one: one.uid, reverse=True)


async def walk(client: httpx.AsyncClient, path: str, key: str, limit: int, **params: Any) -> list[UUID]:
    """The keys of all pages, each of which is asked for until there is no more."""
    keys: list[UUID] = []
    cursor: str | None = None
    while True:
        answer = await client.get(
            path, params={**params, "limit": limit, **({"cursor": cursor} if cursor else {})}
        )
        assert answer.status_code == 200, answer.text
        keys += [UUID(item[key]) for item in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            return keys


EVENTS: list[tuple[dict[str, Any], Callable[[Kept], bool]]] = [
    ({"type": "com.example.a"}, lambda k: k.event.type == "com.example.a"),
    ({"type": ["com.example.a", "com.example.b"]}, lambda k: k.event.type[-1] in "ab"),
    ({"typePrefix": "com.example.b"}, lambda k: k.event.type.startswith("com.example.b")),
    ({"source": ["/shop/0", "/shop/2"]}, lambda k: k.event.source != "/shop/1"),
    ({"sourcePrefix": "/shop/1"}, lambda k: k.event.source == "/shop/1"),
    ({"subject": "orders/rare"}, lambda k: k.event.subject == "orders/rare"),
    ({"subject": ["orders/rare", "orders/3"]}, lambda k: k.event.subject in {"orders/rare", "orders/3"}),
    ({"subjectPrefix": "orders/"}, lambda k: k.event.subject is not None),
    ({"subject": "orders/rare", "type": "com.example.a"}, lambda k: (k.event.subject, k.event.type) == ("orders/rare", "com.example.a")),
    ({"id": "e-1-7"}, lambda k: k.event.id == "e-1-7"),
    ({"id": "e-2-7", "source": "/shop/1"}, lambda k: (k.event.id, k.event.source) == ("e-2-7", "/shop/1")),
    ({"extension": "partitionkey:C-7"}, lambda k: k.event.extensions["partitionkey"] == "C-7"),
    ({"extension": ["partitionkey:C-7", "partitionkey:C-8", "hops:2"]}, lambda k: k.event.extensions["partitionkey"] in {"C-7", "C-8"} and k.event.extensions["hops"] == 2),
    ({"facet": "country:NO"}, lambda k: k.facets["country"] == "NO"),
    ({"facet": ["country:NO", "n:2", "n:3"]}, lambda k: k.facets["country"] == "NO" and k.facets["n"] in {2, 3}),
    ({"outcome": "dead"}, lambda k: k.outcome == "dead"),
    ({"outcome": ["dead", "retrying"]}, lambda k: k.outcome in {"dead", "retrying"}),
    ({"outcome": ["delivered"]}, lambda k: k.outcome == "delivered"),
    ({"outcome": ["unmatched", "dead"]}, lambda k: k.outcome in {"unmatched", "dead"}),
    ({"statusCode": "503"}, lambda k: any(d[3] == 503 for d in k.deliveries)),
    ({"statusCode": "2xx"}, lambda k: any(d[3] == 200 for d in k.deliveries)),
    ({"statusCode": "none"}, lambda k: any(d[3] is None and d[2] != "pending" for d in k.deliveries)),
    ({"error": "POOL exhausted"}, lambda k: any(d[4] == "upstream pool exhausted" for d in k.deliveries)),
    ({"sink": "http://crm.test/hook"}, lambda k: len(k.deliveries) == 2),
    ({"sink": "http://crm.test/hook", "statusCode": "5xx"}, lambda k: len(k.deliveries) == 2 and k.deliveries[1][3] == 503),
    ({"q": "needle", "outcome": "dead"}, lambda k: b"needle" in k.event.data and k.outcome == "dead"),
    ({"q": "needle", "facet": "country:SE", "type": "com.example.b"}, lambda k: b"needle" in k.event.data and k.facets["country"] == "SE" and k.event.type == "com.example.b"),
    ({"subject": "nothing"}, lambda _: False),
]  # fmt: skip


async def test_events_are_found_by_everything_that_they_have(
    client: httpx.AsyncClient, kept: list[Kept]
) -> None:
    for number, (params, holds) in enumerate(EVENTS):
        wanted = [one.uid for one in kept if holds(one)]
        assert wanted or params == {"subject": "nothing"}, params
        assert await walk(client, "/events", "uid", (500, 7)[number % 2], **params) == wanted, params
    subscription = (
        kept[0].deliveries[0][1]
        if kept[0].deliveries
        else next(k for k in kept if k.deliveries).deliveries[0][1]
    )
    wanted = [one.uid for one in kept if any(d[1] == subscription and d[3] == 503 for d in one.deliveries)]
    params = {"subscription": str(subscription), "statusCode": "503"}
    assert await walk(client, "/events", "uid", 5, **params) == wanted
    since, until = DAYS[1] + timedelta(milliseconds=300), DAYS[2] + timedelta(milliseconds=500)
    span = {"since": since.isoformat(), "until": until.isoformat()}
    low, high = int(since.timestamp() * 1000), int(until.timestamp() * 1000)
    for params, holds in EVENTS:
        wanted = [one.uid for one in kept if holds(one) and low <= one.uid.int >> 80 < high]
        assert await walk(client, "/events", "uid", 50, **params, **span) == wanted, params


DELIVERIES: list[tuple[dict[str, Any], Callable[[Kept, Any], bool]]] = [
    ({"status": "dead"}, lambda _, d: d[2] == "dead"),
    ({"status": "dead", "type": "com.example.a"}, lambda k, d: d[2] == "dead" and k.event.type == "com.example.a"),
    ({"statusCode": ["5xx", "none"]}, lambda _, d: d[3] == 503 or (d[3] is None and d[2] != "pending")),
    ({"error": "RESET"}, lambda _, d: d[4] == "connection reset"),
    ({"sink": "http://crm.test/hook"}, lambda k, d: k.deliveries.index(d) == 1),
    ({"subject": "orders/rare"}, lambda k, _: k.event.subject == "orders/rare"),
    ({"facet": "country:NO", "status": "retrying"}, lambda k, d: k.facets["country"] == "NO" and d[2] == "retrying"),
    ({"extension": "partitionkey:C-7"}, lambda k, _: k.event.extensions["partitionkey"] == "C-7"),
    ({"q": "CRM"}, lambda k, d: k.deliveries.index(d) == 1),
    ({"q": "exhausted"}, lambda _, d: d[2] == "dead"),
    ({"q": "rare", "status": "delivered"}, lambda k, d: k.event.subject == "orders/rare" and d[2] == "delivered"),
]  # fmt: skip


async def test_deliveries_are_found_by_what_they_are_and_by_their_events(
    client: httpx.AsyncClient, kept: list[Kept]
) -> None:
    for number, (params, holds) in enumerate(DELIVERIES):
        wanted = sorted((d[0] for one in kept for d in one.deliveries if holds(one, d)), reverse=True)
        assert wanted, params
        assert await walk(client, "/deliveries", "id", (500, 7)[number % 2], **params) == wanted, params


async def test_pages_stay_in_place_while_events_arrive(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, kept: list[Kept]
) -> None:
    params = {"outcome": "dead", "limit": 5}
    first = (await client.get("/events", params=params)).json()
    later = await store(pool, project.id, [an_event(n) for n in range(30)], at=datetime.now(UTC))
    for uid in later:
        await deliver(pool, project.id, uid, kept[0].uid, "dead")
    second = (await client.get("/events", params={**params, "cursor": first["next"]})).json()
    seen = [UUID(item["uid"]) for page in (first, second) for item in page["items"]]
    assert seen == [one.uid for one in kept if one.outcome == "dead"][:10]


async def test_work_is_bounded_and_the_answer_says_how_far_it_came(
    client: httpx.AsyncClient, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "WINDOW", 100)
    for path, params in (
        ("/events", {"q": "(a+)+$"}),
        ("/events", {"q": "nowhere", "since": (TODAY - timedelta(days=90)).isoformat()}),
        ("/events", {"error": "nothing like that"}),
        ("/events", {"typePrefix": "nothing"}),
        ("/deliveries", {"q": ".*"}),
        ("/deliveries", {"subjectPrefix": "nothing"}),
    ):
        page = (await client.get(path, params=params)).json()
        assert page["items"] == []
        assert page["searched"]["count"] == 100, params
        assert page["next"] is not None
        assert datetime.fromisoformat(page["searched"]["until"]) > DAYS[0]
    monkeypatch.setattr(finding, "WINDOW_SECONDS", 0.0)
    page = (await client.get("/events", params={"sourcePrefix": "nothing"})).json()
    assert page["searched"]["count"] == 10
    assert page["next"] is not None


async def test_a_made_up_cursor_is_refused_or_only_a_place(
    client: httpx.AsyncClient, kept: list[Kept]
) -> None:
    for cursor in ("", "x", "A" * 22, "A" * 64, "%00", "../../etc", write_cursor(uuid7())[:-1] + "!"):
        for path in ("/events", "/deliveries"):
            answer = await client.get(path, params={"cursor": cursor, "outcome": []})
            if answer.status_code == 200:  # 22 signs are a key: the least there is, with nothing before it
                assert (cursor, answer.json()["items"]) == ("A" * 22, [])
            else:
                assert answer.status_code == 422
                assert answer.json()["errors"][0]["pointer"] == "/query/cursor"
    elsewhere = await client.get("/events", params={"cursor": write_cursor(uuid7()), "limit": 1})
    assert elsewhere.json()["items"][0]["uid"] == str(kept[0].uid)


async def test_what_is_asked_of_the_other_list_needs_its_permission(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project, settings: Any
) -> None:
    from tests.support.projects import create_key

    async def status(scope: str, path: str, **params: str) -> int:
        key = await create_key(pool, settings, project.id, scopes=[scope])
        answer = await client.get(path, params=params, headers={"authorization": f"Bearer {key}"})
        return answer.status_code

    assert await status("events:read", "/events", outcome="dead") == 200
    assert await status("events:read", "/events", statusCode="5xx") == 403
    assert await status("deliveries:read", "/deliveries", statusCode="5xx") == 200
    assert await status("deliveries:read", "/deliveries", subject="orders/1") == 403
