"""Certificates of subscriptions: shape, key, time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.client_certificates import (
    InvalidCertificate,
    check_authorities,
    check_pair,
    read_certificate,
    tls_faults,
)
from shared.http.contexts import tls_context
from tests.support.certificates import authority

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def refused(*arguments: Any) -> InvalidCertificate:
    with pytest.raises(InvalidCertificate) as error:
        check_pair(*arguments, NOW)
    return error.value


def test_a_pair_that_fits_names_its_holder() -> None:
    certificate, key = authority().certificate("weir")
    holder = check_pair(certificate, key, NOW)
    assert holder == read_certificate(certificate)
    assert holder.subject == "CN=weir"
    assert holder.expires_at > NOW
    tls_context(certificate, key, authority().pem)


def test_the_key_must_be_the_certificates() -> None:
    certificate, _ = authority().certificate("a")
    _, key = authority().certificate("b")
    error = refused(certificate, key)
    assert (error.pointer, error.detail) == ("/privateKey", "is not the key of the first certificate")


def test_the_certificate_must_be_in_force() -> None:
    old = authority().certificate("a", NOW - 9 * DAY, NOW - 2 * DAY)
    assert "has expired: it was valid until" in refused(*old).detail
    coming = authority().certificate("a", NOW + DAY, NOW + 9 * DAY)
    assert refused(*coming).pointer == "/certificate"


def test_what_is_no_pem_is_said_and_not_shown() -> None:
    certificate, key = authority().certificate("a")
    assert refused("nothing", key).pointer == "/certificate"
    error = refused(certificate, key.replace("MIG", "XXX"))
    assert error.pointer == "/privateKey"
    assert key.splitlines()[1] not in error.detail
    with pytest.raises(InvalidCertificate):
        check_authorities(key)


def test_an_encrypted_key_is_not_asked_about() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    certificate, _ = authority().certificate("a")
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    assert "must not be encrypted" in refused(certificate, key.decode()).detail


@pytest.mark.parametrize(
    ("tls", "pointers"),
    [
        ([], {""}),
        ({}, {""}),
        ({"privateKey": "x"}, {"/certificate"}),
        ({"ca": 5}, {"/ca"}),
        ({"ca": "ä"}, {"/ca"}),
        ({"certificate": "a" * 70_000}, {"/certificate"}),
        ({"ca": "x", "key": "y"}, {"/key"}),
        ({"ca": "x", "subject": "CN=a", "expiresAt": "2026-01-01T00:00:00Z"}, set()),
    ],
)
def test_shapes(tls: Any, pointers: set[str]) -> None:
    assert {fault.pointer for fault in tls_faults(tls)} == pointers
