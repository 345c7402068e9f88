"""The one check of who is asking and what they may do."""

import time
from datetime import UTC, datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from shared.auth import queries
from shared.auth.access import Access, Address, Principal
from shared.auth.keys import PREFIX, ApiKeyText, is_key, parse_key
from shared.auth.remembered import NOTED_SECONDS, Remembered, RememberedKey, is_fresh
from shared.auth.stores import Stores
from shared.auth.tokens import AccessToken, Claims, InvalidToken, Verifier, issue, key_id, verify
from shared.core.problems import FORBIDDEN, NOT_FOUND, UNAUTHENTICATED, Problem

PROVEN = 1_000
"""How many headers are remembered with the keys that they proved to be, and tokens with what they say."""


class Authority:
    """Checks the credentials that one process is shown, by what it remembers of them."""

    def __init__(self, stores: Stores) -> None:
        self._settings = stores.settings
        self._remembered = Remembered(stores)
        self._touched: dict[str, float] = {}
        self._proven: dict[str, tuple[str, RememberedKey]] = {}
        self._verified: dict[str, tuple[Verifier, Claims]] = {}

    def recall(self, authorization: str | None, project_name: str, permission: str) -> Access | None:
        """The access of an API key that was checked within the second, without checking it again.

        None says nothing: `authorize` decides.
        """
        proven = self._proven.get(authorization) if authorization is not None else None
        if proven is None:
            return None
        key, row = proven
        access = row.access
        # Another row, or none, means that the key was looked up again since, and may say something else.
        if (
            self._remembered.keys.peek(key) is not row
            or (row.expires_at is not None and row.expires_at <= datetime.now(UTC))
            or access.project_name != project_name
            or permission not in access.permissions
        ):
            return None
        return access

    async def authorize(
        self,
        authorization: str | None,
        project_name: str,
        permission: str,
        address: Address | None = None,
    ) -> Access:
        """The access of that header to that project. Raises Problem 401, 403 or 404."""
        principal = await self.identify(authorization, address)
        if principal.access is not None:
            access = principal.access if principal.access.project_name == project_name else None
        else:
            assert principal.user_id is not None
            access = await self._remembered.members.get((principal.user_id, project_name))
        if access is None:
            raise Problem(NOT_FOUND, "There is no such project, or this credential does not belong to it.")
        if permission not in access.permissions:
            raise Problem(FORBIDDEN, f"This needs the permission {permission}.")
        return access

    async def identify(self, authorization: str | None, address: Address | None = None) -> Principal:
        """Whose header that is. Raises Problem 401."""
        if not authorization:
            raise _refusal("Send an API key or an access token as Authorization: Bearer.", error=None)
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip()
        if scheme.lower() != "bearer" or not credential:
            raise _refusal("The Authorization header must be of the scheme Bearer.", error="invalid_request")
        if credential.startswith(PREFIX):
            return await self._by_key(parse_key(credential), authorization, address)
        claims = await self._by_token(credential)
        return Principal(f"user:{claims.user_id}", user_id=claims.user_id, session=claims.session)

    async def issue(self, user_id: UUID, session: str) -> AccessToken:
        """A new access token, signed with the current key."""
        signer = await self._remembered.signers.get(None)
        return issue(signer, issuer=self._settings.public_url, user_id=user_id, session=session)

    def forget_key(self, key: str) -> None:
        """Ask the database at the next use; other processes do within a second."""
        self._remembered.keys.forget(key)

    def forget_member(self, user_id: UUID, project_name: str) -> None:
        """Ask the database at the next use; other processes do within a second."""
        self._remembered.members.forget((user_id, project_name))

    async def _by_key(self, key: ApiKeyText | None, authorization: str, address: Address | None) -> Principal:
        row = await self._remembered.keys.get(key.id) if key is not None else None
        is_current = (
            key is not None and row is not None and is_key(self._settings.secret, key, row.secret_hash)
        )
        if key is None or row is None or not (is_current or self._is_previous(key, row)):
            raise _refusal("This API key is not valid: it is mistyped, was revoked, or is of another Weir.")
        now = datetime.now(UTC)
        if row.expires_at is not None and row.expires_at <= now:
            raise _refusal("This API key has expired.")
        if not is_current and (row.previous_expires_at is None or row.previous_expires_at <= now):
            raise _refusal("This API key has another secret since, and the time for this one is over.")
        await self._touch(key.id, row, address, with_previous=not is_current)
        if is_current:
            self._prove(authorization, key.id, row)
        return Principal(row.access.principal, access=row.access)

    def _is_previous(self, key: ApiKeyText, row: RememberedKey) -> bool:
        return row.previous_hash is not None and is_key(self._settings.secret, key, row.previous_hash)

    def _prove(self, authorization: str, key: str, row: RememberedKey) -> None:
        """Remember that the header has that key, the oldest going first."""
        self._proven.pop(authorization, None)
        while len(self._proven) >= PROVEN:
            del self._proven[next(iter(self._proven))]
        self._proven[authorization] = (key, row)

    async def _touch(
        self, key: str, row: RememberedKey, address: Address | None, *, with_previous: bool
    ) -> None:
        """Note the use once a minute, of each of two secrets."""
        now = time.monotonic()
        what = f"{key} before" if with_previous else key
        if now - self._touched.get(what, float("-inf")) < NOTED_SECONDS:
            return
        self._touched[what] = now
        if not with_previous and is_fresh(row.last_used_at):
            return
        said = address() if address is not None else None
        await self._remembered.note(
            lambda pool: queries.touch_key(pool, key, address=said, with_previous=with_previous)
        )

    async def _by_token(self, token: str) -> Claims:
        """What the token says. A signature costs more than all the rest of a check: it is looked at once for each key."""
        known = self._verified.get(token)
        try:
            kid = key_id(token) if known is None else known[0].kid
            verifier = self._remembered.verifiers.peek(kid) or await self._remembered.verifiers.get(kid)
            if known is not None and known[0] is verifier and time.time() < known[1].ends_at:
                return known[1]
            if verifier is not None:
                claims = verify(token, verifier, issuer=self._settings.public_url)
                self._verified.pop(token, None)
                while len(self._verified) >= PROVEN:
                    del self._verified[next(iter(self._verified))]
                self._verified[token] = verifier, claims
                return claims
            reason = f"signed by {kid!r}, which is not known"
        except InvalidToken as error:
            reason = str(error)
        raise _refusal("This access token is not valid or has expired.", internal=reason)


_AUTHORITIES: WeakKeyDictionary[Stores, Authority] = WeakKeyDictionary()


def authority_of(stores: Stores) -> Authority:
    """The one `Authority` of these stores."""
    found = _AUTHORITIES.get(stores)
    if found is None:
        found = _AUTHORITIES[stores] = Authority(stores)
    return found


async def authorize(
    resources: Stores,
    authorization_header: str | None,
    project_name: str,
    permission: str,
    address: Address | None = None,
) -> Access:
    """The access of a credential to a project. No I/O when it was asked for within the last second.

    `address` says where it came from, and is asked where that is noted: once a minute for each key.
    Raises Problem: 401 for no or no valid credential, 404 for a project that is not there or not the
    credential's, 403 for a missing permission. A store that is away raises what its driver raises,
    which the runtime answers with 503 and `Retry-After`.
    """
    authority = authority_of(resources)
    access = authority.recall(authorization_header, project_name, permission)
    if access is not None:
        return access
    return await authority.authorize(authorization_header, project_name, permission, address)


async def identify(
    resources: Stores, authorization_header: str | None, address: Address | None = None
) -> Principal:
    """Whose credential that is, where no project is concerned. Raises Problem 401."""
    return await authority_of(resources).identify(authorization_header, address)


def _refusal(detail: str, *, error: str | None = "invalid_token", internal: str | None = None) -> Problem:
    """401 with the challenge of RFC 6750, section 3."""
    challenge = "Bearer" if error is None else f'Bearer error="{error}"'
    return Problem(UNAUTHENTICATED, detail, internal=internal, headers={"WWW-Authenticate": challenge})
