"""The keys of OIDC issuers: found by discovery, remembered, never asked for more often than they may be."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.auth.issuers import (
    FRESH_SECONDS,
    KEEP_SECONDS,
    REFETCH_SECONDS,
    IssuerAway,
    Issuers,
    issuer_fault,
)
from tests.support.issuer import Issuer, new_key, public_jwk


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuers(clock: Clock) -> Issuers:
    return Issuers(("127.0.0.0/8",), clock=clock)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as running:
        yield running


async def test_keys_are_found_once_however_many_ask(issuers: Issuers, issuer: Issuer) -> None:
    (kid,) = issuer.keys
    found = await asyncio.gather(*(issuers.keys(issuer.url, kid) for _ in range(50)))
    assert {key.kid for keys in found for key in keys} == {kid}
    assert issuer.asked == ["discovery", "keys"]


async def test_made_up_ids_are_asked_for_at_most_every_ten_seconds(
    issuers: Issuers, issuer: Issuer, clock: Clock
) -> None:
    await issuers.keys(issuer.url, None)
    for number in range(100):
        assert await issuers.keys(issuer.url, f"made-up-{number}") == []
    assert len(issuer.asked) == 2
    clock.now += REFETCH_SECONDS
    kid = issuer.rotate()
    assert [key.kid for key in await issuers.keys(issuer.url, kid)] == [kid]
    assert len(issuer.asked) == 4
    await issuers.keys(issuer.url, "made-up")
    assert len(issuer.asked) == 4


async def test_old_keys_serve_while_new_ones_are_fetched(
    issuers: Issuers, issuer: Issuer, clock: Clock
) -> None:
    (old,) = issuer.keys
    await issuers.keys(issuer.url, old)
    new = issuer.rotate()
    clock.now += FRESH_SECONDS
    assert [key.kid for key in await issuers.keys(issuer.url, old)] == [old]
    refresh = issuers._remembered[issuer.url].asking
    assert refresh is not None
    await refresh
    assert [key.kid for key in await issuers.keys(issuer.url, new)] == [new]
    assert await issuers.keys(issuer.url, old) == []
    assert len(issuer.asked) == 4


async def test_an_issuer_that_is_away_is_not_asked_again_at_once(
    issuers: Issuers, issuer: Issuer, clock: Clock
) -> None:
    issuer.answer = web.Response(status=500)
    for _ in range(3):
        with pytest.raises(IssuerAway) as away:
            await issuers.keys(issuer.url, None)
        assert away.value.retry_after_seconds == REFETCH_SECONDS
    assert issuer.asked == ["discovery"]
    clock.now += REFETCH_SECONDS
    issuer.answer = None
    assert len(await issuers.keys(issuer.url, None)) == 1


async def test_keys_outlive_their_issuer_for_a_day(issuers: Issuers, issuer: Issuer, clock: Clock) -> None:
    await issuers.keys(issuer.url, None)
    await issuer.close()
    clock.now += KEEP_SECONDS - 1
    assert len(await issuers.keys(issuer.url, None)) == 1
    clock.now += REFETCH_SECONDS + 1
    with pytest.raises(IssuerAway):
        await issuers.keys(issuer.url, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 302, "headers": {"location": "/keys"}},
        {"text": "{"},
        {"text": "[]"},
        {"text": '{"issuer": "https://other.example.com"}'},
        {"text": '{"padding": "' + "x" * 70_000 + '"}'},
        {"status": 404},
    ],
)
async def test_documents_that_are_not_the_issuers_are_none(
    issuers: Issuers, issuer: Issuer, answer: dict[str, object]
) -> None:
    issuer.answer = web.Response(**answer)
    with pytest.raises(IssuerAway):
        await issuers.keys(issuer.url, None)
    assert issuer.asked == ["discovery"]


@pytest.mark.parametrize("address", [None, 1, "file:///etc/passwd", "ftp://127.0.0.1/keys", "/keys"])
async def test_keys_are_asked_for_over_http_alone(issuers: Issuers, issuer: Issuer, address: object) -> None:
    issuer.discovery = {"jwks_uri": address}
    with pytest.raises(IssuerAway):
        await issuers.keys(issuer.url, None)
    assert issuer.asked == ["discovery"]


async def test_private_networks_are_closed_unless_allowed(issuer: Issuer) -> None:
    with pytest.raises(IssuerAway):
        await Issuers(()).keys(issuer.url, None)
    with pytest.raises(IssuerAway):
        await Issuers(("10.0.0.0/8",)).keys(issuer.url, None)
    assert issuer.asked == []


async def test_keys_that_cannot_be_used_are_passed_over(issuers: Issuers, issuer: Issuer) -> None:
    good = new_key("ES256")
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    issuer.extra = [
        1,
        {},
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": ["RSA"]},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        public_jwk(good, use="enc"),
        public_jwk(good, kid=1),
        public_jwk(good, alg="RS256"),
        public_jwk(ec.generate_private_key(ec.SECP384R1())),
        public_jwk(small),
    ]
    keys = await issuers.keys(issuer.url, None)
    assert [key.kid for key in keys] == list(issuer.keys)


@pytest.mark.parametrize(
    ("issuer", "allows_http", "good"),
    [
        ("https://issuer.example.com", False, True),
        ("https://issuer.example.com:8443/a/", False, True),
        ("https://[::1", True, False),
        ("https://", True, False),
        ("http://10.0.0.1", False, False),
        ("http://10.0.0.1", True, True),
        ("https://a.example.com/#f", True, False),
        ("https://a.example.com:0", True, False),
        ("https://a.example.com/a b", True, False),
    ],
)
def test_what_an_issuer_may_be(issuer: str, allows_http: bool, good: bool) -> None:
    assert (issuer_fault(issuer, allows_http=allows_http) is None) == good
