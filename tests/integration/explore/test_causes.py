"""Causes lead to their rows: each counts what a list that is narrowed by its words finds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from functions.explore.counts import causes
from tests.support.projects import Project
from tests.support.stream import an_event, deliver, store

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = {"since": START.isoformat(), "until": (START + timedelta(hours=1)).isoformat()}
REFUSED = "no connection: Connection refused"


async def get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def rows_of(client: httpx.AsyncClient, cause: dict[str, Any]) -> list[Any]:
    """What the list finds that is narrowed by the words of a cause."""
    words = {
        "status": cause["status"],
        "subscription": cause["subscription"],
        "statusCode": cause["statusCode"] or "none",
        **({"error": cause["error"]} if cause["error"] else {}),
    }
    return list((await get(client, "/deliveries", **HOUR, **words, limit=500))["items"])


@pytest.fixture
async def failing(pool: asyncpg.Pool, project: Project) -> tuple[UUID, UUID]:
    """Two subscriptions: one answers 503 mostly, the other refuses; and some that do not fail."""
    events = await store(
        pool, project.id, [an_event(n) for n in range(9)], at=START, step=timedelta(minutes=1)
    )
    crm, slack = uuid4(), uuid4()
    answers: list[tuple[UUID, str, int | None, str | None]] = [
        (crm, "dead", 503, None),
        (crm, "dead", 503, None),
        (crm, "dead", 503, None),
        (crm, "dead", 422, None),
        (crm, "retrying", 503, None),
        (slack, "dead", None, REFUSED),
        (slack, "dead", None, "No answer within 5 s"),
        (slack, "dead", None, REFUSED),
        (slack, "delivered", 200, None),
    ]
    for uid, (subscription, status, code, error) in zip(events, answers, strict=True):
        await deliver(
            pool,
            project.id,
            uid,
            subscription,
            status,
            attempt_count=2,
            last_status_code=code,
            last_error=error,
        )
    await deliver(pool, project.id, events[0], slack, "pending")
    await deliver(pool, project.id, events[1], slack, "cancelled", attempt_count=1, last_status_code=503)
    # One that was delivered and is sent again has not failed.
    await deliver(pool, project.id, events[8], crm, "retrying", attempt_count=1, last_status_code=202)
    return crm, slack


async def test_causes_are_counted_and_lead_to_their_rows(
    client: httpx.AsyncClient, failing: tuple[UUID, UUID]
) -> None:
    crm, slack = map(str, failing)
    found = await get(client, "/deliveries/causes", **HOUR)
    told = [
        (one["status"], one["subscription"], one["statusCode"], one["error"], one["count"])
        for one in found["items"]
    ]
    assert told[:2] == [("dead", crm, 503, None, 3), ("dead", slack, None, REFUSED, 2)]
    assert set(told[2:]) == {
        ("dead", crm, 422, None, 1),
        ("retrying", crm, 503, None, 1),
        ("dead", slack, None, "No answer within 5 s", 1),
    }
    assert (found["more"], found["searched"]) == (0, None)
    for cause in found["items"]:
        assert len(await rows_of(client, cause)) == cause["count"]
    first, last = (datetime.fromisoformat(found["items"][0][name]) for name in ("firstAt", "lastAt"))
    assert (first, last) == (START, START + timedelta(minutes=2))


async def test_causes_take_what_the_list_takes(client: httpx.AsyncClient, failing: tuple[UUID, UUID]) -> None:
    for params, counts in (
        ({"status": "dead"}, [3, 2, 1, 1]),
        ({"status": "retrying"}, [1]),
        ({"status": "cancelled"}, [1]),
        ({"status": "pending"}, []),
        ({"status": "delivered"}, []),
        ({"subscription": str(failing[1])}, [2, 1]),
        ({"error": "REFUSED"}, [2]),
        ({"statusCode": "5xx", "status": "dead"}, [3]),
        ({"type": "com.example.nothing"}, []),
    ):
        found = await get(client, "/deliveries/causes", **HOUR, **params)
        assert [one["count"] for one in found["items"]] == counts, params


async def test_causes_say_how_far_they_were_counted(
    client: httpx.AsyncClient, failing: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "COUNTED", 2)
    found = await get(client, "/deliveries/causes", **HOUR, status="dead")
    assert found["searched"]["count"] == sum(one["count"] for one in found["items"]) == 2
    assert datetime.fromisoformat(found["searched"]["until"]) == START + timedelta(minutes=6)
    whole = await get(client, "/deliveries/causes", **HOUR, status="retrying", statusCode="503")
    assert whole["searched"] is None


async def test_a_range_that_has_no_key_has_no_cause(client: httpx.AsyncClient) -> None:
    assert await get(client, "/deliveries/causes", since=HOUR["until"], until=HOUR["since"]) == {
        "items": [],
        "more": 0,
        "searched": None,
    }
