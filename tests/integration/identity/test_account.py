"""One's sessions, one's name, one's password."""

import httpx
import pytest
from asyncpg import Pool

from tests.integration.identity.conftest import PASSWORD, Account


async def sessions(account: Account) -> list[dict]:
    answer = await account.client.get("/v1/me/sessions")
    assert answer.json()["next"] is None
    return list(answer.json()["items"])


async def test_sessions_say_where_and_since_when(account: Account, elsewhere: httpx.AsyncClient) -> None:
    await account.sign_in(elsewhere)
    phone, here = await sessions(account)
    assert (phone["browser"], phone["isCurrent"], phone["how"]) == ("Safari 19 on iPhone", False, "password")
    assert (here["isCurrent"], here["address"]) == (True, "127.0.0.1")
    assert phone["startedAt"] == phone["lastUsedAt"]
    await account.client.post("/v1/auth/refresh")
    first, second = await sessions(account)
    assert (first["id"], second["id"]) == (here["id"], phone["id"])
    assert first["lastUsedAt"] > first["startedAt"]


async def test_a_session_is_ended_by_its_owner(
    account: Account, elsewhere: httpx.AsyncClient, pool: Pool
) -> None:
    await account.sign_in(elsewhere)
    phone, _ = await sessions(account)
    one = f"/v1/me/sessions/{phone['id']}"
    assert (await account.client.delete(one)).status_code == 204
    assert (await account.client.delete(one)).status_code == 404
    assert (await elsewhere.post("/v1/auth/refresh")).status_code == 401
    assert [one["isCurrent"] for one in await sessions(account)] == [True]
    assert (await account.actions(pool))[-1] == "session.ended"


async def test_nobody_ends_another_s_session(
    account: Account, elsewhere: httpx.AsyncClient, pool: Pool
) -> None:
    from tests.support.people import create_person, new_link

    stranger = await create_person(pool)
    theirs = (await elsewhere.post("/v1/auth/link", json={"token": await new_link(pool, stranger)})).json()
    bearer = {"authorization": f"Bearer {theirs['accessToken']}"}
    (found,) = (await elsewhere.get("/v1/me/sessions", headers=bearer)).json()["items"]
    assert (await account.client.delete(f"/v1/me/sessions/{found['id']}")).status_code == 404
    assert (await elsewhere.post("/v1/auth/refresh")).status_code == 200


@pytest.mark.parametrize(("query", "left"), [("?others=true", 1), ("", 0)])
async def test_signing_out_everywhere(
    account: Account, elsewhere: httpx.AsyncClient, query: str, left: int
) -> None:
    await account.sign_in(elsewhere)
    answer = await account.client.delete(f"/v1/me/sessions{query}")
    assert answer.json() == {"ended": 2 - left}
    assert (await elsewhere.post("/v1/auth/refresh")).status_code == 401
    assert (await account.client.post("/v1/auth/refresh")).status_code == (200 if left else 401)


async def test_with_another_password_no_link_from_before_signs_in(
    account: Account, elsewhere: httpx.AsyncClient, pool: Pool
) -> None:
    from tests.support.people import new_link

    token = await new_link(pool, account.person)
    body = {"password": "another battery, another staple", "currentPassword": PASSWORD}
    assert (await account.client.put("/v1/me/password", json=body)).status_code == 204
    assert (await elsewhere.post("/v1/auth/link", json={"token": token})).status_code == 401


async def test_a_session_that_ended_by_itself_is_not_listed(account: Account) -> None:
    redis = await account.resources.redis()
    await redis.sadd(f"weir:user-sessions:{account.person.id}", "gone")
    assert len(await sessions(account)) == 1
    assert not await redis.sismember(f"weir:user-sessions:{account.person.id}", "gone")


async def test_one_may_call_oneself_something_else(account: Account, pool: Pool) -> None:
    named = await account.client.put("/v1/me", json={"name": " Mara Lind "})
    assert named.json()["name"] == "Mara Lind"
    assert (await account.client.put("/v1/me", json={"name": "Mara Lind"})).status_code == 200
    assert (await account.client.put("/v1/me", json={"name": "  "})).status_code == 422
    assert (await account.actions(pool)).count("user.changed") == 1


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("Password2026!", "everybody tries first"),
        ("qwertyuiop12", "everybody tries first"),
        ("k7k7k7k7k7k7", "short piece repeated"),
        ("weir-ann-example", "what anybody knows"),
    ],
)
async def test_a_password_that_is_guessed_is_refused(account: Account, password: str, why: str) -> None:
    answer = await account.client.put(
        "/v1/me/password", json={"password": password, "currentPassword": PASSWORD}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/password"
    assert why in answer.json()["errors"][0]["detail"]
    assert password not in answer.text


async def test_with_redis_away_what_needs_it_says_when_to_come_again_and_heals(
    settings, pool: Pool, tmp_path
) -> None:
    import asyncio

    from cli.local.servers import RedisServer
    from functions.identity.app import create
    from shared.runtime.resources import Resources
    from tests.support.people import browser, create_person

    server = RedisServer(tmp_path, None, durable=True)
    await asyncio.to_thread(server.start)
    there = {"redis_url": type(settings.redis_url)(server.url), "public_url": "https://weir.example.org"}
    resources = Resources(settings.model_copy(update=there))
    person = await create_person(pool, password=PASSWORD)
    try:
        async with browser(create(resources), "https://weir.example.org") as client:
            account = Account(person, client, resources)
            account.hold((await account.sign_in()).json()["accessToken"])

            async def ask() -> list[httpx.Response]:
                return [
                    await account.client.post(
                        "/v1/auth/second-factor", json={"ticket": "t", "code": "000000"}
                    ),
                    await account.client.post("/v1/auth/passkey/options", json={}),
                    await account.client.post(
                        "/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD}
                    ),
                    await account.client.post("/v1/auth/refresh"),
                    await account.client.get("/v1/me/sessions"),
                    await account.client.get("/v1/me/credentials"),
                    await account.client.delete("/v1/me/sessions?others=true"),
                    await account.client.post("/v1/me/totp"),
                ]

            await asyncio.to_thread(server.stop)
            away = await ask()
            assert [(answer.status_code, "retry-after" in answer.headers) for answer in away] == [
                (503, True)
            ] * len(away)
            assert (await account.client.get("/v1/me")).status_code == 200
            await asyncio.to_thread(server.start)
            assert {answer.status_code for answer in await ask()} == {200, 401}
    finally:
        await resources.close()
        await asyncio.to_thread(server.stop)
