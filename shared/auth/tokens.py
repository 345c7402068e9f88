"""Access tokens: JWTs signed with EdDSA or ES256, ten minutes long (RFC 9068 as far as it concerns one API)."""

import re
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey
    PublicKey = Ed25519PublicKey | EllipticCurvePublicKey

AUDIENCE = "weir"
LIFETIME_SECONDS = 600
EDDSA, ES256 = "EdDSA", "ES256"
ALGORITHMS = frozenset({EDDSA, ES256})
"""The algorithms that a key may have; a token's own header never chooses."""

_TYPE = "at+jwt"
_MAX_LENGTH = 4096
_MAX_KID_LENGTH = 64
_BASE64URL = re.compile(
    r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?", re.ASCII
)
"""In what is over at the end no bit is set."""

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
_LEEWAY_SECONDS = 5


class InvalidToken(Exception):
    """The token proves nothing. The message is for the log."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the id under which its public half is found."""

    kid: str
    algorithm: str
    private_key: "PrivateKey" = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key; only tokens of its own algorithm are verified with it."""

    kid: str
    algorithm: str
    public_key: "PublicKey"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `session` is the session that it was issued in; it is taken until `ends_at` (Unix time)."""

    user_id: UUID
    session: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token and when it ends, in seconds since 1970."""

    text: str = field(repr=False)
    expires_at: int


def issue(
    signer: Signer, *, issuer: str, user_id: UUID, session: str, now: float | None = None
) -> AccessToken:
    """A token for `user_id` that ends in `LIFETIME_SECONDS`."""
    import jwt

    issued_at = int(time.time() if now is None else now)
    expires_at = issued_at + LIFETIME_SECONDS
    text = jwt.encode(
        {
            "iss": issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": session,
            "iat": issued_at,
            "exp": expires_at,
            "jti": uuid4().hex,
        },
        signer.private_key,
        algorithm=signer.algorithm,
        headers={"kid": signer.kid, "typ": _TYPE},
    )
    return AccessToken(text, expires_at)


def key_id(token: str) -> str:
    """Which key says to have signed `token`. Raises InvalidToken when it cannot be one of ours."""
    if len(token) > _MAX_LENGTH:
        raise InvalidToken("too long")
    return _head_of(token.partition(".")[0]).kid


def verify(token: str, verifier: Verifier, *, issuer: str) -> Claims:
    """What `token` says, once signature, algorithm, issuer, audience and times are right. Raises InvalidToken.

    Only what `issue` makes is taken (RFC 8725, section 3): its head has these three members, its claims these types. The
    signature is looked at by PyJWT. Its `decode` is not used because it takes half as long again for what comes before;
    a test holds the two against each other.
    """
    if len(token) > _MAX_LENGTH:
        raise InvalidToken("too long")
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    said = _head_of(head)
    if said.alg != verifier.algorithm or said.kid != verifier.kid:
        raise InvalidToken(f"signed by {said.kid!r} with {said.alg!r}")
    try:
        if not _signatures(said.alg).verify(signed.encode(), verifier.public_key, _decoded(signature)):
            raise InvalidToken("the signature is not right")
        claims = _read_claims(_decoded(body))
    except _UNREADABLE as error:
        raise InvalidToken(str(error)) from error
    now = time.time()
    if claims.iss != issuer or claims.aud != AUDIENCE:
        raise InvalidToken("of another issuer, or for another audience")
    if claims.exp <= now - _LEEWAY_SECONDS:
        raise InvalidToken("it has expired")
    if claims.iat > now + _LEEWAY_SECONDS or claims.nbf > now + _LEEWAY_SECONDS:
        raise InvalidToken("it is not valid yet")
    return Claims(claims.sub, claims.sid, claims.exp + _LEEWAY_SECONDS)


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    alg: str
    kid: str
    typ: str


class _Claims(msgspec.Struct):
    iss: str
    aud: str
    sub: UUID
    sid: str
    exp: int
    iat: int
    jti: str
    nbf: int = 0


_read_head = msgspec.json.Decoder(_Head).decode
_read_claims = msgspec.json.Decoder(_Claims).decode


@lru_cache(maxsize=64)
def _head_of(text: str) -> _Head:
    """All tokens of a key have the same head, so it is read once. Raises InvalidToken."""
    try:
        head = _read_head(_decoded(text))
    except _UNREADABLE as error:
        raise InvalidToken(f"not a JWT: {error}") from error
    if head.typ != _TYPE or len(head.kid) > _MAX_KID_LENGTH:
        raise InvalidToken("not an access token")
    return head


@lru_cache(maxsize=4)
def _signatures(algorithm: str) -> Any:
    """PyJWT's part that verifies signatures of that algorithm."""
    import jwt

    return jwt.get_algorithm_by_name(algorithm)


def _decoded(text: str) -> bytes:
    """base64url without its end, written in the one way that there is (RFC 7515, section 2; RFC 4648, section 3.5)."""
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verifier_of(jwk: dict[str, Any]) -> Verifier:
    """The public key in a JWK of ours. Raises InvalidToken when its algorithm is not one that we sign with."""
    import jwt

    if jwk.get("alg") not in ALGORITHMS:
        raise InvalidToken(f"a key with the algorithm {jwk.get('alg')!r}")
    return Verifier(jwk["kid"], jwk["alg"], jwt.PyJWK(jwk).key)
