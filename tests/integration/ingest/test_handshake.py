"""The webhook hand-shake: OPTIONS, without credentials."""

import asyncio
from uuid import uuid4

import asyncpg
import httpx
import pytest

from functions.ingest.handshake import granted, is_among
from functions.ingest.projects import UNKNOWN, Project
from shared.core.token_bucket import Limit
from tests.integration.ingest.conftest import Door

ORIGIN = {"webhook-request-origin": "sender.example.com"}


async def shake(door: Door, path: str | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await door.client.request("OPTIONS", path or door.path, headers=named)


async def set_project(
    pool: asyncpg.Pool, door: Door, origins: tuple[str, ...] = (), rate: int | None = None
) -> None:
    await pool.execute(
        "UPDATE projects SET allowed_origins = $2, rate_per_second = $3 WHERE id = $1",
        door.project.id,
        list(origins),
        rate,
    )


@pytest.mark.spec("W20", "W25", "W26", "W27", "W30b", "K1.2", "K1.3")
async def test_any_origin_may_send_at_any_rate_unless_the_project_says_otherwise(door: Door) -> None:
    answer = await shake(door, webhook_request_origin="sender.example.com", webhook_request_rate="120")
    assert answer.status_code == 200
    assert answer.headers["webhook-allowed-origin"] == "*"
    assert answer.headers["webhook-allowed-rate"] == "*"
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.content == b""


@pytest.mark.spec("W29", "W30b")
async def test_whoever_does_not_ask_is_granted_nothing(door: Door) -> None:
    answer = await shake(door)
    assert (answer.status_code, answer.headers["allow"]) == (200, "POST, OPTIONS")
    assert not [name for name in answer.headers if name.startswith("webhook-")]


@pytest.mark.spec("W25", "W26", "W29")
@pytest.mark.parametrize(
    ("origin", "granted"),
    [
        ("sender.example.com", True),
        ("Sender.Example.COM", True),
        ("deep.below.example.org", True),
        ("example.org", False),
        ("notexample.org", False),
        ("other.example.com", False),
        ("sender.example.com.evil.example", False),
        ("*.example.org", False),
        ("https://sender.example.com", False),
        ("", False),
    ],
)
async def test_only_configured_origins_are_let_in(
    door: Door, pool: asyncpg.Pool, origin: str, granted: bool
) -> None:
    await set_project(pool, door, ("sender.example.com", "*.example.org"))
    answer = await shake(door, webhook_request_origin=origin)
    assert answer.status_code == 200
    assert answer.headers.get("webhook-allowed-origin") == (origin if granted else None)
    assert ("webhook-allowed-rate" in answer.headers) == granted


@pytest.mark.spec("W27")
@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        (None, "600"),
        ("600", "600"),
        ("120", "120"),
        ("100000", "600"),
        ("0", "600"),
        ("-5", "600"),
        ("x", "600"),
    ],
)
async def test_the_rate_is_the_projects_and_never_more_than_was_asked_for(
    door: Door, pool: asyncpg.Pool, asked: str | None, allowed: str
) -> None:
    await set_project(pool, door, rate=10)
    headers = {} if asked is None else {"webhook_request_rate": asked}
    answer = await shake(door, webhook_request_origin="sender.example.com", **headers)
    assert answer.headers["webhook-allowed-rate"] == allowed


@pytest.mark.spec("W32")
async def test_a_callback_is_never_called(door: Door, sink) -> None:
    answer = await shake(
        door,
        webhook_request_origin="sender.example.com",
        webhook_request_callback=f"{sink.url}/confirm",
    )
    assert answer.headers["webhook-allowed-origin"] == "*"
    assert sink.requests == []


@pytest.mark.spec("K1.3")
async def test_other_methods_are_405(door: Door) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        answer = await door.client.request(method, door.path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("name", ["no-such-project", "NOT-A-NAME", "nul%00", "%ff", "a" * 100, ""])
async def test_an_unknown_project_is_404(door: Door, name: str) -> None:
    answer = await shake(door, f"/in/{name}", webhook_request_origin="a.example.com")
    assert answer.status_code == 404
    assert "webhook-allowed-origin" not in answer.headers


async def test_strangers_make_no_work_for_the_database(
    door: Door, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.ingest import queries

    asked: list[str] = []
    original = queries.project_named

    async def counted(on: asyncpg.Pool, name: str) -> list[asyncpg.Record]:
        asked.append(name)
        return await original(on, name)

    monkeypatch.setattr(queries, "project_named", counted)
    assert {(await shake(door)).status_code for _ in range(50)} == {200}
    assert {(await shake(door, "/in/missing")).status_code for _ in range(50)} == {404}
    assert len(asked) <= 4
    found = await asyncio.gather(*(shake(door, f"/in/{uuid4().hex}") for _ in range(UNKNOWN.burst * 2)))
    assert {answer.status_code for answer in found} == {404, 503}
    assert len(asked) <= UNKNOWN.burst * 1.5
    assert all(answer.headers["retry-after"] == "1" for answer in found if answer.status_code == 503)
    # Projects that are known here are not held up by that.
    assert (await shake(door)).status_code == 200


def test_what_is_among_the_origins() -> None:
    assert is_among("a.example.com.", ("a.example.com",))
    assert not is_among("a" * 300, ("*.example.com",))
    assert not is_among("a..example.com", ("*.example.com",))
    assert not is_among("-.example.com", ("*.example.com",))


def test_of_a_rate_that_is_no_number_nothing_is_made() -> None:
    project = Project(Limit(1, 1), (), ())
    for asked in (b"1.5", b"9" * 50, b"1e3", b" ", b"0" * 5_000 + b"1"):
        headers = [(b"webhook-request-origin", b"a"), (b"webhook-request-rate", asked)]
        assert dict(granted(project, headers))[b"webhook-allowed-rate"] == b"60"
