"""What looks like a secret is not kept, whatever it stands in."""

import pytest

from shared.audit.masks import CHANGED, MASK, MAX_DEPTH, TOO_DEEP, masked, masked_text, secret
from shared.auth.keys import make_key


def test_a_secret_shows_that_it_is_there_and_whether_it_changed() -> None:
    assert secret(before=False, after=False, changed=False) == (None, None)
    assert secret(before=False, after=True, changed=True) == (None, MASK)
    assert secret(before=True, after=False, changed=True) == (MASK, None)
    assert secret(before=True, after=True, changed=False) == (MASK, MASK)
    assert secret(before=True, after=True, changed=True) == (MASK, CHANGED)


@pytest.mark.parametrize(
    "name",
    ["password", "clientSecret", "client_secret", "privateKey", "apiKey", "Authorization", "refreshToken"],
)
def test_members_that_are_called_secret_are_masked(name: str) -> None:
    assert masked({"auth": {name: "x"}}) == {"auth": {name: MASK}}
    assert masked({name: ["x", "y"]}) == {name: MASK}


def test_members_about_secrets_are_kept() -> None:
    kept = {"tokenUrl": "https://a.example/token", "secretCount": 2, "passwordChangedAt": "2026-01-01"}
    assert masked(kept) == kept
    assert masked({"signingSecrets": CHANGED}) == {"signingSecrets": CHANGED}


def test_a_schema_of_a_secret_is_none() -> None:
    schema = {"properties": {"password": {"type": "string"}}, "required": ["password"]}
    assert masked(schema) == schema


def test_headers_are_judged_more_strictly() -> None:
    headers = {"X-Api-Key": "1", "X-Signature": "2", "Cookie": "3", "X-Tenant": "4"}
    assert masked({"headers": headers}) == {
        "headers": {"X-Api-Key": MASK, "X-Signature": MASK, "Cookie": MASK, "X-Tenant": "4"}
    }


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://me:hunter2@a.example/x", f"https://me:{MASK}@a.example/x"),
        ("https://a.example/x?api_key=abc&y=1", f"https://a.example/x?api_key={MASK}&y=1"),
        ("https://a.example/x?page=2", "https://a.example/x?page=2"),
        ("mail anna@a.example: it is 10:30", "mail anna@a.example: it is 10:30"),
        ("Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0In0.c2ln", f"Bearer {MASK}"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", MASK),
        ("$argon2id$v=19$m=19456$c2FsdA$aGFzaA", MASK),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", MASK),
        ("a\0b", "a\ufffdb"),
    ],
)
def test_texts_that_look_like_secrets(text: str, kept: str) -> None:
    assert masked_text(text) == kept
    assert masked([{"x": text}]) == [{"x": kept}]


def test_a_key_keeps_what_it_is_known_by() -> None:
    key = make_key()
    assert masked_text(f"<{key.text}>") == f"<weir_{key.id}_{MASK}>"


def test_what_is_nested_too_deep_is_cut() -> None:
    nested: object = "x"
    for _ in range(MAX_DEPTH + 5):
        nested = [nested]
    text = repr(masked(nested))
    assert TOO_DEEP in text
