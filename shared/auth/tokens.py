"""Access tokens: JWTs signed with EdDSA or ES256, ten minutes long (RFC 9068 as far as it concerns one API)."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

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
    import jwt

    if len(token) > _MAX_LENGTH:
        raise InvalidToken("too long")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise InvalidToken(f"not a JWT: {error}") from error
    kid = header.get("kid")
    if header.get("typ") != _TYPE or not isinstance(kid, str) or len(kid) > 64:
        raise InvalidToken("not an access token")
    return kid


def verify(token: str, verifier: Verifier, *, issuer: str) -> Claims:
    """What `token` says, once signature, algorithm, issuer, audience and times are right. Raises InvalidToken."""
    import jwt

    try:
        claims = jwt.decode(
            token,
            verifier.public_key,
            algorithms=[verifier.algorithm],
            audience=AUDIENCE,
            issuer=issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "aud", "sub", "sid", "exp", "iat", "jti"], "strict_aud": True},
        )
        return Claims(UUID(claims["sub"]), str(claims["sid"]), claims["exp"] + _LEEWAY_SECONDS)
    except (jwt.PyJWTError, ValueError) as error:
        raise InvalidToken(str(error)) from error


def verifier_of(jwk: dict[str, Any]) -> Verifier:
    """The public key in a JWK of ours. Raises InvalidToken when its algorithm is not one that we sign with."""
    import jwt

    if jwk.get("alg") not in ALGORITHMS:
        raise InvalidToken(f"a key with the algorithm {jwk.get('alg')!r}")
    return Verifier(jwk["kid"], jwk["alg"], jwt.PyJWK(jwk).key)
