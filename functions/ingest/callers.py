"""Who sends: an API key, a user, or a producer by the token of its own OIDC issuer."""

import time
from typing import TYPE_CHECKING

from functions.ingest.projects import PERMISSION, Projects
from shared.auth.access import Access, Address
from shared.auth.authority import authorize
from shared.auth.keys import PREFIX
from shared.auth.tokens import InvalidToken
from shared.cache.lookup import Lookup
from shared.core.patterns import matches
from shared.core.problems import UNAUTHENTICATED, UNAVAILABLE, Problem
from shared.runtime.resources import Resources

if TYPE_CHECKING:
    from shared.auth.issuers import Issuers
    from shared.auth.outside_tokens import OutsideClaims

REMEMBER_SECONDS = 60.0
"""How long a signature that was good is not looked at again: so long may a key that its issuer took back last."""

_KEY = f"Bearer {PREFIX}"
"""How nearly every credential begins: it needs no closer look to tell that it is no token."""

_DETAIL = "This token is not valid here."


class Callers:
    """What one process remembers of those who send."""

    def __init__(self, resources: Resources, projects: Projects) -> None:
        self._resources = resources
        self._projects = projects
        self._issuers: Issuers | None = None
        self._verified: Lookup[str, OutsideClaims] = Lookup(
            self._verify, name="outsiders", seconds=REMEMBER_SECONDS, size=2_000
        )

    async def access(self, authorization: str | None, project: str, address: Address | None = None) -> Access:
        """What that Authorization header may send to the project. No I/O and no crypto once it is known.

        `address` says where it came from, for the note of a key's last use.

        Raises Problem: 401, 403 and 404 as `authorize`; 401 for any token that is no credential of the
        project, without a hint why; 503 when an issuer's keys cannot be had.
        """
        if authorization is not None and not authorization.startswith(_KEY):
            return await self._by_token(authorization, project)
        return await authorize(self._resources, authorization, project, PERMISSION, address)

    async def _by_token(self, authorization: str, project: str) -> Access:
        token = _outside_token(authorization)
        if token is not None:
            from shared.auth.outside_tokens import claimed_issuer

            issuer = claimed_issuer(token)
            if issuer is not None and issuer != self._resources.settings.public_url:
                return await self._outsider(token, issuer, project)
        return await authorize(self._resources, authorization, project, PERMISSION)

    async def _outsider(self, token: str, issuer: str, project: str) -> Access:
        known = await self._projects.get(project)
        trusted = [one for one in known.issuers if one.issuer == issuer] if known else []
        # Only those that the project trusts are asked for their keys.
        if not trusted:
            raise _refusal("of an issuer that no producer of the project has")
        claims = await self._verified.get(token)
        if claims.expires_at <= time.time():
            raise _refusal("expired")
        for one in trusted:
            if one.audience in claims.audiences and matches(one.subject, claims.subject):
                return one.access
        raise _refusal("for another audience, or of a subject that no producer has")

    async def _verify(self, token: str) -> "OutsideClaims":
        from shared.auth.issuers import IssuerAway, Issuers
        from shared.auth.outside_tokens import choose, claimed_issuer, claimed_key, verify_outside

        if self._issuers is None:
            self._issuers = Issuers(self._resources.settings.sink_allow)
        try:
            issuer = claimed_issuer(token)
            assert issuer is not None
            algorithm, kid = claimed_key(token)
            key = choose(await self._issuers.keys(issuer, kid), algorithm)
            return verify_outside(token, algorithm, key, issuer=issuer)
        except InvalidToken as error:
            raise _refusal(str(error)) from None
        except IssuerAway as error:
            raise Problem(
                UNAVAILABLE,
                "Tokens of this issuer cannot be verified right now. Try again later.",
                headers={"Retry-After": str(error.retry_after_seconds)},
            ) from None


def _outside_token(authorization: str) -> str | None:
    """The bearer token in the header, unless it is an API key."""
    scheme, _, credential = authorization.partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or credential.startswith(PREFIX):
        return None
    return credential


def _refusal(internal: str) -> Problem:
    """401 with the challenge of RFC 6750, section 3; the reason is for the log alone."""
    return Problem(
        UNAUTHENTICATED,
        _DETAIL,
        internal=internal,
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
