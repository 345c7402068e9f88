"""Tokens of an OIDC issuer as a producer's credential."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.ingest import callers
from shared.auth import issuers
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.integration.ingest.conftest import HEADERS, Door
from tests.support.issuer import Issuer, new_key
from tests.support.projects import create_producer, create_project


@pytest.fixture
async def issuer(door: Door, pool: asyncpg.Pool) -> AsyncIterator[Issuer]:
    """An issuer whose tokens are a credential of the project's producer `shop`."""
    async with Issuer() as running:
        await create_producer(
            pool,
            door.project.id,
            sources=["/shop*"],
            issuer=running.url,
            audience=running.audience,
            subject="system:serviceaccount:shop:*",
        )
        yield running


async def send(door: Door, token: str, project: str | None = None, **attributes: str) -> httpx.Response:
    headers = {
        **HEADERS,
        "ce-source": "/shop",
        "ce-id": "1",
        "authorization": f"Bearer {token}",
        **attributes,
    }
    return await door.client.post(f"/in/{project or door.project.name}", headers=headers)


def is_refused(answer: httpx.Response) -> bool:
    """401, and the same whatever was wrong."""
    return (
        answer.status_code == 401
        and answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        and answer.json()["detail"] == "This token is not valid here."
    )


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
@pytest.mark.spec("K8.1")
async def test_a_token_for_the_producer_sends(
    door: Door, issuer: Issuer, pool: asyncpg.Pool, algorithm: str
) -> None:
    issuer.rotate(algorithm)
    for audience in (issuer.audience, ["other", issuer.audience]):
        answer = await send(door, issuer.token(aud=audience))
        assert answer.status_code == 202, answer.text
    assert await pool.fetchval("SELECT producer FROM events WHERE project_id = $1", door.project.id) == (
        "producer:shop"
    )
    assert issuer.asked == ["discovery", "keys"]


async def test_what_the_producer_may_not_send_is_403(door: Door, issuer: Issuer) -> None:
    assert (await send(door, issuer.token(), **{"ce-source": "/other"})).status_code == 403


@pytest.mark.spec("K8.1")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "weir/other"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"aud": 5},
        {"aud": {"weir/test": 1}},
        {"sub": "system:serviceaccount:other:checkout"},
        {"sub": None},
        {"sub": 7},
        {"exp": 1},
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**400},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": "x"},
    ],
    ids="".join,
)
async def test_claims_that_do_not_fit_are_401(door: Door, issuer: Issuer, claims: dict[str, object]) -> None:
    kid, (algorithm, key) = next(iter(issuer.keys.items()))
    body = json.dumps(issuer.claims(**claims)).encode()
    token = jwt.api_jws.encode(body, key, algorithm, {"kid": kid})
    assert is_refused(await send(door, token))


async def test_a_clock_that_is_a_little_ahead_is_forgiven(door: Door, issuer: Issuer) -> None:
    soon = int(time.time()) + 20
    assert (await send(door, issuer.token(nbf=soon, iat=soon))).status_code == 202


def unsigned(head: dict[str, object], claims: dict[str, object]) -> str:
    parts = (json.dumps(part).encode() for part in (head, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.spec("K8.1")
async def test_forged_tokens_are_401(door: Door, issuer: Issuer) -> None:
    kid, (_, key) = next(iter(issuer.keys.items()))
    claims = issuer.claims()
    good = issuer.token()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    mac = unsigned({"alg": "HS256", "kid": kid}, claims)
    signature = base64.urlsafe_b64encode(hmac.digest(public, mac.encode(), "sha256")).rstrip(b"=").decode()
    forged = {
        "alg none": unsigned({"alg": "none", "kid": kid}, claims) + ".",
        "alg None": unsigned({"alg": "None", "kid": kid}, claims) + ".AAAA",
        "the public key as a secret": f"{mac}.{signature}",
        "another key": jwt.encode(claims, new_key("ES256"), algorithm="ES256", headers={"kid": kid}),
        "another algorithm": jwt.encode(claims, new_key("EdDSA"), algorithm="EdDSA", headers={"kid": kid}),
        "a signature of nothing": good.rpartition(".")[0] + ".",
        "a corrupt signature": good[:-8] + ("AAAAAAAA" if not good.endswith("AAAAAAAA") else "BBBBBBBB"),
        "other claims": good.split(".")[0]
        + "."
        + unsigned({}, {**claims, "sub": "system:serviceaccount:shop:admin"}).split(".")[1]
        + "."
        + good.split(".")[2],
        "an unknown key": jwt.encode(claims, key, algorithm="ES256", headers={"kid": "other"}),
        "a head that is none": "AAAA" + good[good.index(".") :],
    }
    for what, token in forged.items():
        assert is_refused(await send(door, token)), what
    assert (await send(door, good)).status_code == 202


async def test_without_a_key_id_only_one_key_can_be_meant(door: Door, issuer: Issuer) -> None:
    _, (algorithm, key) = next(iter(issuer.keys.items()))
    token = jwt.encode(issuer.claims(), key, algorithm=algorithm)
    assert (await send(door, token)).status_code == 202


async def test_of_several_keys_none_is_guessed(door: Door, issuer: Issuer) -> None:
    issuer.keys["second"] = ("ES256", new_key("ES256"))
    _, (algorithm, key) = next(iter(issuer.keys.items()))
    assert is_refused(await send(door, jwt.encode(issuer.claims(), key, algorithm=algorithm)))


async def test_other_issuers_are_never_asked(
    door: Door, issuer: Issuer, pool: asyncpg.Pool, settings: Settings
) -> None:
    async with Issuer() as stranger:
        assert is_refused(await send(door, stranger.token(iss=stranger.url)))
        assert is_refused(await send(door, stranger.token(iss=issuer.url)))
        assert stranger.asked == []
    other = await create_project(pool, settings)
    for project in (other.name, "no-such-project", "not%20a%20name"):
        assert is_refused(await send(door, issuer.token(), project))


async def test_a_token_that_is_nested_without_end_is_401(door: Door, issuer: Issuer) -> None:
    deep = b'{"iss":"%b","alg":"ES256","x":%b}' % (issuer.url.encode(), b"[" * 2_000 + b"]" * 2_000)
    nested = base64.urlsafe_b64encode(deep).rstrip(b"=").decode()
    _, claims, signature = issuer.token().split(".")
    answer = await send(door, f"e30.{nested}.AAAA")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert is_refused(await send(door, f"{nested}.{claims}.{signature}"))


async def test_text_that_is_no_token_goes_the_usual_way(door: Door, issuer: Issuer) -> None:
    for text in ("a.b.c", "a.b", "..", "x" * 10_000, f"{'x' * 9_000}.e30.x", "e30.e30.e30"):
        answer = await send(door, text)
        assert answer.status_code == 401
    assert issuer.asked == []


async def test_new_keys_are_found_and_old_ones_end(
    door: Door, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "REFETCH_SECONDS", 0.0)
    old = issuer.token()
    assert (await send(door, old)).status_code == 202
    retired = issuer.keys
    issuer.rotate("EdDSA")
    assert (await send(door, issuer.token())).status_code == 202
    # Of the old key only what was verified before is still taken, for a minute.
    assert (await send(door, old)).status_code == 202
    kid, (algorithm, key) = next(iter(retired.items()))
    late = jwt.encode(issuer.claims(jti="late"), key, algorithm=algorithm, headers={"kid": kid})
    assert is_refused(await send(door, late))


async def test_a_verified_token_costs_no_crypto_again_and_ends_when_it_says(
    door: Door, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token(exp=int(time.time()) + 100)
    assert (await send(door, token)).status_code == 202

    def never(*_: object, **__: object) -> None:
        raise AssertionError("verified again")

    monkeypatch.setattr("shared.auth.outside_tokens.verify_outside", never)
    assert (await send(door, token)).status_code == 202
    now = time.time()
    monkeypatch.setattr(callers.time, "time", lambda: now + 100)
    assert is_refused(await send(door, token))


async def test_an_issuer_that_is_away_is_503_with_a_time_to_come_again(door: Door, issuer: Issuer) -> None:
    token = issuer.token()
    await issuer.close()
    answer = await send(door, token)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert 1 <= int(answer.headers["retry-after"]) <= 10


async def test_an_issuer_that_goes_away_later_is_not_missed(door: Door, issuer: Issuer) -> None:
    assert (await send(door, issuer.token())).status_code == 202
    other = issuer.token(jti="another")
    await issuer.close()
    assert (await send(door, other)).status_code == 202


async def test_a_producer_that_was_deleted_ends_within_a_second(
    door: Door, issuer: Issuer, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token()
    assert (await send(door, token)).status_code == 202
    await pool.execute("DELETE FROM producers WHERE project_id = $1", door.project.id)
    deadline = time.monotonic() + 1.5
    while not is_refused(await send(door, token)):
        assert time.monotonic() < deadline


async def test_the_first_producer_by_name_that_fits_is_it(
    door: Door, issuer: Issuer, pool: asyncpg.Pool
) -> None:
    for name, subject in (("a-other", "nobody"), ("b-cart", "*:checkout")):
        await create_producer(
            pool,
            door.project.id,
            name,
            issuer=issuer.url,
            audience=issuer.audience,
            subject=subject,
        )
    assert (await send(door, issuer.token())).status_code == 202
    stored = await pool.fetchval("SELECT producer FROM events WHERE project_id = $1", door.project.id)
    assert stored == "producer:b-cart"


async def test_such_a_token_opens_nothing_else(door: Door, issuer: Issuer, resources: Resources) -> None:
    from functions.projects.app import create

    transport = httpx.ASGITransport(create(resources))
    async with httpx.AsyncClient(transport=transport, base_url="http://weir") as client:
        headers = {"authorization": f"Bearer {issuer.token()}"}
        for path in ("", "/producers", "/keys"):
            answer = await client.get(f"/v1/projects/{door.project.name}{path}", headers=headers)
            assert answer.status_code == 401
