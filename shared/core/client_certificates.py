"""Certificates with which a subscription shows a sink who is calling (mTLS)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.core.pointers import write_pointer
from shared.core.problems import Fault

MAX_PEM = 64 * 1024
MEMBERS = ("certificate", "privateKey", "ca")
READ_ONLY = ("subject", "expiresAt")
"""What is shown beside them: a body that was read can be sent back."""


class InvalidCertificate(Exception):
    """What cannot be used; `pointer` begins at the `tls` object. The text never has a key in it."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names, as RFC 4514 writes it, and until when it is valid."""

    subject: str
    expires_at: datetime


def tls_faults(tls: Any) -> list[Fault]:
    """What is wrong with the shape of a `tls` object; its key may be absent. Pointers begin at it."""
    if not isinstance(tls, Mapping):
        return [Fault("", f"must be null, or an object with {', '.join(MEMBERS)}")]
    faults = [
        Fault(write_pointer([str(name)]), f"is not known; known are {', '.join(MEMBERS)}")
        for name in tls
        if name not in MEMBERS and name not in READ_ONLY
    ]
    for name in MEMBERS:
        value = tls.get(name)
        if value is not None and (not isinstance(value, str) or not value.isascii() or len(value) > MAX_PEM):
            faults.append(Fault(f"/{name}", f"must be a text in PEM of at most {MAX_PEM} characters"))
    if tls.get("certificate") is None:
        if tls.get("privateKey") is not None:
            faults.append(Fault("/certificate", "must be given with a privateKey"))
        elif tls.get("ca") is None:
            faults.append(Fault("", "must have a certificate with its privateKey, or a ca, or both"))
    return faults


def read_certificate(certificate: str) -> Holder:
    """Who holds the first certificate of a chain in PEM. Raises InvalidCertificate."""
    from cryptography import x509

    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        raise InvalidCertificate("/certificate", _no_pem("a certificate")) from None
    return Holder(chain[0].subject.rfc4514_string(), chain[0].not_valid_after_utc)


def check_pair(certificate: str, private_key: str, now: datetime) -> Holder:
    """The holder of a certificate that is in force and whose key this is. Raises InvalidCertificate."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    holder = read_certificate(certificate)
    leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
    if holder.expires_at <= now:
        raise InvalidCertificate("/certificate", f"has expired: it was valid until {_day(holder.expires_at)}")
    if leaf.not_valid_before_utc > now:
        raise InvalidCertificate(
            "/certificate", f"is not valid yet, but from {_day(leaf.not_valid_before_utc)} on"
        )
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except TypeError:
        raise InvalidCertificate("/privateKey", "must not be encrypted: give it without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidCertificate("/privateKey", _no_pem("a private key")) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise InvalidCertificate("/privateKey", "is not the key of the first certificate")
    return holder


def check_authorities(ca: str) -> None:
    """Raise InvalidCertificate unless there is a certificate in `ca`."""
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(ca.encode())
    except ValueError:
        raise InvalidCertificate("/ca", _no_pem("a certificate")) from None


def _no_pem(what: str) -> str:
    return f"is not {what} in PEM: -----BEGIN … to -----END …"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
