"""Links, passwords, and what a browser gets for them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import jwt
import pytest

from functions.identity.app import create
from functions.identity.cookie import DEVICE_COOKIE
from functions.identity.passwords.hashing import Passwords
from functions.identity.throttle import Throttle
from shared.cache.windows import Limit, LocalCounter
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support.people import Person, browser, create_person, new_link
from tests.support.projects import Project

PASSWORD = "correct horse battery"


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(create(resources)) as opened:
        yield opened


@pytest.fixture
async def without_redis(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The same deployment with nobody at Redis' address."""
    resources = Resources(
        settings.model_copy(update={"redis_url": type(settings.redis_url)("redis://127.0.0.1:1/0")})
    )
    async with browser(create(resources)) as opened:
        yield opened
    await resources.close()


async def test_a_link_signs_in_once(client: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    person = await create_person(pool)
    token = await new_link(pool, person)
    first = await client.post("/v1/auth/link", json={"token": token})
    again = await client.post("/v1/auth/link", json={"token": token})
    assert first.status_code == 200
    assert first.json()["user"] == {
        "id": str(person.id),
        "email": person.email,
        "name": "Ann Example",
        "hasPassword": False,
    }
    expires_at = datetime.fromisoformat(first.json()["expiresAt"])
    assert timedelta(minutes=9) < expires_at - datetime.now(UTC) <= timedelta(minutes=10)
    assert again.status_code == 401
    assert again.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in again.headers


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    token = await new_link(pool, await create_person(pool))
    cookie = (await client.post("/v1/auth/link", json={"token": token})).headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/v1/auth"} <= parts
    assert "secure" not in parts  # the address is http


async def test_the_cookie_is_secure_behind_https(settings: Settings, pool: asyncpg.Pool) -> None:
    url = "https://weir.example.org"
    resources = Resources(settings.model_copy(update={"public_url": url}))
    token = await new_link(pool, await create_person(pool))
    async with browser(create(resources), url) as client:
        answer = await client.post("/v1/auth/link", json={"token": token})
    await resources.close()
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_a_link_used_many_times_at_once_gives_one_session(
    resources: Resources, client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    token = await new_link(pool, person)
    answers = await asyncio.gather(*(client.post("/v1/auth/link", json={"token": token}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    redis = await resources.redis()
    assert await redis.scard(f"weir:user-sessions:{person.id}") == 1


@pytest.mark.parametrize("token", ["", "x" * 201, "unknown", "\u0000", "é" * 43])
async def test_a_token_that_is_none_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post("/v1/auth/link", json={"token": token})
    assert answer.status_code in {401, 422}


async def test_a_link_ends_after_fifteen_minutes(client: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    person = await create_person(pool)
    token = await new_link(pool, person)
    await pool.execute(
        "UPDATE sign_in_links SET expires_at = expires_at - interval '15 minutes' WHERE user_id = $1",
        person.id,
    )
    assert (await client.post("/v1/auth/link", json={"token": token})).status_code == 401


async def test_without_redis_a_link_stays_good(
    client: httpx.AsyncClient, without_redis: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    token = await new_link(pool, await create_person(pool))
    refused = await without_redis.post("/v1/auth/link", json={"token": token})
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert (await client.post("/v1/auth/link", json={"token": token})).status_code == 200


async def test_a_password_signs_in_and_is_hashed_anew_with_todays_parameters(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)
    answer = await client.post(
        "/v1/auth/sign-in", json={"email": f" {person.email.upper()} ", "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert answer.json()["user"]["hasPassword"] is True
    password_hash = await pool.fetchval("SELECT password_hash FROM users WHERE id = $1", person.id)
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    again = await client.post("/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD})
    assert again.status_code == 200


async def test_an_unknown_account_and_a_wrong_password_answer_the_same(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    with_password = await create_person(pool, password=PASSWORD)
    without = await create_person(pool)
    answers = [
        await client.post("/v1/auth/sign-in", json={"email": email, "password": "another password"})
        for email in (with_password.email, without.email, "nobody@example.org", "nul\u0000@example.org")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_the_eleventh_wrong_password_is_not_heard_and_a_right_one_resets(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)

    async def attempt(password: str) -> httpx.Response:
        return await client.post("/v1/auth/sign-in", json={"email": person.email, "password": password})

    for _ in range(9):
        assert (await attempt("wrong password")).status_code == 401
    assert (await attempt(PASSWORD)).status_code == 200
    for _ in range(10):
        assert (await attempt("wrong password")).status_code == 401
    refused = await attempt(PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300


async def test_without_redis_tries_are_counted_all_the_same(
    without_redis: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)
    statuses = [
        (
            await without_redis.post(
                "/v1/auth/sign-in", json={"email": person.email, "password": "wrong password"}
            )
        ).status_code
        for _ in range(11)
    ]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["link", "sign-in", "refresh", "sign-out"])
async def test_another_sites_page_is_refused(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    body = {"link": {"token": "t"}, "sign-in": {"email": "a@b", "password": "p"}}.get(path)
    answer = await client.post(f"/v1/auth/{path}", json=body, headers=headers)
    assert answer.status_code == 403


async def test_a_client_that_is_no_browser_may_sign_in(resources: Resources, pool: asyncpg.Pool) -> None:
    token = await new_link(pool, await create_person(pool))
    transport = httpx.ASGITransport(app=create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://elsewhere:1") as client:
        assert (await client.post("/v1/auth/link", json={"token": token})).status_code == 200


async def test_the_published_keys_verify_the_access_token(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings
) -> None:
    person = await create_person(pool)
    answer = await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})
    token = answer.json()["accessToken"]
    published = await client.get("/.well-known/jwks.json")
    assert "max-age" in published.headers["cache-control"]
    assert all("d" not in key for key in published.json()["keys"])
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(published.json())[kid]
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="weir", issuer=settings.public_url)
    assert claims["sub"] == str(person.id)
    assert claims["exp"] - claims["iat"] == 600


async def test_me_names_projects_and_permissions(
    client: httpx.AsyncClient, pool: asyncpg.Pool, project: Project
) -> None:
    person = await create_person(pool, roles={project.id: "viewer"})
    session = (await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})).json()
    bearer = {"authorization": f"Bearer {session['accessToken']}"}
    me = (await client.get("/v1/me", headers=bearer)).json()
    assert me["user"] == session["user"]
    assert me["projects"] == [
        {
            "name": project.name,
            "role": "viewer",
            "permissions": [
                "deliveries:read",
                "events:read",
                "members:read",
                "producers:read",
                "projects:read",
                "sources:read",
                "subscriptions:read",
                "types:read",
            ],
        }
    ]
    assert (await client.get("/v1/me", headers=project.headers)).status_code == 403
    await pool.execute("DELETE FROM users WHERE id = $1", person.id)
    assert (await client.get("/v1/me", headers=bearer)).status_code == 401


async def spend(resources: Resources, person: Person) -> list[int]:
    """Try passwords of an account from as many addresses as it takes."""
    redis = await resources.redis()
    throttle = Throttle()
    return [
        await throttle.password(redis, person.email, f"10.0.{n // 250}.{n % 250}", None) for n in range(201)
    ]


async def test_passwords_tried_by_many_addresses_are_counted_for_the_account(
    resources: Resources, client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)
    waits = await spend(resources, person)
    assert waits[:200] == [0] * 200
    assert 0 < waits[200] <= 3600
    answer = await client.post("/v1/auth/sign-in", json={"email": person.email, "password": PASSWORD})
    assert answer.status_code == 429
    link = await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})
    assert link.status_code == 200


async def test_tries_from_elsewhere_do_not_keep_the_owner_out_of_a_device_that_is_known(
    resources: Resources, client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool, password=PASSWORD)
    body = {"email": person.email, "password": PASSWORD}
    first = await client.post("/v1/auth/sign-in", json=body)
    kept = next(c for c in first.headers.get_list("set-cookie") if c.startswith(DEVICE_COOKIE))
    parts = {part.strip().lower() for part in kept.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/v1/auth"} <= parts
    assert person.email not in kept
    await spend(resources, person)
    async with browser(create(resources)) as stranger:
        assert (await stranger.post("/v1/auth/sign-in", json=body)).status_code == 429
        # A cookie that somebody made up, or has from another account, makes nobody known.
        other = await create_person(pool, password=PASSWORD)
        await stranger.post("/v1/auth/sign-in", json={"email": other.email, "password": PASSWORD})
        assert (await stranger.post("/v1/auth/sign-in", json=body)).status_code == 429
    assert (await client.post("/v1/auth/sign-in", json=body)).status_code == 200
    wrong = [await client.post("/v1/auth/sign-in", json={**body, "password": "wrong"}) for _ in range(11)]
    assert [answer.status_code for answer in wrong] == [401] * 10 + [429]


async def test_one_password_for_many_accounts_is_counted_for_the_address(
    resources: Resources, pool: asyncpg.Pool
) -> None:
    """Of IPv6, for the line: its addresses are as many as its user likes."""
    app, person = create(resources), await create_person(pool, password=PASSWORD)

    async def attempt(n: int, email: str, password: str) -> int:
        async with browser(app, address=f"2001:db8:5:6::{n:x}") as client:
            body = {"email": email, "password": password}
            return (await client.post("/v1/auth/sign-in", json=body)).status_code

    right = [await attempt(n, person.email, PASSWORD) for n in range(3)]
    tried = [await attempt(n, f"{n}@example.org", "spring flowers") for n in range(101)]
    assert (right, tried) == ([200] * 3, [401] * 100 + [429])


async def test_the_same_work_is_done_for_whoever_is_not_here(
    resources: Resources, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the time is argon2: it runs once, with today's parameters, whatever is wrong."""
    from argon2 import PasswordHasher

    with_password = await create_person(pool)
    await pool.execute(
        "UPDATE users SET password_hash = $2 WHERE id = $1",
        with_password.id,
        await Passwords().hash(PASSWORD),
    )
    without = await create_person(pool)
    await Passwords().verify(None, "warm")
    done: list[str] = []
    verify = PasswordHasher.verify

    def watched(self, kept, password):
        done.append(str(kept).rpartition("$")[0].rpartition("$")[0])
        return verify(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    work = []
    for email in (with_password.email, without.email, "nobody@example.org", "nul\u0000@example.org"):
        done.clear()
        async with browser(create(resources), address="198.51.100.8") as client:
            body = {"email": email, "password": "another password"}
            answer = await client.post("/v1/auth/sign-in", json=body)
        assert answer.status_code == 401
        work.append(list(done))
    assert work == [["$argon2id$v=19$m=19456,t=2,p=1"]] * 4


async def test_a_local_count_starts_again_when_its_window_ends() -> None:
    counter = LocalCounter(clock=lambda: now)
    limit = Limit("pair", 2, 60)
    now = 1000.0
    assert [counter.count("a", limit) for _ in range(4)] == [0, 0, 61, 61]
    assert counter.count("b", limit) == 0
    now += 61
    assert counter.count("a", limit) == 0
    counter.forget("a")
    assert [counter.count("a", limit) for _ in range(2)] == [0, 0]


CONSOLE = "https://console.example.org"


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A deployment at api.example.org that lets in the pages of one console; asked by those."""
    there = {"public_url": "https://api.example.org", "console_origins": (CONSOLE,)}
    resources = Resources(settings.model_copy(update=there))
    async with browser(create(resources), "https://api.example.org") as opened:
        opened.headers.update({"origin": CONSOLE, "sec-fetch-site": "cross-site"})
        yield opened
    await resources.close()


async def test_the_console_at_another_origin_signs_in(api: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    token = await new_link(pool, await create_person(pool))
    answer = await api.post("/v1/auth/link", json={"token": token})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert (await api.post("/v1/auth/refresh")).status_code == 200
    assert (await api.post("/v1/auth/sign-out")).status_code == 204


@pytest.mark.parametrize(
    "origin",
    [
        "https://console.example.org.evil.example",
        "https://evil.example",
        "http://console.example.org",
        "https://console.example.org:8443",
        "https://CONSOLE.example.org",
        "https://sibling.example.org",
        "http://[",
        "null",
    ],
)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_other_origin_uses_the_cookie(
    api: httpx.AsyncClient, pool: asyncpg.Pool, origin: str, site: str
) -> None:
    await api.post("/v1/auth/link", json={"token": await new_link(pool, await create_person(pool))})
    for path in ("refresh", "sign-out"):
        answer = await api.post(f"/v1/auth/{path}", headers={"origin": origin, "sec-fetch-site": site})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers
    assert (await api.post("/v1/auth/refresh")).status_code == 200


async def test_the_cookie_for_another_site_is_partitioned(
    settings: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIR_COOKIE_SAME_SITE", "none")
    with pytest.raises(ValueError, match="WEIR_PUBLIC_URL"):
        create(Resources(settings))
    url = "https://api.example.org"
    resources = Resources(settings.model_copy(update={"public_url": url}))
    token = await new_link(pool, await create_person(pool))
    async with browser(create(resources), url) as client:
        kept = (await client.post("/v1/auth/link", json={"token": token})).headers["set-cookie"]
        removed = (await client.post("/v1/auth/sign-out")).headers["set-cookie"]
    await resources.close()
    for header in (kept, removed):  # a browser removes a cookie only by the attributes that it has
        assert {"samesite=none", "secure", "httponly", "partitioned", "path=/v1/auth"} <= {
            part.strip().lower() for part in header.split(";")
        }


async def test_the_keys_are_for_every_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/jwks.json", headers={"origin": "https://anywhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
