"""Tokens that others have signed: JWTs (RFC 7519, RFC 8725) of OIDC issuers, verified with their keys."""

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.auth.tokens import InvalidToken

MAX_LENGTH = 8 * 1024
LEEWAY_SECONDS = 30
"""How far an issuer's clock may be ahead of ours: `nbf` and `iat`. A token that has expired is not taken."""

MAX_KEYS = 100
MIN_RSA_BITS = 2048

_ALGORITHMS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""What is taken, and the kind of key it needs. A token's own header never chooses beyond that."""

_UNREADABLE = (msgspec.DecodeError, binascii.Error, ValueError, RecursionError)

_CURVES = {"EC": {"P-256"}, "OKP": {"Ed25519"}}


@dataclass(frozen=True, slots=True)
class OutsideKey:
    """A public key of an issuer. `algorithm` is the only one that its owner wants it used with, if any."""

    kid: str | None
    kind: str
    algorithm: str | None
    public_key: Any


@dataclass(frozen=True, slots=True)
class OutsideClaims:
    """What a verified token says. `expires_at` is in seconds since 1970, `said` all of it as it came."""

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires_at: float
    said: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


class _Head(msgspec.Struct):
    alg: str
    kid: str | None = None


class _Issuer(msgspec.Struct):
    iss: str | None = None


def claimed_issuer(token: str) -> str | None:
    """Who says to have signed `token`: not verified. None for what is no JWT."""
    if len(token) > MAX_LENGTH:
        return None
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return msgspec.json.decode(_decoded(parts[1]), type=_Issuer).iss
    except _UNREADABLE:
        return None


def claimed_key(token: str) -> tuple[str, str | None]:
    """The algorithm and the key id in the head of `token`. Raises InvalidToken for what is never taken."""
    try:
        head = msgspec.json.decode(_decoded(token.partition(".")[0]), type=_Head)
    except _UNREADABLE as error:
        raise InvalidToken(f"not a JWT: {error}") from error
    if head.alg not in _ALGORITHMS:
        raise InvalidToken(f"signed with {head.alg!r}")
    return head.alg, head.kid


def choose(keys: Sequence[OutsideKey], algorithm: str) -> OutsideKey:
    """The one of `keys` that may verify that algorithm. Raises InvalidToken unless it is exactly one."""
    fitting = [
        key for key in keys if key.kind == _ALGORITHMS[algorithm] and key.algorithm in {None, algorithm}
    ]
    if len(fitting) != 1:
        raise InvalidToken(f"{len(fitting)} keys could have signed it")
    return fitting[0]


def verify_outside(token: str, algorithm: str, key: OutsideKey, *, issuer: str) -> OutsideClaims:
    """What `token` says, once signature, issuer and times are right. Raises InvalidToken.

    Whom it is for is the caller's to check: `audiences`.
    """
    import jwt

    try:
        claims = jwt.decode(
            token,
            key.public_key,
            algorithms=[algorithm],
            issuer=issuer,
            options={
                "require": ["iss", "aud", "sub", "exp"],
                "verify_aud": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        expires_at = float(claims["exp"])
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidToken(str(error)) from error
    latest = time.time() + LEEWAY_SECONDS
    for name in ("nbf", "iat"):
        at = claims.get(name)
        if at is not None and (isinstance(at, bool) or not isinstance(at, int | float) or at > latest):
            raise InvalidToken(f"{name} is not yet")
    audience = claims["aud"]
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not all(isinstance(one, str) for one in audiences):
        raise InvalidToken("aud is not text")
    return OutsideClaims(issuer, claims["sub"], tuple(audiences), expires_at, claims)


def read_keys(document: dict[str, Any]) -> Sequence[OutsideKey]:
    """The keys of a JWK set (RFC 7517) that can verify what is taken; others are passed over.

    Raises InvalidToken for what is not a JWK set.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise InvalidToken("not a JWK set")
    return [key for jwk in listed[:MAX_KEYS] if (key := _read_key(jwk)) is not None]


def _read_key(jwk: Any) -> OutsideKey | None:
    import jwt

    if not isinstance(jwk, dict):
        return None
    texts = [jwk.get(name) for name in ("kty", "crv", "alg", "kid")]
    if not all(text is None or isinstance(text, str) for text in texts):
        return None
    kind, curve, algorithm, kid = texts
    if kind is None or kind not in _ALGORITHMS.values() or jwk.get("use", "sig") != "sig":
        return None
    if kind in _CURVES and curve not in _CURVES[kind]:
        return None
    if algorithm is not None and _ALGORITHMS.get(algorithm) != kind:
        return None
    assumed = algorithm or next(name for name, needed in _ALGORITHMS.items() if needed == kind)
    public = {name: value for name, value in jwk.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}
    try:
        key = jwt.PyJWK(public, algorithm=assumed).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if kind == "RSA" and key.key_size < MIN_RSA_BITS:
        return None
    return OutsideKey(kid, kind, algorithm, key)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
