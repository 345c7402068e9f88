"""An authenticator's codes and recovery codes: set up, asked for, used up, put away."""

import asyncio
import re
import time
from base64 import b32decode
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx

from functions.identity.second_factor.totp import STEP_SECONDS, code_at
from functions.identity.throttle import RENEWED, Throttle
from shared.runtime.resources import Resources
from tests.integration.identity.conftest import PASSWORD, Account

FULL_WIDTH = "".join(chr(0xFF10 + digit) for digit in range(1, 7))


def code_of(secret: str, steps: int = 0) -> str:
    raw = b32decode(secret + "=" * (-len(secret) % 8))
    return code_at(raw, int(time.time() // STEP_SECONDS) + steps)


async def set_up(account: Account) -> tuple[str, list[str]]:
    """The secret of the authenticator, and the recovery codes."""
    made = (await account.client.post("/v1/me/totp")).json()
    confirmed = await account.client.put("/v1/me/totp", json={"code": code_of(made["secret"], -1)})
    assert confirmed.status_code == 200, confirmed.text
    return made["secret"], confirmed.json()["recoveryCodes"]


async def first_step(account: Account, client: httpx.AsyncClient) -> dict:
    answer = await account.sign_in(client)
    assert "set-cookie" not in answer.headers
    assert answer.json()["next"] == "secondFactor"
    return answer.json()


async def show(client: httpx.AsyncClient, ticket: str, code: str) -> httpx.Response:
    return await client.post("/v1/auth/second-factor", json={"ticket": ticket, "code": code})


async def test_codes_are_asked_for_once_a_code_was_shown(
    account: Account, elsewhere: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    made = (await account.client.post("/v1/me/totp")).json()
    uri = urlsplit(made["uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [made["secret"]], "issuer": ["Weir weir.example.org"]}
    assert "accessToken" in (await account.sign_in(elsewhere)).json()
    wrong = await account.client.put("/v1/me/totp", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/code")
    right = await account.client.put("/v1/me/totp", json={"code": code_of(made["secret"], -1)})
    codes = right.json()["recoveryCodes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", code) for code in codes)
    step = await first_step(account, elsewhere)
    assert step["factors"] == ["totp", "recoveryCode"]
    done = await show(elsewhere, step["ticket"], code_of(made["secret"]))
    assert done.status_code == 200
    assert done.json()["user"]["email"] == account.person.email
    assert (await elsewhere.post("/v1/auth/refresh")).status_code == 200
    assert (await show(elsewhere, step["ticket"], code_of(made["secret"], 1))).status_code == 401
    assert (await account.client.post("/v1/me/totp")).status_code == 409
    assert "totp.added" in await account.actions(pool)


async def test_a_code_works_once(account: Account, elsewhere: httpx.AsyncClient) -> None:
    secret, _ = await set_up(account)
    code = code_of(secret)
    tickets = [(await first_step(account, elsewhere))["ticket"] for _ in range(3)]
    answers = await asyncio.gather(*(show(elsewhere, ticket, code) for ticket in tickets))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422]


async def test_a_code_of_the_set_up_is_used_up(account: Account, elsewhere: httpx.AsyncClient) -> None:
    made = (await account.client.post("/v1/me/totp")).json()
    code = code_of(made["secret"])
    assert (await account.client.put("/v1/me/totp", json={"code": code})).status_code == 200
    step = await first_step(account, elsewhere)
    assert (await show(elsewhere, step["ticket"], code)).status_code == 422


async def test_digits_of_other_scripts_are_no_code(account: Account, elsewhere: httpx.AsyncClient) -> None:
    """They are digits to a pattern, and no ASCII to what compares."""
    await account.client.post("/v1/me/totp")
    for code in (FULL_WIDTH, "\xc4\xd6\xdc\xe4\xf6\xfc"):
        assert (await account.client.put("/v1/me/totp", json={"code": code})).status_code == 422
    await set_up(account)
    ticket = (await first_step(account, elsewhere))["ticket"]
    assert (await show(elsewhere, ticket, FULL_WIDTH)).status_code == 422


async def test_a_recovery_code_works_once_however_it_is_typed_and_its_owner_is_told(
    account: Account, elsewhere: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    _, codes = await set_up(account)
    typed = codes[3].replace("-", " ").upper()
    step = await first_step(account, elsewhere)
    assert (await show(elsewhere, step["ticket"], typed)).status_code == 200
    again = await first_step(account, elsewhere)
    assert (await show(elsewhere, again["ticket"], typed)).status_code == 422
    me = (await account.client.get("/v1/me")).json()
    assert [notice["kind"] for notice in me["notices"]] == ["recoveryCodeUsed"]
    assert me["notices"][0]["browser"] == "Safari 19 on iPhone"
    credentials = (await account.client.get("/v1/me/credentials")).json()
    assert credentials["recoveryCodesLeft"] == 9
    kept = await pool.fetch("SELECT code_hash FROM recovery_codes WHERE user_id = $1", account.person.id)
    assert not any(code.replace("-", "").encode() in row["code_hash"] for code in codes for row in kept)


async def test_new_recovery_codes_void_the_old_ones(account: Account, elsewhere: httpx.AsyncClient) -> None:
    assert (await account.client.post("/v1/me/recovery-codes")).status_code == 409
    _, codes = await set_up(account)
    renewed = (await account.client.post("/v1/me/recovery-codes")).json()["recoveryCodes"]
    step = await first_step(account, elsewhere)
    assert (await show(elsewhere, step["ticket"], codes[0])).status_code == 422
    assert (await show(elsewhere, step["ticket"], renewed[0])).status_code == 200


async def test_sets_of_recovery_codes_are_counted(account: Account) -> None:
    """Ten hashes each: one account could keep everybody else from signing in."""
    await set_up(account)
    answers = [
        (await account.client.post("/v1/me/recovery-codes")).status_code for _ in range(RENEWED.tries + 1)
    ]
    assert answers == [*[200] * RENEWED.tries, 429]


async def test_codes_that_are_tried_are_counted_and_told_of(
    account: Account, elsewhere: httpx.AsyncClient
) -> None:
    secret, codes = await set_up(account)
    step = await first_step(account, elsewhere)
    statuses = [(await show(elsewhere, step["ticket"], "000000")).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert (await show(elsewhere, step["ticket"], codes[0])).status_code == 429
    me = (await account.client.get("/v1/me")).json()
    assert [notice["kind"] for notice in me["notices"]] == ["codesTried"]
    # Its owner, at a device that is known, is not kept out.
    known = await first_step(account, account.client)
    assert (await show(account.client, known["ticket"], code_of(secret, 1))).status_code == 200


async def test_codes_tried_from_many_addresses_are_counted_for_the_account(https: Resources) -> None:
    redis, throttle = await https.redis(), Throttle()
    waits = [await throttle.code(redis, "tried@example.org", f"10.1.0.{n}", None) for n in range(31)]
    assert waits[:30] == [0] * 30
    assert 0 < waits[30] <= 24 * 3600


async def test_a_link_stands_for_the_password_alone(
    account: Account, elsewhere: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    from tests.support.people import new_link

    secret, _ = await set_up(account)
    token = await new_link(pool, account.person)
    entered = await elsewhere.post("/v1/auth/link", json={"token": token})
    assert entered.json()["next"] == "secondFactor"
    assert (await elsewhere.post("/v1/auth/link", json={"token": token})).status_code == 401
    assert (await show(elsewhere, entered.json()["ticket"], code_of(secret))).status_code == 200


async def test_a_ticket_ends(account: Account, elsewhere: httpx.AsyncClient) -> None:
    await set_up(account)
    step = await first_step(account, elsewhere)
    redis = await account.resources.redis()
    keys = await redis.keys("weir:step:*")
    # One that another test has left may end just now: -2 is gone, -1 for ever.
    assert all([await redis.ttl(key) in {-2, *range(301)} for key in keys])
    assert step["ticket"] not in str(keys)
    await redis.delete(*keys)
    assert (await show(elsewhere, step["ticket"], "000000")).status_code == 401
    assert (await show(elsewhere, "made-up", "000000")).status_code == 401


async def test_without_it_the_recovery_codes_go_too(account: Account, elsewhere: httpx.AsyncClient) -> None:
    await set_up(account)
    assert (await account.client.delete("/v1/me/totp")).status_code == 204
    assert (await account.client.delete("/v1/me/totp")).status_code == 404
    assert "accessToken" in (await account.sign_in(elsewhere)).json()
    assert (await account.client.get("/v1/me/credentials")).json()["recoveryCodesLeft"] == 0


async def test_the_secret_is_sealed(account: Account, pool: asyncpg.Pool) -> None:
    secret, _ = await set_up(account)
    sealed = await pool.fetchval(
        "SELECT secret_sealed FROM totp_secrets WHERE user_id = $1", account.person.id
    )
    assert b32decode(secret + "=" * (-len(secret) % 8)) not in sealed
    log = await pool.fetch("SELECT before, after FROM audit WHERE thing_name = $1", account.person.email)
    assert secret not in str(log)


async def test_what_changes_the_ways_in_asks_for_a_proof_of_all_of_them(account: Account) -> None:
    secret, codes = await set_up(account)
    await account.age_proof()
    me = account.client
    refused = [
        await me.post("/v1/me/totp"),
        await me.put("/v1/me/totp", json={"code": "000000"}),
        await me.delete("/v1/me/totp"),
        await me.post("/v1/me/recovery-codes"),
        await me.post("/v1/me/passkeys/options"),
        await me.delete("/v1/me/passkeys/00000000-0000-0000-0000-000000000000"),
        await me.delete("/v1/me/sessions"),
        await me.delete("/v1/me/sessions/another"),
        await me.put("/v1/me/password", json={"password": "a new password", "currentPassword": PASSWORD}),
    ]
    assert [(answer.status_code, answer.json()["type"].rpartition("/")[2]) for answer in refused] == [
        (403, "proof-needed")
    ] * len(refused)
    credentials = (await me.get("/v1/me/credentials")).json()
    assert (credentials["proofUntil"], credentials["proofWays"]) == (None, ["password", "code"])
    for proof, pointer in (
        ({}, "/password"),
        ({"password": "wrong password"}, "/password"),
        ({"password": PASSWORD}, "/code"),
        ({"password": PASSWORD, "code": "000000"}, "/code"),
        ({"code": codes[0]}, "/password"),
    ):
        answer = await me.post("/v1/me/proof", json=proof)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), proof
    given = await me.post("/v1/me/proof", json={"password": PASSWORD, "code": code_of(secret)})
    assert given.status_code == 200
    assert (await me.get("/v1/me/credentials")).json()["proofUntil"] is not None
    assert (await me.delete("/v1/me/totp")).status_code == 204
