"""Which passwords are refused, and which are not."""

import pytest

from functions.identity.passwords.guessable import ABOUT, COMMON, PATTERN, why_refused

MARA = ("weir", "mara.lind@acme.dev", "Mara Lind-Öz")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("q1w2e3r4t5y6", COMMON),
        ("Q1W2E3R4T5Y6", COMMON),
        ("administrator", COMMON),
        ("!!Administrat0r!!", COMMON),
        ("password1234", COMMON),
        ("P@ssw0rd2026!", COMMON),
        ("".join(chr(ord(sign) + 0xFEE0) for sign in "password1234"), COMMON),
        ("123456789012", COMMON),
        ("aaaaaaaaaaaaaaaaaaaa", PATTERN),
        ("k7%ok7%ok7%o", PATTERN),
        ("letmein!letmein!", PATTERN),
        ("bcdefghijklmnopqrs", PATTERN),
        ("poiuytrewqlkjhgf", PATTERN),
        ("weir-2026-weir", ABOUT),
        ("mara.lind@acme.dev", ABOUT),
        ("marapassword1", ABOUT),
        ("dnilaram-12345", ABOUT),
        ("Acme12Acme34", ABOUT),
    ],
)
def test_what_is_tried_first_is_refused(password: str, why: str) -> None:
    assert why_refused(password, about=MARA) == why


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "gateway opens slowly",
        "x9Kann$8Lq2v",
        "8472-5530-9961",
        "mara and the heron on the river",
        "Weir, but with nine herons",
        "über den Fluß und weg",
        "съешь ещё этих булок",
        "🌊 fourteen grey geese",
    ],
)
def test_what_is_not_is_taken(password: str) -> None:
    assert why_refused(password, about=MARA) is None


def test_the_lists_have_what_they_say() -> None:
    """ASVS 5.0, 6.2.4: at least the 3,000 most frequent that the rule on the length lets through."""
    from functions.identity.passwords.guessable import _lines
    from functions.identity.passwords.hashing import MIN_LENGTH

    long, words = _lines("long.txt"), _lines("words.txt")
    assert (len(long), len(set(long))) == (10_000, 10_000)
    assert min(map(len, long)) >= MIN_LENGTH
    assert all(why_refused(password) == COMMON for password in long)
    assert all(word.isalpha() and 5 <= len(word) < MIN_LENGTH for word in words)
