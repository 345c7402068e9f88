"""Signatures: of others' making, and everything that is wrong with some."""

import base64
import json
import time
from typing import Any

import pytest

from shared.core.problems import UNAUTHENTICATED, Problem
from shared.core.webhooks.load import load_kinds
from shared.core.webhooks.recipe import Signing, read_settings
from shared.core.webhooks.verify import MAX_ITEMS, Signed, has_token, verify
from tests.support import webhooks
from tests.support.webhooks import raw

BODY = b'{"type": "user.created", "n": 1.0}'
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(b"o" * 32).decode()
SECRETS = {"github": "a secret", "stripe": "whsec_a_secret", "slack": "a" * 32, "shopify": "shpss_12345678"}


def signing(kind: str, **settings: Any) -> Signing:
    found = read_settings(load_kinds()[kind], settings).signing
    assert found is not None
    return found


def refusal(*arguments: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        verify(*arguments, **named)
    assert raised.value.kind is UNAUTHENTICATED
    assert raised.value.headers["WWW-Authenticate"].startswith('Webhook header="')
    return raised.value


def signed_by(kind: str, secret: str, body: bytes = BODY) -> dict[str, str]:
    match kind:
        case "github":
            return webhooks.github(secret, body, "push")
        case "stripe":
            return webhooks.stripe(secret, body)
        case "slack":
            return webhooks.slack(secret, body)
        case _:
            return webhooks.shopify(secret, body, "orders/create")


# --- what the third parties publish -----------------------------------------------------------------------


def test_githubs_published_values() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing"."""
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = raw({"X-Hub-Signature-256": signature})
    assert (
        verify(signing("github"), ["It's a Secret to Everybody"], headers, b"Hello, World!", now=0)
        == Signed()
    )


def test_slacks_published_values() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack, the step by step example."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = raw(
        {
            "X-Slack-Request-Timestamp": "1531420618",
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        }
    )
    found = verify(signing("slack"), ["8f742231b10e8888abcd99yyyzzz85a5"], headers, body, now=1531420618)
    assert found == Signed(timestamp="1531420618")


def test_standard_webhooks_published_values() -> None:
    """The example of the specification, which its libraries test themselves by."""
    headers = raw(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
    )
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    found = verify(signing("standard-webhooks"), [secret], headers, b'{"test": 2432232314}', now=1614265330)
    assert found == Signed("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


# --- signatures that others make --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SECRETS)
def test_what_openssl_signs_is_taken(kind: str) -> None:
    verify(signing(kind), [SECRETS[kind]], raw(signed_by(kind, SECRETS[kind])), BODY, now=time.time())


def test_what_standardwebhooks_signs_is_taken() -> None:
    found = verify(
        signing("standard-webhooks"), [WHSEC], raw(webhooks.standard(WHSEC, BODY)), BODY, now=time.time()
    )
    assert found.id == "msg_1"


def test_ed25519_is_taken_by_its_public_key() -> None:
    sender, stranger = webhooks.Asymmetric(), webhooks.Asymmetric()
    headers = raw(sender.sign(BODY))
    verify(signing("standard-webhooks"), [WHSEC, sender.public], headers, BODY, now=time.time())
    refusal(signing("standard-webhooks"), [WHSEC, stranger.public], headers, BODY, now=time.time())
    refusal(signing("standard-webhooks"), [sender.public], headers, BODY + b" ", now=time.time())


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("secret_encoding", ["raw", "hex", "base64"])
def test_every_setting_of_the_generic_kind(algorithm: str, encoding: str, secret_encoding: str) -> None:
    key = b"0123456789abcdef"
    secret = {"raw": key.decode(), "hex": key.hex(), "base64": base64.b64encode(key).decode()}[
        secret_encoding
    ]
    made = webhooks.openssl_hmac(key, b"7|m|" + BODY, algorithm)
    text = made.hex() if encoding == "hex" else base64.b64encode(made).decode()
    chosen = signing(
        "hmac",
        header="X-Sig",
        prefix="s=",
        separator=";",
        algorithm=algorithm,
        encoding=encoding,
        secretEncoding=secret_encoding,
        signed="{timestamp}|{id}|{body}",
        timestampHeader="X-At",
        idHeader="X-Id",
        toleranceSeconds=10,
    )
    headers = raw({"x-sig": f"s=ff; s={text}", "x-at": "7", "x-id": "m"})
    assert verify(chosen, [secret], headers, BODY, now=17) == Signed("m", "7")
    refusal(chosen, [secret], headers, BODY, now=18)


# --- what is wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SECRETS)
def test_another_body_secret_or_signature_is_refused(kind: str) -> None:
    headers, now = signed_by(kind, SECRETS[kind]), time.time()
    chosen, secret = signing(kind), SECRETS[kind]
    assert "does not fit" in refusal(chosen, [secret], raw(headers), BODY.replace(b"1", b"2"), now=now).detail
    refusal(chosen, [secret], raw(headers), b"", now=now)
    other = "whsec_another" if kind == "stripe" else "another secret"
    refused = refusal(chosen, [other], raw(headers), BODY, now=now)
    name = chosen.described.header
    expected = headers[name].removeprefix("sha256=").removeprefix("v0=").rpartition("v1=")[2]
    assert secret not in str(refused)
    assert expected not in str(refused)
    assert name in refused.detail
    refusal(chosen, [], raw(headers), BODY, now=now)


@pytest.mark.parametrize("kind", [*SECRETS, "standard-webhooks"])
def test_every_header_that_is_needed_is_asked_for_and_must_be_there_once(kind: str) -> None:
    described = signing(kind).described
    secret = SECRETS.get(kind, WHSEC)
    headers = signed_by(kind, secret) if kind in SECRETS else webhooks.standard(secret, BODY)
    needed = {described.header, described.id_header}
    needed.add(described.timestamp.header if described.timestamp is not None else None)
    for name in needed - {None}:
        assert name is not None
        left = [(n, v) for n, v in raw(headers) if n != name.lower().encode()]
        assert name in refusal(signing(kind), [secret], left, BODY, now=time.time()).detail
        empty = [*left, (name.lower().encode(), b" ")]
        assert name in refusal(signing(kind), [secret], empty, BODY, now=time.time()).detail
        twice = [*raw(headers), (name.encode(), b"x")]
        assert "more than once" in refusal(signing(kind), [secret], twice, BODY, now=time.time()).detail


@pytest.mark.parametrize("kind", ["stripe", "slack", "standard-webhooks"])
@pytest.mark.parametrize("skew", [-301, 301, -10_000, 10_000])
def test_what_is_too_old_or_too_new_is_refused(kind: str, skew: int) -> None:
    at = 1_700_000_000
    headers = {
        "stripe": webhooks.stripe(SECRETS["stripe"], BODY, at),
        "slack": webhooks.slack(SECRETS["slack"], BODY, at),
        "standard-webhooks": webhooks.standard(WHSEC, BODY, at=at),
    }[kind]
    secret = SECRETS.get(kind, WHSEC)
    assert "300 seconds" in refusal(signing(kind), [secret], raw(headers), BODY, now=at + skew).detail
    for near in (-300, 0, 300):
        verify(signing(kind), [secret], raw(headers), BODY, now=at + near)
    wider = signing(kind, toleranceSeconds=20_000)
    verify(wider, [secret], raw(headers), BODY, now=at + skew)


@pytest.mark.parametrize("given", ["", "now", "-1", "1.5", "1e9", " 17", "\uff11\uff17", "9" * 13])
def test_a_time_that_is_none_is_refused(given: str) -> None:
    headers = webhooks.slack(SECRETS["slack"], BODY) | {"X-Slack-Request-Timestamp": given}
    refusal(signing("slack"), [SECRETS["slack"]], raw(headers), BODY, now=17)
    signature = f"t={given},v1=00"
    refusal(signing("stripe"), [SECRETS["stripe"]], raw({"Stripe-Signature": signature}), BODY, now=17)


@pytest.mark.parametrize("signature", ["v1=00", "t=1,t=2,v1=00", "t=17", "t=17,v0=00", ",,,", "t=17,v1="])
def test_a_header_without_what_it_must_have_is_refused(signature: str) -> None:
    refusal(signing("stripe"), [SECRETS["stripe"]], raw({"Stripe-Signature": signature}), BODY, now=17)


def test_signatures_in_another_encoding_do_not_fit() -> None:
    made = webhooks.openssl_hmac(b"a secret", BODY)
    for text in (
        base64.b64encode(made).decode(),
        made.hex()[:-1],
        made.hex() + "00",
        "sha256=" + made.hex(),
        "é",
    ):
        refusal(signing("github"), ["a secret"], raw({"X-Hub-Signature-256": f"sha256={text}"}), BODY, now=0)
    verify(
        signing("github"),
        ["a secret"],
        raw({"X-Hub-Signature-256": f"sha256={made.hex().upper()}"}),
        BODY,
        now=0,
    )
    refusal(signing("github"), ["a secret"], raw({"X-Hub-Signature-256": made.hex()}), BODY, now=0)
    other = base64.urlsafe_b64encode(b"\xff" * 32).decode()
    refusal(signing("shopify"), ["a secret"], raw({"X-Shopify-Hmac-SHA256": other}), BODY, now=0)


def test_one_of_several_signatures_is_enough_and_their_number_is_bounded() -> None:
    good = webhooks.standard(WHSEC, BODY)
    more = good | {"webhook-signature": "v1,AAAA v1a,BBBB v2,CC " + good["webhook-signature"]}
    verify(signing("standard-webhooks"), [WHSEC], raw(more), BODY, now=time.time())
    many = good | {"webhook-signature": " ".join([good["webhook-signature"]] * (MAX_ITEMS + 1))}
    assert (
        "more than" in refusal(signing("standard-webhooks"), [WHSEC], raw(many), BODY, now=time.time()).detail
    )


@pytest.mark.parametrize("order", [1, -1])
def test_either_of_two_secrets_fits(order: int) -> None:
    secrets = [WHSEC, OTHER_WHSEC][::order]
    for secret in secrets:
        headers = raw(webhooks.standard(secret, BODY))
        verify(signing("standard-webhooks"), secrets, headers, BODY, now=time.time())


def test_a_secret_of_another_form_signs_nothing() -> None:
    """An HMAC with the text of a public key as its key must not be taken: that text is public."""
    sender = webhooks.Asymmetric()
    forged = webhooks.standard("whsec_" + sender.public.removeprefix("whpk_"), BODY)
    refusal(signing("standard-webhooks"), [sender.public], raw(forged), BODY, now=time.time())


def test_tokens_are_compared_with_each() -> None:
    assert has_token(["one token", "two tokens"], "two tokens")
    assert not has_token(["one token"], "One token")
    assert not has_token([], "")
    assert not has_token(["a"], "\ud800")


def test_json_is_never_read_before_the_signature_is_checked() -> None:
    refusal(signing("github"), ["a secret"], [], json.dumps({"a": 1}).encode(), now=0)
