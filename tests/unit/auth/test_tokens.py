"""A token is taken exactly when PyJWT takes it, and it is one that `issue` could have made."""

import base64
import json
import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.auth.signing_keys import _make, _public_jwk
from shared.auth.tokens import (
    ALGORITHMS,
    AUDIENCE,
    InvalidToken,
    Signer,
    Verifier,
    issue,
    key_id,
    verifier_of,
    verify,
)

ISSUER = "https://weir.example.com"
USER = uuid4()
SIGNERS = {name: Signer(f"a key for {name}", name, _make(name)) for name in sorted(ALGORITHMS)}
VERIFIERS = {
    name: verifier_of(_public_jwk(signer.private_key, signer.kid, name)) for name, signer in SIGNERS.items()
}
algorithms = st.sampled_from(sorted(ALGORITHMS))

CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": str(USER),
    "sid": "a session",
    "jti": "an id",
}


def taken_by_pyjwt(token: str, verifier: Verifier) -> bool:
    """By what the library says, with the same wishes."""
    try:
        head = jwt.get_unverified_header(token)
        claims = jwt.decode(
            token,
            verifier.public_key,
            algorithms=[verifier.algorithm],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=5,
            options={"require": ["iss", "aud", "sub", "sid", "exp", "iat", "jti"], "strict_aud": True},
        )
        UUID(claims["sub"])
    except (jwt.PyJWTError, ValueError):
        return False
    return head.get("typ") == "at+jwt"


def is_taken(token: str, verifier: Verifier) -> bool:
    try:
        key_id(token)
        verify(token, verifier, issuer=ISSUER)
    except InvalidToken:
        return False
    return True


def signed(signer: Signer, claims: dict[str, Any], **head: Any) -> str:
    return jwt.encode(
        claims,
        signer.private_key,
        algorithm=signer.algorithm,
        headers={"kid": signer.kid, "typ": "at+jwt", **head},
    )


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_what_was_issued_is_taken(algorithm: str) -> None:
    token = issue(SIGNERS[algorithm], issuer=ISSUER, user_id=USER, session="s").text
    claims = verify(token, VERIFIERS[algorithm], issuer=ISSUER)
    assert (claims.user_id, claims.session) == (USER, "s")
    assert taken_by_pyjwt(token, VERIFIERS[algorithm])
    assert key_id(token) == SIGNERS[algorithm].kid
    for other in ALGORITHMS - {algorithm}:
        assert not is_taken(token, VERIFIERS[other])
    assert not is_taken(token, Verifier("another", algorithm, VERIFIERS[algorithm].public_key))


times = st.sampled_from([-700, -6, -4, 0, 4, 6, 700])


@given(algorithms, times, times, st.one_of(st.none(), times))
def test_times_are_judged_as_pyjwt_does(algorithm: str, exp: int, iat: int, nbf: int | None) -> None:
    now = int(time.time())
    claims = CLAIMS | {"exp": now + exp, "iat": now + iat} | ({} if nbf is None else {"nbf": now + nbf})
    token = signed(SIGNERS[algorithm], claims)
    assert is_taken(token, VERIFIERS[algorithm]) == taken_by_pyjwt(token, VERIFIERS[algorithm])


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=5), max_size=2)
)


@given(algorithms, st.sampled_from([*CLAIMS, "exp", "iat", "nbf"]), values, st.booleans())
def test_nothing_is_taken_that_pyjwt_refuses(
    algorithm: str, name: str, value: Any, is_left_out: bool
) -> None:
    now = int(time.time())
    claims = CLAIMS | {"exp": now + 60, "iat": now, name: value}
    if is_left_out:
        del claims[name]
    try:
        token = signed(SIGNERS[algorithm], claims)
    except TypeError:
        return  # PyJWT does not write it either
    if is_taken(token, VERIFIERS[algorithm]):
        assert taken_by_pyjwt(token, VERIFIERS[algorithm])


GOOD = {
    name: issue(signer, issuer=ISSUER, user_id=USER, session="s").text.split(".")
    for name, signer in SIGNERS.items()
}


@given(algorithms, st.integers(0, 2), st.integers(min_value=0), st.sampled_from("ABab01_-.=+/ \n\u00e9"))
def test_a_changed_letter_is_taken_by_neither(algorithm: str, part: int, place: int, letter: str) -> None:
    parts = list(GOOD[algorithm])
    place %= len(parts[part])
    parts[part] = parts[part][:place] + letter + parts[part][place + 1 :]
    token = ".".join(parts)
    if is_taken(token, VERIFIERS[algorithm]):
        assert taken_by_pyjwt(token, VERIFIERS[algorithm])


@given(st.text(alphabet='eyJhbGciOi.=-_{}"', max_size=60), algorithms)
def test_rubbish_is_refused(token: str, algorithm: str) -> None:
    assert not is_taken(token, VERIFIERS[algorithm])


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "head",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": ["EdDSA"]},
        {"crit": ["b64"], "b64": False},
        {"jwk": {"kty": "OKP"}},
        {"typ": "JWT"},
        {"kid": "x" * 65},
        {"kid": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_only_our_own_head_is_taken(algorithm: str, head: dict[str, Any]) -> None:
    signer = SIGNERS[algorithm]
    whole = {"alg": algorithm, "kid": signer.kid, "typ": "at+jwt"} | head
    text = f"{_part(whole)}.{GOOD[algorithm][1]}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(text.encode(), signer.private_key)
    for ending in (base64.urlsafe_b64encode(signature).decode().rstrip("="), "", GOOD[algorithm][2]):
        assert not is_taken(f"{text}.{ending}", VERIFIERS[algorithm])


def test_what_is_too_long_is_not_read() -> None:
    with pytest.raises(InvalidToken, match="too long"):
        verify("a." * 4000, VERIFIERS["EdDSA"], issuer=ISSUER)
