"""The form of API keys and what is kept of them."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.auth.keys import ApiKeyText, hash_secret, hash_token, is_key, is_key_id, make_key, parse_key

SECRET = SecretStr("a secret of the deployment")


def test_a_key_survives_being_written_and_read() -> None:
    key = make_key()
    assert parse_key(key.text) == key
    assert key.text.count("_") == 2
    assert is_key_id(key.id)
    assert key.secret not in repr(key)
    assert make_key() != key


@given(st.text(max_size=80) | st.text(alphabet="_aZ0é", min_size=50, max_size=70).map("weir_".__add__))
def test_only_the_exact_form_is_a_key(text: str) -> None:
    found = parse_key(text)
    assert found is None or found.text == text


def test_a_hash_proves_one_key_under_one_secret() -> None:
    key = make_key()
    kept = hash_secret(SECRET, key)
    assert len(kept) == 32
    assert is_key(SECRET, key, kept)
    assert is_key("a secret of the deployment", key, kept)
    assert not is_key("another", key, kept)
    assert not is_key(SECRET, ApiKeyText(key.id, make_key().secret), kept)
    assert not is_key(SECRET, ApiKeyText(make_key().id, key.secret), kept)


def test_hashes_for_different_purposes_differ() -> None:
    assert hash_token(SECRET, "a", "token") != hash_token(SECRET, "b", "token")
