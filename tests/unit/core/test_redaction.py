"""Secrets taken out of what sinks and token endpoints say."""

import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from shared.core.redaction import REDACTED, SHORTEST, redact, redact_text, spellings

SECRET = 'to/k"en ä'
secrets = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=SHORTEST, max_size=40)


@given(secrets, st.binary(max_size=50), st.binary(max_size=50))
def test_no_spelling_of_a_secret_is_left(secret: str, before: bytes, after: bytes) -> None:
    forms = spellings(secret)
    echoes = [
        secret.encode(),
        json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        quote(secret, safe="").encode(),
    ]
    for echo in echoes:
        left = redact(before + echo + after, forms)
        assert REDACTED.encode() in left
        if not any(form in REDACTED.encode() for form in forms):
            assert not any(form in left.replace(REDACTED.encode(), b"\0") for form in forms)


@given(secrets, st.binary(max_size=50), st.integers(min_value=SHORTEST))
def test_a_cut_leaves_no_beginning_of_a_secret(secret: str, before: bytes, length: int) -> None:
    part = secret.encode()[: min(length, len(secret.encode()) - 1)]
    if len(part) < SHORTEST:
        return
    left = redact(before + part, [secret.encode()], cut=True)
    assert left.endswith(REDACTED.encode())
    assert not left.removesuffix(REDACTED.encode()).endswith(part)


@given(st.binary(max_size=200))
def test_what_has_no_secret_stays_as_it_is(data: bytes) -> None:
    assert redact(data, [b"never-in-there-0123456789"]) == data


def test_the_longest_goes_first() -> None:
    assert (
        redact_text("Basic abcdefgh", sorted((b"abcd", b"abcdefgh"), key=len, reverse=True))
        == "Basic [redacted]"
    )
    assert spellings("abc") == ()
    assert b'to\\/k\\"en ' in b" ".join(spellings(SECRET))
