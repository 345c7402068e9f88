"""Standard Webhooks signatures, verified by the official library and by the other half of the key."""

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from shared.core.signing import InvalidSecret, check_secret, new_secret, sign


def headers(secrets: list[str], body: bytes) -> dict[str, str]:
    now = int(time.time())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(secrets, "msg_1", now, body),
    }


@given(st.text())
def test_the_official_library_verifies_what_we_sign(text: str) -> None:
    secret = new_secret()
    Webhook(secret).verify(b'"x"' + b" " * len(text), headers([secret], b'"x"' + b" " * len(text)))


def test_every_live_secret_signs_so_that_a_receiver_can_rotate() -> None:
    old, new = new_secret(), new_secret()
    sent = headers([new, old], b"{}")
    for secret in (old, new):
        Webhook(secret).verify(b"{}", sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", sent)


def test_ed25519_is_verified_by_the_public_key() -> None:
    private = Ed25519PrivateKey.generate()
    secret = "whsk_" + base64.b64encode(private.private_bytes_raw()).decode()
    version, _, signature = sign([secret], "msg_1", 5, b"body").partition(",")
    assert version == "v1a"
    private.public_key().verify(base64.b64decode(signature), b"msg_1.5.body")


@pytest.mark.parametrize(
    "secret", ["", "secret", "whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "whsk_AAAA", "WHSEC_" + "A" * 44]
)
def test_what_cannot_sign_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(InvalidSecret) as caught:
        check_secret(secret)
    payload = secret.removeprefix("whsec_").removeprefix("whsk_")
    assert not payload or payload not in str(caught.value)
