"""Passkeys: made, shown alone and as the second factor, refused, renamed, removed."""

import base64
from dataclasses import replace

import asyncpg
import httpx
import pytest

from functions.identity.app import create
from shared.runtime.resources import Resources
from tests.integration.identity.conftest import URL, Account
from tests.support.authenticator import PRESENT, Authenticator
from tests.support.people import browser, create_person, new_link


async def add(account: Account, name: str = "Laptop") -> tuple[Authenticator, dict]:
    made = Authenticator(URL)
    options = (await account.client.post("/v1/me/passkeys/options")).json()["publicKey"]
    answer = await account.client.post(
        "/v1/me/passkeys", json={"name": name, "credential": made.make(options)}
    )
    assert answer.status_code == 201, answer.text
    return made, answer.json()


async def ask(client: httpx.AsyncClient, ticket: str | None = None) -> dict:
    answer = await client.post("/v1/auth/passkey/options", json={"ticket": ticket})
    assert answer.status_code == 200, answer.text
    return answer.json()["publicKey"]


async def show(client: httpx.AsyncClient, credential: dict, ticket: str | None = None) -> httpx.Response:
    return await client.post("/v1/auth/passkey", json={"credential": credential, "ticket": ticket})


async def test_what_a_browser_is_asked(account: Account, elsewhere: httpx.AsyncClient) -> None:
    options = (await account.client.post("/v1/me/passkeys/options")).json()["publicKey"]
    assert options["rp"] == {"id": "weir.example.org", "name": "Weir"}
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert options["attestation"] == "none"
    shown = await ask(elsewhere)
    assert (shown["rpId"], shown["userVerification"]) == ("weir.example.org", "required")
    assert not shown.get("allowCredentials")


async def test_a_passkey_signs_in_alone(
    account: Account, elsewhere: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    key, added = await add(account)
    assert (added["name"], added["relyingParty"], len(added["recoveryCodes"])) == (
        "Laptop",
        "weir.example.org",
        10,
    )
    answer = await show(elsewhere, key.show(await ask(elsewhere)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["user"]["email"] == account.person.email
    assert (await elsewhere.post("/v1/auth/refresh")).status_code == 200
    row = await pool.fetchrow(
        "SELECT sign_count, last_used_at FROM passkeys WHERE id = $1::text::uuid", added["id"]
    )
    assert row["sign_count"] == 1
    assert row["last_used_at"] is not None
    assert {"passkey.added", "session.started"} <= set(await account.actions(pool))


async def test_a_passkey_is_the_second_factor_of_its_account_alone(
    account: Account, elsewhere: httpx.AsyncClient, https: Resources, pool: asyncpg.Pool
) -> None:
    key, _ = await add(account)
    step = (await account.sign_in(elsewhere)).json()
    assert step["factors"] == ["passkey", "recoveryCode"]
    options = await ask(elsewhere, step["ticket"])
    assert len(options["allowCredentials"]) == 1
    stranger = await create_person(pool)
    async with browser(create(https), URL) as other:
        token = (await other.post("/v1/auth/link", json={"token": await new_link(pool, stranger)})).json()
        other.headers["authorization"] = f"Bearer {token['accessToken']}"
        foreign, _ = await add(Account(stranger, other, https))
    refused = await show(elsewhere, foreign.show(await ask(elsewhere, step["ticket"])), step["ticket"])
    assert refused.status_code == 401
    assert (await show(elsewhere, key.show(options), step["ticket"])).status_code == 200
    assert (await show(elsewhere, key.show(await ask(elsewhere)), step["ticket"])).status_code == 401


async def test_what_is_shown_twice_is_refused(account: Account, elsewhere: httpx.AsyncClient) -> None:
    key, _ = await add(account)
    shown = key.show(await ask(elsewhere))
    assert (await show(elsewhere, shown)).status_code == 200
    assert (await show(elsewhere, shown)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example.org"},
        {"party": "example.org"},
        {"flags": PRESENT},
        {"user": b"another"},
        {"id": b"unknown"},
        {"count": -1},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_what_is_not_right_opens_nothing(
    account: Account, elsewhere: httpx.AsyncClient, wrong: dict
) -> None:
    key, _ = await add(account)
    assert (await show(elsewhere, key.show(await ask(elsewhere)))).status_code == 200
    refused = await show(elsewhere, replace(key, **wrong).show(await ask(elsewhere)))
    assert refused.status_code == 401
    assert refused.json()["detail"] == "This passkey opens no account here."
    assert "set-cookie" not in refused.headers


async def test_a_passkey_that_was_not_asked_for_is_not_taken(
    account: Account, elsewhere: httpx.AsyncClient
) -> None:
    options = (await account.client.post("/v1/me/passkeys/options")).json()["publicKey"]
    for made, asked in (
        (Authenticator("https://evil.example.org"), options),
        (Authenticator(URL, flags=PRESENT), options),
        (Authenticator(URL), {**options, "challenge": "AAAA"}),
    ):
        answer = await account.client.post(
            "/v1/me/passkeys", json={"name": "x", "credential": made.make(asked)}
        )
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/credential")
    assert (await account.client.get("/v1/me/credentials")).json()["passkeys"] == []


async def test_what_is_no_client_data_is_refused(account: Account, elsewhere: httpx.AsyncClient) -> None:
    key, _ = await add(account)
    shown = key.show(await ask(elsewhere))
    for text in ("[" * 20_000, "[]", '{"challenge": 1}', "\0"):
        data = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        forged = {**shown, "response": {**shown["response"], "clientDataJSON": data}}
        assert (await show(elsewhere, forged)).status_code == 401, text[:20]
        made = {"attestationObject": "AAAA", "clientDataJSON": data}
        body = {"name": "Forged", "credential": {**forged, "response": made}}
        assert (await account.client.post("/v1/me/passkeys", json=body)).status_code == 422, text[:20]


async def test_passkeys_have_names_and_go(
    account: Account, elsewhere: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    first, added = await add(account)
    second, other = await add(account, "Phone")
    assert other["recoveryCodes"] is None
    one = f"/v1/me/passkeys/{added['id']}"
    assert (await account.client.put(one, json={"name": "Old laptop"})).status_code == 204
    found = (await account.client.get("/v1/me/credentials")).json()
    assert [key["name"] for key in found["passkeys"]] == ["Old laptop", "Phone"]
    assert (found["passkeysWorkHere"], found["proofWays"]) == (True, ["passkey", "password", "code"])
    assert (await account.client.delete(one)).status_code == 204
    assert (await account.client.delete(one)).status_code == 404
    assert (await show(elsewhere, first.show(await ask(elsewhere)))).status_code == 401
    assert (await account.client.delete(f"/v1/me/passkeys/{other['id']}")).status_code == 204
    assert "accessToken" in (await account.sign_in(elsewhere)).json()
    assert (await account.actions(pool)).count("passkey.removed") == 2
    assert second is not first


async def test_a_passkey_proves_who_is_there(account: Account) -> None:
    key, _ = await add(account)
    await account.age_proof()
    shown = key.show(await ask(account.client))
    assert (await account.client.post("/v1/me/proof", json={"passkey": shown})).status_code == 200
    # Whoever has proved it without the password may have forgotten it.
    changed = await account.client.put("/v1/me/password", json={"password": "a new password"})
    assert changed.status_code == 204


async def test_an_address_has_no_passkeys(resources: Resources, pool: asyncpg.Pool) -> None:
    """A browser makes none at 127.0.0.1, and does at localhost."""
    async with browser(create(resources)) as client:
        refused = await client.post("/v1/auth/passkey/options", json={})
        assert refused.status_code == 409
        assert "localhost" in refused.json()["detail"]
    async with browser(create(resources), "http://localhost:8480") as client:
        assert (await ask(client))["rpId"] == "localhost"


async def test_a_page_that_reads_from_its_own_host_says_no_origin(account: Account) -> None:
    del account.client.headers["origin"]
    assert (await account.client.get("/v1/me/credentials")).json()["passkeysWorkHere"] is True
    account.client.headers["sec-fetch-site"] = "none"
    assert (await account.client.get("/v1/me/credentials")).json()["passkeysWorkHere"] is False
