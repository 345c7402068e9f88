"""Refresh tokens rotate; an old one ends its session, a lost answer does not."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from cli.local.servers import RedisServer
from functions.identity.app import create
from functions.identity.cookie import COOKIE
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import Person, browser, create_person, new_link

PASSWORD = "correct horse battery"


@pytest.fixture
async def person(pool: asyncpg.Pool) -> Person:
    return await create_person(pool, password=PASSWORD)


@pytest.fixture
async def client(
    resources: Resources, pool: asyncpg.Pool, person: Person
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which `person` is signed in."""
    async with browser(create(resources)) as opened:
        await sign_in(opened, pool, person)
        yield opened


async def sign_in(client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person) -> str:
    answer = await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})
    assert answer.status_code == 200
    return str(answer.json()["accessToken"])


async def refresh(
    client: httpx.AsyncClient, token: str | None = None, agent: str = "Firefox"
) -> httpx.Response:
    headers = {"user-agent": agent}
    if token is not None:
        client.cookies.clear()
        headers["cookie"] = f"{COOKIE}={token}"
    return await client.post("/v1/auth/refresh", headers=headers)


def cookie_of(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].split(";")[0].removeprefix(f"{COOKIE}=")


async def age(resources: Resources, person: Person, seconds: int) -> None:
    """As if the tokens of `person` had been used so many seconds earlier."""
    redis = await resources.redis()
    for family in await redis.smembers(f"weir:user-sessions:{person.id}"):
        key = f"weir:session:{family}"
        used = (await redis.hget(key, "used") or "").split()
        older = [f"{h}:{int(at) - seconds * 1000}" for h, at in (entry.split(":") for entry in used)]
        await redis.hset(key, "used", " ".join(older))


async def test_each_refresh_gives_another_token(client: httpx.AsyncClient) -> None:
    first = client.cookies[COOKIE]
    seen = {first}
    for _ in range(5):
        answer = await refresh(client)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        seen.add(cookie_of(answer))
    assert len(seen) == 6


async def test_an_old_token_ends_the_session(
    client: httpx.AsyncClient, resources: Resources, person: Person
) -> None:
    first = client.cookies[COOKIE]
    second = cookie_of(await refresh(client))
    await age(resources, person, 11)
    reused = await refresh(client, first)
    assert reused.status_code == 401
    assert "two places" in reused.json()["detail"]
    assert cookie_of(reused) == '""'
    assert (await refresh(client, second)).status_code == 401


async def test_whose_token_was_used_twice_is_told(
    client: httpx.AsyncClient, resources: Resources, pool: asyncpg.Pool, person: Person
) -> None:
    first = client.cookies[COOKIE]
    await refresh(client)
    await age(resources, person, 11)
    thief = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
    assert (await refresh(client, first, agent=thief)).status_code == 401
    client.cookies.clear()
    bearer = {"authorization": f"Bearer {await sign_in(client, pool, person)}"}
    (notice,) = (await client.get("/v1/me", headers=bearer)).json()["notices"]
    assert (notice["kind"], notice["address"]) == ("sessionReused", "127.0.0.1")
    assert notice["browser"] == "Firefox 145 on Windows"
    (action,) = await pool.fetch(
        "SELECT action, actor_kind FROM audit WHERE thing_name = $1 AND action = 'session.ended'",
        person.email,
    )
    assert action["actor_kind"] == "nobody"
    put_away = await client.delete(f"/v1/me/notices/{notice['id']}", headers=bearer)
    again = await client.delete(f"/v1/me/notices/{notice['id']}", headers=bearer)
    assert (put_away.status_code, again.status_code) == (204, 404)
    assert (await client.get("/v1/me", headers=bearer)).json()["notices"] == []


async def test_a_lost_answer_is_given_again_to_the_same_client(client: httpx.AsyncClient) -> None:
    first = client.cookies[COOKIE]
    second = cookie_of(await refresh(client, first))
    assert cookie_of(await refresh(client, first)) == second
    third = cookie_of(await refresh(client, second))
    assert cookie_of(await refresh(client, first)) == third
    assert (await refresh(client, third)).status_code == 200


async def test_another_client_with_a_just_used_token_ends_the_session(client: httpx.AsyncClient) -> None:
    first = client.cookies[COOKIE]
    second = cookie_of(await refresh(client, first))
    assert (await refresh(client, first, agent="Thief")).status_code == 401
    assert (await refresh(client, second)).status_code == 401


async def test_refreshes_at_the_same_time_all_end_with_one_token(client: httpx.AsyncClient) -> None:
    first = client.cookies[COOKIE]
    answers = await asyncio.gather(*(refresh(client, first) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({cookie_of(answer) for answer in answers}) == 1
    assert (await refresh(client, cookie_of(answers[0]))).status_code == 200


async def test_a_made_up_token_ends_nothing(client: httpx.AsyncClient) -> None:
    token = client.cookies[COOKIE]
    family, value, tag = token.split(".")
    for made_up in (
        "x",
        family,
        f"{family}.{value}.{tag[:-1]}",
        f"{family}.{value[::-1]}.{tag}",
        f"{family}..",
        "a" * 5000,
    ):
        assert (await refresh(client, made_up)).status_code == 401
    client.cookies.clear()
    assert (await refresh(client)).status_code == 401
    assert (await refresh(client, token)).status_code == 200


async def test_redis_has_no_token_that_works(
    client: httpx.AsyncClient, resources: Resources, person: Person
) -> None:
    redis = await resources.redis()
    (family,) = await redis.smembers(f"weir:user-sessions:{person.id}")
    kept = await redis.hgetall(f"weir:session:{family}")
    assert client.cookies[COOKIE] not in kept.values()
    assert (await refresh(client, f"{family}.{kept['current']}.{kept['current'][:32]}")).status_code == 401


async def test_signing_out_ends_the_session(client: httpx.AsyncClient) -> None:
    token = client.cookies[COOKIE]
    answer = await client.post("/v1/auth/sign-out")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert COOKIE not in client.cookies
    assert (await refresh(client, token)).status_code == 401
    client.cookies.clear()
    assert (await client.post("/v1/auth/sign-out")).status_code == 204


async def test_a_session_ends_after_ninety_days_however_much_it_is_used(
    client: httpx.AsyncClient, resources: Resources, person: Person
) -> None:
    redis = await resources.redis()
    (family,) = await redis.smembers(f"weir:user-sessions:{person.id}")
    assert await redis.ttl(f"weir:session:{family}") <= 14 * 24 * 3600
    await redis.hset(f"weir:session:{family}", "ends", "0")
    assert (await refresh(client)).status_code == 401
    assert not await redis.exists(f"weir:session:{family}")


async def test_without_redis_refresh_says_when_to_come_again(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    url = type(settings.redis_url)("redis://127.0.0.1:1/0")
    resources = Resources(settings.model_copy(update={"redis_url": url}))
    async with browser(create(resources)) as other:
        answer = await refresh(other, client.cookies[COOKIE])
        signed_out = await other.post(
            "/v1/auth/sign-out", headers={"cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
        )
    await resources.close()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "set-cookie" not in answer.headers
    assert signed_out.status_code == 503
    assert (await refresh(client)).status_code == 200


async def test_without_postgres_a_refresh_uses_up_no_token(
    settings: Settings, client: httpx.AsyncClient
) -> None:
    url = type(settings.database_url)("postgresql://nobody@127.0.0.1:1/none")
    resources = Resources(settings.model_copy(update={"database_url": url}))
    token = client.cookies[COOKIE]
    async with browser(create(resources)) as other:
        assert (await refresh(other, token)).status_code == 503
    await resources.close()
    assert cookie_of(await refresh(client, token)) != token


async def test_the_first_password_needs_no_other_and_ends_other_sessions(
    resources: Resources, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    app = create(resources)
    async with browser(app) as here, browser(app) as elsewhere:
        bearer = {"authorization": f"Bearer {await sign_in(here, pool, person)}"}
        await sign_in(elsewhere, pool, person)
        short = await here.put("/v1/me/password", json={"password": "elevensigns"}, headers=bearer)
        assert short.status_code == 422
        assert short.json()["errors"][0]["pointer"] == "/password"
        answer = await here.put("/v1/me/password", json={"password": PASSWORD}, headers=bearer)
        assert answer.status_code == 204
        assert (await refresh(here)).status_code == 200
        assert (await refresh(elsewhere)).status_code == 401
        signed_in = await elsewhere.post(
            "/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD}
        )
        assert signed_in.status_code == 200


async def test_a_password_is_changed_only_by_who_knows_it(
    client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person
) -> None:
    signed_in = await client.post("/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD})
    bearer = {"authorization": f"Bearer {signed_in.json()['accessToken']}"}
    for current in (None, "wrong password"):
        answer = await client.put(
            "/v1/me/password", json={"password": "a new password", "currentPassword": current}, headers=bearer
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/currentPassword"
    changed = await client.put(
        "/v1/me/password", json={"password": "a new password", "currentPassword": PASSWORD}, headers=bearer
    )
    assert changed.status_code == 204
    old = await client.post("/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD})
    assert old.status_code == 401


async def test_whoever_comes_by_a_link_has_forgotten_the_password_and_sets_another(
    client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person, resources: Resources
) -> None:
    bearer = {"authorization": f"Bearer {await sign_in(client, pool, person)}"}
    redis = await resources.redis()
    families = await redis.smembers(f"weir:user-sessions:{person.id}")
    for family in families:
        await redis.hset(f"weir:session:{family}", "proved", "0")
    late = await client.put("/v1/me/password", json={"password": "a new password"}, headers=bearer)
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (403, "proof-needed")
    for family in families:
        await redis.hset(f"weir:session:{family}", "proved", str(int(time.time() * 1000)))
    changed = await client.put("/v1/me/password", json={"password": "a new password"}, headers=bearer)
    assert changed.status_code == 204


async def test_an_api_key_has_no_password(client: httpx.AsyncClient, project) -> None:
    answer = await client.put("/v1/me/password", json={"password": PASSWORD}, headers=project.headers)
    assert answer.status_code == 403


async def test_a_session_outlives_a_restart_of_redis(
    settings: Settings, pool: asyncpg.Pool, person: Person, tmp_path: Path
) -> None:
    server = RedisServer(tmp_path, None, durable=True)
    await asyncio.to_thread(server.start)
    resources = Resources(settings.model_copy(update={"redis_url": type(settings.redis_url)(server.url)}))
    try:
        async with browser(create(resources)) as client:
            await sign_in(client, pool, person)
            await asyncio.to_thread(server.stop)
            assert (await refresh(client)).status_code == 503
            await asyncio.to_thread(server.start)
            assert (await refresh(client)).status_code == 200
    finally:
        await resources.close()
        await asyncio.to_thread(server.stop)


async def test_a_user_who_was_removed_is_signed_out(
    client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person
) -> None:
    await pool.execute("DELETE FROM users WHERE id = $1", person.id)
    answer = await refresh(client)
    assert answer.status_code == 401
    assert "Max-Age=0" in answer.headers["set-cookie"]
