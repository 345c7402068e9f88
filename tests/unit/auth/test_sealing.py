"""Sealed bytes open with the same secret for the same purpose, and with no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.auth.sealing import UnsealError, seal, unseal

SECRET = SecretStr("a secret of the deployment")


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_comes_back(plain: bytes, purpose: bytes) -> None:
    assert unseal(SECRET, seal(SECRET, plain, purpose=purpose), purpose=purpose) == plain


def test_the_same_twice_looks_different_and_shows_nothing() -> None:
    first, second = seal(SECRET, b"whsec_abc"), seal(SECRET, b"whsec_abc")
    assert first != second
    assert b"whsec" not in first


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    sealed = bytearray(seal(SECRET, b"plain"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(UnsealError):
        unseal(SECRET, bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 12, b"\x02" + b"0" * 40])
def test_what_was_not_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(SECRET, sealed)


def test_another_secret_or_purpose_does_not_open_it() -> None:
    sealed = seal(SECRET, b"plain", purpose=b"a")
    for secret, purpose in (("another", b"a"), (SECRET, b"b"), (SECRET, b"")):
        with pytest.raises(UnsealError):
            unseal(secret, sealed, purpose=purpose)
