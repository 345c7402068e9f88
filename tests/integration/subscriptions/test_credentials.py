"""Secrets of subscriptions come in, are kept where that is safe, and never come out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from shared.auth.sink_secrets import open_credentials
from shared.runtime.settings import Settings
from tests.support.certificates import authority

SINK = "https://example.com/events"
SECRETS = ("tok-1", "pass-1", "val-1", "cli-1")
KINDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "bearer", "token": "tok-1"}, {"type": "bearer"}),
    (
        {"type": "basic", "username": "weir", "password": "pass-1"},
        {"type": "basic", "username": "weir"},
    ),
    ({"type": "header", "name": "X-Key", "value": "val-1"}, {"type": "header", "name": "X-Key"}),
    (
        {"type": "oauth2", "tokenUrl": "https://id.example/t", "clientId": "c", "clientSecret": "cli-1"},
        {
            "type": "oauth2",
            "tokenUrl": "https://id.example/t",
            "clientId": "c",
            "scope": None,
            "audience": None,
            "clientAuthentication": "basic",
        },
    ),
]


async def secrets_of(pool: asyncpg.Pool, settings: Settings, identity: str) -> dict[str, str]:
    row = await pool.fetchrow("SELECT id, credentials_sealed FROM subscriptions WHERE id = $1", identity)
    return open_credentials(settings.sealing, row["id"], row["credentials_sealed"])


@pytest.mark.parametrize(("auth", "seen"), KINDS)
async def test_a_secret_is_sealed_and_never_shown(
    client: httpx.AsyncClient,
    pool: asyncpg.Pool,
    settings: Settings,
    auth: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    answer = await client.post("/subscriptions", json={"sink": SINK, "auth": auth})
    assert answer.status_code == 201
    made = answer.json()
    assert made["auth"] == seen
    listed = (await client.get("/subscriptions")).text
    assert not any(secret in answer.text + listed for secret in SECRETS)
    (secret,) = (await secrets_of(pool, settings, made["id"])).values()
    assert secret in SECRETS
    rows = await pool.fetch("SELECT * FROM subscriptions")
    assert secret not in str([dict(row) for row in rows])


@pytest.mark.parametrize(("auth", "seen"), KINDS)
async def test_what_was_read_can_be_sent_back_and_keeps_the_secret(
    client: httpx.AsyncClient,
    pool: asyncpg.Pool,
    settings: Settings,
    auth: dict[str, Any],
    seen: dict[str, Any],
) -> None:
    made = (await client.post("/subscriptions", json={"sink": SINK, "auth": auth})).json()
    before = await secrets_of(pool, settings, made["id"])
    for body in (made, {"sink": f"{SINK}/other"}, {"sink": SINK, "auth": seen}):
        answer = await client.put(f"/subscriptions/{made['id']}", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["auth"] == seen
        assert await secrets_of(pool, settings, made["id"]) == before
    answer = await client.put(f"/subscriptions/{made['id']}", json={"sink": SINK, "auth": None})
    assert answer.json()["auth"] is None
    assert await secrets_of(pool, settings, made["id"]) == {}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"auth": {"type": "basic", "username": "other"}}, "/auth/password"),
        ({"auth": {"type": "bearer"}}, "/auth/token"),
        ({"sink": "https://evil.example/"}, "/auth"),
        ({"sink": "http://example.com/events"}, "/auth"),
        ({"sink": "https://example.com:8443/events"}, "/auth"),
        ({"sink": "https://evil.example/", "auth": {"type": "basic", "username": "weir"}}, "/auth/password"),
        ({"sink": "env:K_SINK"}, "/auth"),
    ],
)
async def test_a_secret_is_not_kept_for_somebody_else(
    client: httpx.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    auth = {"type": "basic", "username": "weir", "password": "pass-1"}
    made = (await client.post("/subscriptions", json={"sink": SINK, "auth": auth})).json()
    answer = await client.put(f"/subscriptions/{made['id']}", json={"sink": SINK, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await client.get(f"/subscriptions/{made['id']}")).json() == made


async def test_a_secret_given_anew_may_go_anywhere(client: httpx.AsyncClient) -> None:
    auth = {"type": "bearer", "token": "tok-1"}
    made = (await client.post("/subscriptions", json={"sink": SINK, "auth": auth})).json()
    moved = {"sink": "https://elsewhere.example/", "auth": {"type": "bearer", "token": "tok-2"}}
    assert (await client.put(f"/subscriptions/{made['id']}", json=moved)).status_code == 200


async def test_every_fault_is_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/subscriptions",
        json={
            "sink": SINK,
            "auth": {"type": "oauth2", "tokenUrl": "x"},
            "tls": {"privateKey": 5},
            "transform": {"jsonata": ""},
            "delivery": {"headers": {"Host": "a"}},
        },
    )
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/auth/tokenUrl",
        "/auth/clientId",
        "/tls/privateKey",
        "/tls/certificate",
        "/transform/jsonata",
        "/delivery/headers/Host",
    }


async def test_a_new_credential_needs_its_secret(client: httpx.AsyncClient) -> None:
    answer = await client.post("/subscriptions", json={"sink": SINK, "auth": {"type": "bearer"}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/auth/token"


@pytest.mark.parametrize(
    ("auth", "name"),
    [
        ({"type": "bearer", "token": "a"}, "Authorization"),
        ({"type": "header", "name": "x-key", "value": "a"}, "X-Key"),
    ],
)
async def test_a_header_is_set_in_one_place(
    client: httpx.AsyncClient, auth: dict[str, Any], name: str
) -> None:
    body = {"sink": SINK, "auth": auth, "delivery": {"headers": {name: "x"}}}
    answer = await client.post("/subscriptions", json=body)
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/delivery/headers/{name}"]


async def test_a_certificate_shows_whom_it_names_and_keeps_its_key(
    client: httpx.AsyncClient, pool: asyncpg.Pool, settings: Settings
) -> None:
    certificate, key = authority().certificate("weir")
    tls = {"certificate": certificate, "privateKey": key, "ca": authority().pem}
    answer = await client.post("/subscriptions", json={"sink": SINK, "tls": tls})
    assert answer.status_code == 201
    made = answer.json()
    assert made["tls"]["subject"] == "CN=weir"
    assert datetime.fromisoformat(made["tls"]["expiresAt"]) > datetime.now(UTC)
    assert "PRIVATE" not in answer.text
    for body in (
        made,
        {"sink": "https://elsewhere.example/"},
        {"sink": SINK, "tls": {"certificate": certificate}},
    ):
        answer = await client.put(f"/subscriptions/{made['id']}", json=body)
        assert answer.status_code == 200, answer.text
        assert await secrets_of(pool, settings, made["id"]) == {"privateKey": key}
    other, other_key = authority().certificate("other")
    answer = await client.put(
        f"/subscriptions/{made['id']}", json={"sink": SINK, "tls": {"certificate": other}}
    )
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/tls/privateKey"]
    new = {"certificate": other, "privateKey": other_key}
    answer = await client.put(f"/subscriptions/{made['id']}", json={"sink": SINK, "tls": new})
    assert answer.json()["tls"]["subject"] == "CN=other"
    answer = await client.put(f"/subscriptions/{made['id']}", json={"sink": SINK, "tls": None})
    assert answer.json()["tls"] is None
    assert await secrets_of(pool, settings, made["id"]) == {}


async def test_a_certificate_that_cannot_be_used_is_refused(client: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    certificate, key = authority().certificate("a")
    expired, expired_key = authority().certificate("a", now - timedelta(days=9), now - timedelta(days=1))
    for tls, pointer in (
        ({"certificate": certificate, "privateKey": authority().certificate("b")[1]}, "/tls/privateKey"),
        ({"certificate": expired, "privateKey": expired_key}, "/tls/certificate"),
        ({"certificate": "x", "privateKey": key}, "/tls/certificate"),
        ({"certificate": certificate, "privateKey": "x"}, "/tls/privateKey"),
        ({"certificate": certificate}, "/tls/privateKey"),
        ({"ca": "x"}, "/tls/ca"),
        ({}, "/tls"),
    ):
        answer = await client.post("/subscriptions", json={"sink": SINK, "tls": tls})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_the_sink_may_be_the_environments(client: httpx.AsyncClient) -> None:
    made = (await client.post("/subscriptions", json={"sink": "env:K_SINK"})).json()
    assert (made["sink"], made["name"]) == ("env:K_SINK", "sink")
    assert (await client.post("/subscriptions", json={"sink": "env:HOME"})).status_code == 422
