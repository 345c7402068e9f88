"""Codes by the vectors of the specifications."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.identity.second_factor.recovery import make_codes, read_code
from functions.identity.second_factor.totp import (
    STEP_SECONDS,
    address,
    code_at,
    make_secret,
    step_of,
    written,
)

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    # RFC 6238, appendix B, for SHA-1, the last six of its eight digits.
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_rfc_6238(at: int, code: str) -> None:
    assert code_at(SECRET, at // STEP_SECONDS) == code


@pytest.mark.parametrize(
    ("counter", "code"),
    # RFC 4226, appendix D.
    [
        *((0, "755224"), (1, "287082"), (2, "359152"), (3, "969429"), (4, "338314")),
        *((5, "254676"), (6, "287922"), (7, "162583"), (8, "399871"), (9, "520489")),
    ],
)
def test_the_vectors_of_rfc_4226(counter: int, code: str) -> None:
    assert code_at(SECRET, counter) == code


@given(st.integers(0, 2**40), st.integers(-3, 3))
def test_a_code_is_good_one_step_either_way(now: int, around: int) -> None:
    step = max(0, now // STEP_SECONDS + around)
    found = step_of(SECRET, code_at(SECRET, step), now=now, after=-1)
    near = {code_at(SECRET, max(0, now // STEP_SECONDS + n)) for n in (-1, 0, 1)}
    assert (found is not None) == (code_at(SECRET, step) in near)


@given(st.integers(1000, 2**40))
def test_a_code_that_was_used_is_used_up(now: int) -> None:
    step = now // STEP_SECONDS
    assert step_of(SECRET, code_at(SECRET, step), now=now, after=step - 1) == step
    if code_at(SECRET, step) != code_at(SECRET, step + 1):
        assert step_of(SECRET, code_at(SECRET, step), now=now, after=step) is None


def test_what_a_qr_code_says() -> None:
    uri = urlsplit(address(SECRET, issuer="Weir weir.acme.dev:8480", account="mara+x@acme.dev"))
    assert uri.path == "/Weir%20weir.acme.dev%3A8480:mara%2Bx@acme.dev"
    assert parse_qs(uri.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["Weir weir.acme.dev:8480"],
    }
    assert len(written(make_secret())) == 32


def test_recovery_codes_are_read_as_people_type_them() -> None:
    code = make_codes()[0]
    plain = code.replace("-", "")
    for typed in (code, plain, code.upper(), f" {plain[:4]} {plain[4:8]}\t{plain[8:]} "):
        assert read_code(typed) == plain
    for wrong in ("", plain[:-1], plain + "a", "0" * 12, "l" * 12, "é" * 12):
        assert read_code(wrong) is None
