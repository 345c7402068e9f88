"""The provider: where people are sent, and what it says of whoever comes back (OpenID Connect Core 1.0, section 3.1)."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from functions.identity.oidc.settings import OidcSettings
from shared.auth.issuers import IssuerAway, Issuers
from shared.auth.outside_tokens import OutsideClaims, choose, claimed_key, verify_outside
from shared.auth.tokens import InvalidToken

if TYPE_CHECKING:
    from shared.http.client import OutboundClient

SCOPE = "openid email profile"
TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 256 * 1024
MAX_SUBJECT = 255
"""Of characters (section 8)."""

_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Whom the operator names may be in a network of theirs, unlike what users name; not where clouds give credentials away."""


class ProviderAway(Exception):
    """It does not answer, or not with what a provider would."""


class NotBelieved(Exception):
    """What came back cannot be used. The text is for the log."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom the provider says it is. `email` is in lower case, and there only if the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str


class Provider:
    """One provider. `allowed` are the private networks (CIDR) that the deployment has opened."""

    def __init__(self, settings: OidcSettings, allowed: tuple[str, ...]) -> None:
        assert settings.oidc_issuer is not None
        assert settings.oidc_client_id is not None
        self.settings = settings
        self.issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._is_https = self.issuer.startswith("https://")
        self._allowed = (*allowed, *_PRIVATE) if self._is_https else allowed
        self._issuers = Issuers(self._allowed)

    async def authorization_url(self, *, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser goes. Raises ProviderAway."""
        endpoint = await self._endpoint("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked, quote_via=quote)}"

    async def profile(
        self, *, code: str, said_issuer: str | None, nonce: str, verifier: str, redirect_uri: str
    ) -> Profile:
        """Who came back with `code`. Raises ProviderAway, NotBelieved."""
        discovery = await self._discovery()
        # RFC 9207: an answer that another provider has sent here.
        must_say = discovery.get("authorization_response_iss_parameter_supported") is True
        if said_issuer != self.issuer and (must_say or said_issuer is not None):
            raise NotBelieved(f"the answer is of {said_issuer!r}")
        tokens = await self._tokens(discovery, code, verifier, redirect_uri)
        claims = await self._claims(tokens, nonce)
        said: dict[str, Any] = dict(claims.said)
        if "email" not in said and isinstance(discovery.get("userinfo_endpoint"), str):
            said |= await self._userinfo(tokens.get("access_token"), claims.subject)
        return _profile(claims, said, trusts_email=self.settings.oidc_trust_email)

    async def _tokens(
        self, discovery: Mapping[str, Any], code: str, verifier: str, redirect_uri: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = [("content-type", "application/x-www-form-urlencoded")]
        secret = self.settings.oidc_client_secret
        methods = discovery.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods:
            # RFC 6749, section 2.3.1: both are form-encoded first.
            pair = f"{quote(self._client_id, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            headers.append(("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
        else:
            form |= {"client_id": self._client_id, "client_secret": secret.get_secret_value()}
        status, answer = await self._ask("token_endpoint", headers, urlencode(form).encode())
        if status >= 500:
            raise ProviderAway(f"the token endpoint answered {status}")
        if status != 200:
            raise NotBelieved(f"the token endpoint answered {status}, {str(answer.get('error'))[:100]!r}")
        return answer

    async def _claims(self, tokens: Mapping[str, Any], nonce: str) -> OutsideClaims:
        """What the ID token says, once all of section 3.1.3.7 holds."""
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise NotBelieved("there is no ID token")
        try:
            algorithm, kid = claimed_key(token)
            key = choose(await self._issuers.keys(self.issuer, kid), algorithm)
            claims = verify_outside(token, algorithm, key, issuer=self.issuer)
        except InvalidToken as error:
            raise NotBelieved(f"the ID token: {error}") from error
        except IssuerAway as error:
            raise ProviderAway(str(error)) from error
        party = claims.said.get("azp")
        if self._client_id not in claims.audiences:
            raise NotBelieved("the ID token is for somebody else")
        if party != self._client_id and (party is not None or len(claims.audiences) > 1):
            raise NotBelieved(f"the ID token was given to {party!r}")
        said = claims.said.get("nonce")
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
            raise NotBelieved("the ID token has another nonce")
        if not isinstance(claims.subject, str) or not 0 < len(claims.subject) <= MAX_SUBJECT:
            raise NotBelieved("the ID token has no usable subject")
        return claims

    async def _userinfo(self, access_token: object, subject: str) -> dict[str, Any]:
        """What the provider tells at section 5.3, where the ID token does not have it."""
        if not isinstance(access_token, str) or not access_token.isascii() or not access_token.isprintable():
            raise NotBelieved("there is no access token")
        status, answer = await self._ask(
            "userinfo_endpoint", [("authorization", f"Bearer {access_token}")], None
        )
        if status != 200:
            raise ProviderAway(f"the userinfo endpoint answered {status}")
        if answer.get("sub") != subject:
            raise NotBelieved("the userinfo is of somebody else")
        return answer

    async def _discovery(self) -> Mapping[str, Any]:
        try:
            return await self._issuers.discovery(self.issuer)
        except IssuerAway as error:
            raise ProviderAway(str(error)) from error

    async def _endpoint(self, name: str) -> str:
        found = (await self._discovery()).get(name)
        schemes = ("https://",) if self._is_https else ("https://", "http://")
        if not isinstance(found, str) or not found.startswith(schemes) or "#" in found:
            raise ProviderAway(f"its document names no {name} that can be used")
        return found

    async def _ask(
        self, name: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> tuple[int, dict[str, Any]]:
        """Post `body` to an endpoint, or get it; the status and the JSON that came. Raises ProviderAway."""
        from yarl import URL

        from shared.http.client import NoAnswer

        url = URL(await self._endpoint(name), encoded=True)
        said = (("accept", "application/json"), ("user-agent", "weir"), *headers)
        client = self._client(url.scheme)
        try:
            if body is None:
                answer = await client.get(url, said, timeout_seconds=TIMEOUT_SECONDS, body_bytes=ANSWER_BYTES)
            else:
                answer = await client.post(
                    url, said, body, timeout_seconds=TIMEOUT_SECONDS, body_bytes=ANSWER_BYTES
                )
        except NoAnswer as error:
            raise ProviderAway(f"the {name}: {error}") from error
        finally:
            await client.close()
        try:
            return answer.status, msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProviderAway(f"the {name} answered {answer.status} with what is no JSON") from error

    def _client(self, scheme: str) -> "OutboundClient":
        from shared.http.addresses import AddressGuard
        from shared.http.client import OutboundClient

        return OutboundClient(AddressGuard(self._allowed, public=scheme == "https"), connections=1)


def challenge_of(verifier: str) -> str:
    """What PKCE sends ahead (RFC 7636, section 4.2, S256)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _profile(claims: OutsideClaims, said: Mapping[str, Any], *, trusts_email: bool) -> Profile:
    email = said.get("email")
    verified = said.get("email_verified")
    # A text in the answers of some, AWS Cognito among them. `false` stays false, whatever is trusted.
    is_verified = verified is True or verified == "true" or (trusts_email and verified is None)
    usable = isinstance(email, str) and is_verified
    name = said.get("name") or said.get("preferred_username")
    return Profile(
        claims.issuer,
        claims.subject,
        str(email).strip().lower() if usable else None,
        name if isinstance(name, str) else "",
    )
