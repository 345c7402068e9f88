"""Secrets taken out of what sinks and token endpoints say."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.redaction import REDACTED, SHORTEST, redact, redact_text, spellings
from shared.sending.redaction import signatures

SECRET = 'to/k"en ä'
secrets = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=SHORTEST, max_size=40)


def _escaped(secret: str, hexadecimal: str) -> str:
    """As a JSON text with everything escaped that can be taken for more than a letter or a digit."""
    return "".join(
        one
        if one.isascii() and one.isalnum()
        else "".join(
            f"\\u{int.from_bytes(unit, 'big'):{hexadecimal}}"
            for unit in re.findall(b"(?s)..", one.encode("utf-16-be"))
        )
        for one in secret
    )


@given(secrets, st.binary(max_size=50), st.binary(max_size=50))
def test_no_spelling_of_a_secret_is_left(secret: str, before: bytes, after: bytes) -> None:
    forms = spellings(secret)
    echoes = [
        secret.encode(),
        json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        quote(secret, safe="").encode(),
        re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")).encode(),
        json.dumps(secret)[1:-1].encode(),
        json.dumps(secret)[1:-1].replace("/", "\\/").encode(),
        _escaped(secret, "04x").encode(),
        _escaped(secret, "04X").encode(),
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


@pytest.mark.parametrize(
    "echo",
    [
        "ab%2bcd%2fef%3d%3d%26%c3%a4",
        "ab+cd/ef==&\\u00e4",
        "ab+cd\\/ef==&\\u00e4",
        "ab+cd/ef==\\u0026ä",
        "ab+cd/ef\\u003d\\u003d\\u0026ä",
        "ab\\u002Bcd/ef==\\u0026\\u00E4",
        "ab\\u002bcd\\u002fef\\u003d\\u003d\\u0026\\u00e4",
    ],
    ids=["net-url", "python", "php", "go", "gson", "net-json", "all"],
)
def test_what_others_make_of_a_secret_is_found(echo: str) -> None:
    assert redact_text(f"<{echo}>", spellings("ab+cd/ef==&ä")) == "<[redacted]>"


def test_a_signature_is_found_without_its_version() -> None:
    given = signatures(
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe4="
    )
    for echo in (
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        "K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ):
        assert redact_text(f"<{echo}>", given) == "<[redacted]>"


def test_the_longest_goes_first() -> None:
    assert (
        redact_text("Basic abcdefgh", sorted((b"abcd", b"abcdefgh"), key=len, reverse=True))
        == "Basic [redacted]"
    )
    assert spellings("abc") == ()
    assert b'to\\/k\\"en ' in b" ".join(spellings(SECRET))
