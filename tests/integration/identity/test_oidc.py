"""Sign-in by a real provider (npm's oidc-provider), over real HTTP, and by answers that no provider should give."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from functions.identity.app import create
from functions.identity.oidc.provider import NotBelieved, Provider, ProviderAway, challenge_of
from functions.identity.oidc.settings import OidcSettings
from shared.runtime.resources import Resources
from shared.runtime.settings import Settings
from tests.support import oidc
from tests.support.issuer import Issuer
from tests.support.oidc import CLIENT_SECRET, OidcProvider
from tests.support.people import Person, browser, create_person, new_link

DOMAIN = "example.org"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture
def _told(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in oidc.settings(provider.issuer, WEIR_OIDC_DOMAINS=DOMAIN).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def client(resources: Resources, _told: None) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(create(resources)) as opened:
        yield opened


def somebody(domain: str = DOMAIN) -> str:
    return f"{uuid4().hex[:10]}@{domain}"


async def begin(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/auth/oidc")
    assert answer.status_code == 200, answer.text
    return answer.json()["authorizationUrl"]


async def come_in(client: httpx.AsyncClient, provider: OidcProvider, who: str, **more: str) -> httpx.Response:
    back = await provider.come_back(await begin(client), who)
    return await client.post("/v1/auth/oidc/callback", json={**back, **more})


async def test_somebody_new_of_the_domain_gets_an_account(
    client: httpx.AsyncClient, provider: OidcProvider, pool: asyncpg.Pool
) -> None:
    email = somebody()
    answer = await come_in(client, provider, email)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["user"] | {"id": None} == {
        "id": None,
        "email": email,
        "name": email.partition("@")[0],
        "hasPassword": False,
    }
    me = await client.get("/v1/me", headers={"authorization": f"Bearer {body['accessToken']}"})
    assert me.json()["projects"] == []
    assert (await client.post("/v1/auth/refresh")).status_code == 200
    actions = await pool.fetch(
        "SELECT action, actor_id FROM audit WHERE actor_id = $1 ORDER BY sequence", body["user"]["id"]
    )
    assert [row["action"] for row in actions] == ["account.created", "session.started"]

    again = await come_in(client, provider, email)
    assert again.json()["user"]["id"] == body["user"]["id"]


async def test_what_is_asked_of_the_provider(client: httpx.AsyncClient, provider: OidcProvider) -> None:
    first, second = await begin(client), await begin(client)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(first).query).items()}
    other = {name: values[0] for name, values in parse_qs(urlsplit(second).query).items()}
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid email profile"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://127.0.0.1:8480/sign-in/oidc"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != other[name]
    assert CLIENT_SECRET not in first


async def test_the_cookie_that_binds_is_out_of_reach(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/auth/oidc")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("weir_oidc=")
    assert {"httponly", "samesite=strict", "path=/v1/auth"} <= {part.strip() for part in cookie.split(";")}


async def test_an_answer_is_good_once_and_in_the_browser_that_began(
    client: httpx.AsyncClient, provider: OidcProvider, resources: Resources
) -> None:
    back = await provider.come_back(await begin(client), somebody())
    async with browser(create(resources)) as victim:
        # Whoever is made to open somebody else's link is not signed in to their account (RFC 6749, section 10.12).
        assert (await victim.post("/v1/auth/oidc/callback", json=back)).status_code == 401
        await begin(victim)
        assert (await victim.post("/v1/auth/oidc/callback", json=back)).status_code == 401
    back = await provider.come_back(await begin(client), somebody())
    answers = await asyncio.gather(*(client.post("/v1/auth/oidc/callback", json=back) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_two_tabs_do_not_spoil_each_other(client: httpx.AsyncClient, provider: OidcProvider) -> None:
    email = somebody()
    first, second = await begin(client), await begin(client)
    for url in (first, second):
        back = await provider.come_back(url, email)
        assert (await client.post("/v1/auth/oidc/callback", json=back)).status_code == 200


async def test_whoever_says_no_comes_back_with_an_error(
    client: httpx.AsyncClient, provider: OidcProvider
) -> None:
    back = await provider.come_back(await begin(client), "")
    assert back["error"] == "access_denied"
    assert "code" not in back


async def test_another_domain_needs_an_invitation(
    client: httpx.AsyncClient, provider: OidcProvider, pool: asyncpg.Pool
) -> None:
    email = somebody("elsewhere.example")
    answer = await come_in(client, provider, email)
    assert answer.status_code == 403
    assert "invitation" in answer.json()["detail"]
    made_up = await come_in(client, provider, email, invitation="made-up")
    assert made_up.status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM users WHERE email = $1", email) == 0
    sub_domain = await come_in(client, provider, somebody(f"evil.{DOMAIN}"))
    assert sub_domain.status_code == 403


@pytest.mark.parametrize("who", ["unverified:x@example.org", "nobody"])
async def test_an_address_that_is_not_verified_is_none(
    client: httpx.AsyncClient, provider: OidcProvider, who: str
) -> None:
    answer = await come_in(client, provider, who.replace("x@", f"{uuid4().hex}@"))
    assert answer.status_code == 403
    assert "verified" in answer.json()["detail"]


async def sign_in(client: httpx.AsyncClient, pool: asyncpg.Pool, person: Person) -> dict[str, str]:
    session = await client.post("/v1/auth/link", json={"token": await new_link(pool, person)})
    return {"authorization": f"Bearer {session.json()['accessToken']}"}


async def test_an_account_is_linked_by_whoever_has_both(
    client: httpx.AsyncClient, provider: OidcProvider, pool: asyncpg.Pool
) -> None:
    person = await create_person(pool)
    step = (await come_in(client, provider, person.email)).json()
    assert (step["next"], step["email"]) == ("link", person.email)
    assert "accessToken" not in step
    nobody = await client.post("/v1/auth/oidc/link", json={"ticket": step["ticket"]})
    assert nobody.status_code == 401
    bearer = await sign_in(client, pool, person)
    linked = await client.post("/v1/auth/oidc/link", json={"ticket": step["ticket"]}, headers=bearer)
    assert linked.status_code == 204
    again = await client.post("/v1/auth/oidc/link", json={"ticket": step["ticket"]}, headers=bearer)
    assert again.status_code == 404

    assert (await come_in(client, provider, person.email)).json()["user"]["id"] == str(person.id)
    # The address may change hands at the provider; whoever it is then is somebody else.
    other = (await come_in(client, provider, f"2:{person.email}")).json()
    assert other["next"] == "link"


async def test_an_account_is_not_linked_to_somebody_elses(
    client: httpx.AsyncClient, provider: OidcProvider, pool: asyncpg.Pool, resources: Resources
) -> None:
    person, attacker = await create_person(pool), await create_person(pool)
    step = (await come_in(client, provider, person.email)).json()
    as_attacker = await sign_in(client, pool, attacker)
    refused = await client.post("/v1/auth/oidc/link", json={"ticket": step["ticket"]}, headers=as_attacker)
    assert refused.status_code == 403

    step = (await come_in(client, provider, person.email)).json()
    async with browser(create(resources)) as elsewhere:
        as_person = await sign_in(elsewhere, pool, person)
        await begin(elsewhere)
        refused = await elsewhere.post(
            "/v1/auth/oidc/link", json={"ticket": step["ticket"]}, headers=as_person
        )
        assert refused.status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM identities WHERE user_id = $1", person.id) == 0


async def test_linking_needs_a_session_that_has_just_begun(
    client: httpx.AsyncClient, provider: OidcProvider, pool: asyncpg.Pool, resources: Resources
) -> None:
    person = await create_person(pool)
    bearer = await sign_in(client, pool, person)
    redis = await resources.redis()
    (family,) = await redis.smembers(f"weir:user-sessions:{person.id}")
    await redis.hset(f"weir:session:{family}", "proved", "0")
    step = (await come_in(client, provider, person.email)).json()
    refused = await client.post("/v1/auth/oidc/link", json={"ticket": step["ticket"]}, headers=bearer)
    assert refused.status_code == 403


async def test_methods_tell_what_there_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/auth/methods")
    assert answer.json() == {"password": True, "oidc": {"name": "Example ID"}, "mail": False}


async def test_without_a_provider_there_is_none(resources: Resources) -> None:
    async with browser(create(resources)) as client:
        assert (await client.get("/v1/auth/methods")).json()["oidc"] is None
        assert (await client.post("/v1/auth/oidc")).status_code == 404
        answer = await client.post("/v1/auth/oidc/callback", json={"state": "s", "code": "c"})
        assert answer.status_code == 404


async def test_a_provider_that_is_away_is_said_to_be(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in oidc.settings("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    async with browser(create(resources)) as client:
        answer = await client.post("/v1/auth/oidc")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Example ID" in answer.json()["detail"]


@pytest.mark.usefixtures("_told")
async def test_the_console_of_another_origin_is_sent_back_there(settings: Settings) -> None:
    console = "https://console.example.org"
    there = Resources(
        settings.model_copy(update={"public_url": "https://api.example.org", "console_origins": (console,)})
    )
    async with browser(create(there), "https://api.example.org") as client:
        client.headers.update({"origin": console, "sec-fetch-site": "same-site"})
        url = await begin(client)
        assert parse_qs(urlsplit(url).query)["redirect_uri"] == [f"{console}/sign-in/oidc"]
        evil = await client.post("/v1/auth/oidc", headers={"origin": "https://evil.example"})
        assert evil.status_code == 403
    await there.close()


@pytest.mark.usefixtures("_told")
async def test_nobody_is_sent_back_to_where_only_a_request_says_that_weir_is(resources: Resources) -> None:
    """Whoever has another name lead here, and a browser open it, would have the provider's code sent there."""
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "same-origin"}):
        async with browser(create(resources), "http://evil.example") as client:
            client.headers.pop("origin", None)
            answer = await client.post("/v1/auth/oidc", headers=headers)
        assert answer.status_code == 403
        assert "http://127.0.0.1:8480" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_weir_proves_itself_in_both_ways(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    with OidcProvider(claims_in_id_token=True, token_endpoint_auth_method=method) as provider:
        for name, value in oidc.settings(provider.issuer, WEIR_OIDC_DOMAINS=DOMAIN).items():
            monkeypatch.setenv(name, value)
        async with browser(create(resources)) as client:
            answer = await come_in(client, provider, somebody())
        assert answer.status_code == 200, answer.text


async def test_a_public_client_has_no_secret(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    with OidcProvider(token_endpoint_auth_method="none") as provider:
        for name, value in oidc.settings(provider.issuer, WEIR_OIDC_DOMAINS=DOMAIN).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("WEIR_OIDC_CLIENT_SECRET")
        async with browser(create(resources)) as client:
            assert (await come_in(client, provider, somebody())).status_code == 200


class Odd(Issuer):
    """A provider that answers the token endpoint with `tokens`, whatever is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.audience = "weir"
        self.tokens: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        from aiohttp import web

        async def tokens(_: web.Request) -> web.Response:
            return web.json_response(self.tokens)

        async def userinfo(_: web.Request) -> web.Response:
            return web.json_response(self.userinfo)

        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", tokens)
        app.router.add_get("/me", userinfo)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.rotate("RS256")
        self.discovery = {
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/me",
        }
        return self

    def good(self, **claims: Any) -> str:
        said = {"sub": "ann", "nonce": "n", "email": "Ann@Example.org", "email_verified": True, "name": "Ann"}
        return self.token(**{**said, **claims})


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    async with Odd() as running:
        yield running


async def profile_of(odd: Odd, *, said_issuer: str | None = None, **told: Any) -> Any:
    found = OidcSettings(oidc_issuer=odd.url, oidc_client_id="weir", **told)
    return await Provider(found, ("127.0.0.0/8",)).profile(
        code="c", said_issuer=said_issuer, nonce="n", verifier="v", redirect_uri="r"
    )


async def test_a_good_answer_is_believed(odd: Odd) -> None:
    odd.tokens = {"id_token": odd.good()}
    profile = await profile_of(odd, said_issuer=odd.url)
    assert (profile.issuer, profile.subject, profile.email, profile.name) == (
        odd.url,
        "ann",
        "ann@example.org",
        "Ann",
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 1},
        {"aud": "somebody-else"},
        {"aud": ["weir", "somebody-else"]},
        {"aud": ["weir", "somebody-else"], "azp": "somebody-else"},
        {"azp": "somebody-else"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 99999999999},
        {"sub": "x" * 256},
        {"sub": None},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_this_is_not_believed(odd: Odd, claims: dict[str, Any]) -> None:
    odd.tokens = {"id_token": odd.good(**claims)}
    with pytest.raises(NotBelieved):
        await profile_of(odd)


async def test_other_answers_are_not_believed(odd: Odd) -> None:
    for tokens in ({}, {"id_token": 1}, {"id_token": "x.y.z"}, {"id_token": odd.good(), "alg": "none"}):
        odd.tokens = tokens
        if "alg" in tokens:
            head, _, rest = odd.good().partition(".")
            odd.tokens = {"id_token": f"eyJhbGciOiJub25lIn0.{rest.partition('.')[0]}."}
            assert head
        with pytest.raises(NotBelieved):
            await profile_of(odd)
    odd.tokens = {"id_token": odd.good()}
    with pytest.raises(NotBelieved, match="evil"):
        await profile_of(odd, said_issuer="https://evil.example")
    odd.discovery["authorization_response_iss_parameter_supported"] = True
    with pytest.raises(NotBelieved):
        await profile_of(odd)


async def test_userinfo_is_of_the_same_person(odd: Odd) -> None:
    odd.tokens = {"id_token": odd.good(email=None, email_verified=None), "access_token": "t"}
    odd.userinfo = {"sub": "ann", "email": "ann@example.org", "email_verified": True}
    assert (await profile_of(odd)).email == "ann@example.org"
    odd.userinfo["sub"] = "bob"
    with pytest.raises(NotBelieved, match="somebody else"):
        await profile_of(odd)


@pytest.mark.parametrize(
    ("verified", "trusted", "taken"),
    [
        (True, False, True),
        ("true", False, True),
        (False, True, False),
        (None, False, False),
        (None, True, True),
    ],
)
async def test_which_addresses_are_taken(odd: Odd, verified: Any, trusted: bool, taken: bool) -> None:
    odd.tokens = {"id_token": odd.good(email_verified=verified)}
    profile = await profile_of(odd, oidc_trust_email=trusted)
    assert (profile.email == "ann@example.org") is taken


async def test_a_document_that_names_no_endpoint_is_no_provider(odd: Odd) -> None:
    odd.discovery["token_endpoint"] = "ftp://127.0.0.1/token"
    with pytest.raises(ProviderAway):
        await profile_of(odd)


def test_a_challenge_is_that_of_the_standard() -> None:
    """The example of RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize(
    "told",
    [
        {"oidc_issuer": "https://id.example.com"},
        {"oidc_issuer": "id.example.com", "oidc_client_id": "weir"},
        {"oidc_issuer": "https://id.example.com?x", "oidc_client_id": "weir"},
        {"oidc_domains": "*.example.com"},
        {"oidc_domains": "ann@example.com"},
        {"oidc_domains": "com"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(told: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        OidcSettings(**told)  # type: ignore[arg-type]
