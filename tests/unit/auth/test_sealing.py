"""Sealed bytes open with the same keys for the same purpose, and with no others."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from shared.auth.sealing import FROM_SECRET, SealingKeys, UnsealError, rewrap, seal, sealed_with, unseal
from shared.auth.sealing_keys import make_sealing_key, parsed
from shared.runtime.settings import Settings

SECRET = SecretStr("a secret of the deployment")
OLD, NEW = make_sealing_key("2026"), make_sealing_key("2027")
DERIVED = SealingKeys(SECRET)
NAMED = SealingKeys(SECRET, OLD)
BOTH = SealingKeys(SECRET, f"{NEW},{OLD}")
RINGS = [DERIVED, NAMED, BOTH]

rings = st.sampled_from(RINGS)


@given(rings, st.binary(max_size=200), st.binary(max_size=20))
def test_what_was_sealed_comes_back(keys: SealingKeys, plain: bytes, purpose: bytes) -> None:
    assert unseal(keys, seal(keys, plain, purpose=purpose), purpose=purpose) == plain


@pytest.mark.parametrize("keys", RINGS, ids=repr)
def test_the_same_twice_looks_different_and_shows_nothing(keys: SealingKeys) -> None:
    first, second = seal(keys, b"whsec_abc"), seal(keys, b"whsec_abc")
    assert first != second
    assert b"whsec" not in first


@given(rings, st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_noticed(keys: SealingKeys, position: int, change: int) -> None:
    sealed = bytearray(seal(keys, b"plain"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(UnsealError):
        unseal(keys, bytes(sealed))


@given(rings, st.integers(min_value=0))
def test_what_was_cut_off_is_noticed(keys: SealingKeys, length: int) -> None:
    sealed = seal(keys, b"plain")
    with pytest.raises(UnsealError):
        unseal(keys, sealed[: length % len(sealed)])


@pytest.mark.parametrize(
    "sealed",
    [b"", b"\x01", b"\x01" + b"0" * 12, b"\x02", b"\x02\xff", b"\x02\x04gone" + b"0" * 99, b"\x03" * 40],
)
def test_what_was_not_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(BOTH, sealed)


@pytest.mark.parametrize("keys", RINGS, ids=repr)
def test_other_keys_or_another_purpose_do_not_open_it(keys: SealingKeys) -> None:
    sealed = seal(keys, b"plain", purpose=b"a")
    strange = SealingKeys(
        "another", [None, make_sealing_key("2026"), make_sealing_key("2027")][RINGS.index(keys)]
    )
    for others, purpose in ((strange, b"a"), (keys, b"b"), (keys, b"")):
        with pytest.raises(UnsealError):
            unseal(others, sealed, purpose=purpose)


def test_what_was_sealed_before_keys_were_named_opens_with_them() -> None:
    assert unseal(BOTH, seal(DERIVED, b"plain", purpose=b"a"), purpose=b"a") == b"plain"


def test_the_first_key_seals_and_every_one_opens() -> None:
    assert seal(BOTH, b"plain").startswith(sealed_with("2027"))
    assert unseal(BOTH, seal(NAMED, b"plain")) == b"plain"
    with pytest.raises(UnsealError, match="2027"):
        unseal(NAMED, seal(BOTH, b"plain"))


@given(rings, rings, st.binary(max_size=50))
def test_a_secret_goes_from_any_key_to_any_other(
    before: SealingKeys, after: SealingKeys, purpose: bytes
) -> None:
    every = SealingKeys(SECRET, f"{NEW},{OLD}")
    wanted, _ = after.first()
    listed = ",".join([wanted if wanted == FROM_SECRET else {"2026": OLD, "2027": NEW}[wanted]])
    rest = ",".join(k for k in (OLD, NEW) if k not in listed)
    moved = rewrap(
        SealingKeys(SECRET, f"{listed},{rest}"), seal(before, b"plain", purpose=purpose), purpose=purpose
    )
    assert moved.startswith(sealed_with(wanted))
    assert unseal(every, moved, purpose=purpose) == b"plain"
    assert unseal(after, moved, purpose=purpose) == b"plain"


def test_between_envelopes_the_secret_itself_stays_as_it_is() -> None:
    before = seal(NAMED, b"plain")
    after = rewrap(BOTH, before)
    assert after[-33:] == before[-33:]
    with pytest.raises(UnsealError):
        rewrap(DERIVED, before)


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of this year\n{OLD}\n")
    keys = SealingKeys(SECRET, file=str(file))
    assert seal(keys, b"plain").startswith(sealed_with("2026"))
    exchanged = tmp_path / "next"
    exchanged.write_text(f"{NEW}\n{OLD}\n")
    exchanged.replace(file)  # as a mounted secret is exchanged
    assert unseal(keys, seal(BOTH, b"plain")) == b"plain"
    assert seal(keys, b"plain").startswith(sealed_with("2027"))
    file.unlink()
    assert unseal(keys, seal(keys, b"plain")) == b"plain"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "a",
        "a:",
        "a:c2hvcnQ=",
        f"{OLD},{OLD}",
        "secret:" + OLD[5:],
        "ä:" + OLD[5:],
        OLD[5:],
        f"{OLD}x",
    ],
    ids=["", "commas", "no key", "empty", "short", "twice", "reserved", "not ASCII", "no id", "not base64"],
)
def test_keys_that_cannot_be_used_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"sealing key|secret") as refused:
        parsed(text)
    assert OLD[5:20] not in str(refused.value)
    with pytest.raises(ValidationError) as error:
        Settings(
            database_url="postgresql://a",
            redis_url="redis://a",
            secret="b" * 32,
            sealing_keys=SecretStr(text),
        )
    assert OLD[5:20] not in str(error.value)


def test_keys_are_not_shown() -> None:
    settings = Settings(
        database_url="postgresql://a",
        redis_url="redis://a",
        secret="b" * 32,
        sealing_keys=SecretStr(BOTH_TEXT),
    )
    assert repr(settings.sealing) == "SealingKeys(2027, 2026, secret)"
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert OLD[5:] not in shown


BOTH_TEXT = f"{NEW},{OLD}"
