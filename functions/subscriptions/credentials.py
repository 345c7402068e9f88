"""What a change makes of the credentials of a subscription: given anew, kept, or taken away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from shared.core.credentials import KINDS, same_holder, secret_of, shown
from shared.core.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

KEEP: Final = object()
"""In place of `auth` or `tls`: the member was absent."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """`auth` and `tls` as they are shown; of their secrets those there are."""

    auth: dict[str, Any] | None = None
    tls: dict[str, Any] | None = None
    secret: str | None = None
    private_key: str | None = None


NONE = Credentials()


@dataclass(frozen=True, slots=True)
class Before:
    """What there was. `credentials` opens the secrets, and gives None where they cannot be opened any more."""

    sink: str
    auth: dict[str, Any] | None
    tls: dict[str, Any] | None
    credentials: "Callable[[], Credentials | None]"


def settled(
    auth: Any, tls: Any, sink: str, before: Before | None, now: datetime
) -> tuple[Credentials, list[Fault]]:
    """The credentials from now on, and what is wrong with those that were given.

    `auth` and `tls` have no faults of shape; each is KEEP, None or an object.
    """
    faults: list[Fault] = []
    new_auth, secret = _auth(auth, sink, before, faults)
    new_tls, private_key = _tls(tls, before, now, faults)
    return Credentials(new_auth, new_tls, secret, private_key), faults


def _auth(
    auth: Any, sink: str, before: Before | None, faults: list[Fault]
) -> tuple[dict[str, Any] | None, str | None]:
    had = before.auth if before is not None else None
    if auth is None or (auth is KEEP and had is None):
        return None, None
    if auth is not KEEP and (given := secret_of(auth)) is not None:
        return shown(auth), given
    member = KINDS[(had if auth is KEEP else auth)["type"]].secret  # type: ignore[index]  # had is not None
    at = "/auth" if auth is KEEP else f"/auth/{member}"
    new = had if auth is KEEP else shown(auth)
    if before is None or had is None or new is None or not same_holder(new, had):
        faults.append(Fault(at, "must be given: there is none that could be kept"))
        return None, None
    if origin_of(sink) != origin_of(before.sink):
        # Else whoever may change subscriptions could have the secret sent to a place of their own.
        detail = "must be given again, because the sink is on another host" + (
            "; null takes it away" if auth is KEEP else ""
        )
        faults.append(Fault(at, detail))
        return None, None
    opened = before.credentials()
    if opened is None or opened.secret is None:
        faults.append(Fault(at, "must be given again: the one that is kept can no longer be opened"))
        return None, None
    return new, opened.secret


def _tls(
    tls: Any, before: Before | None, now: datetime, faults: list[Fault]
) -> tuple[dict[str, Any] | None, str | None]:
    had = before.tls if before is not None else None
    if tls is None or (tls is KEEP and had is None):
        return None, None
    key: str | None = None
    certificate: str | None = had.get("certificate") if tls is KEEP and had else tls.get("certificate")
    given = None if tls is KEEP else tls.get("privateKey")
    if certificate is not None and given is None:
        if before is None or had is None or had.get("certificate") != certificate:
            faults.append(Fault("/tls/privateKey", "must be given with a new certificate"))
            return None, None
        opened = before.credentials()
        key = opened.private_key if opened is not None else None
        if key is None:
            faults.append(
                Fault("/tls/privateKey", "must be given again: the one that is kept can no longer be opened")
            )
            return None, None
    if tls is KEEP:
        return had, key
    made = _read_tls(tls, certificate, given, now, faults)
    return made, given or key


def _read_tls(
    tls: Mapping[str, Any], certificate: str | None, given: str | None, now: datetime, faults: list[Fault]
) -> dict[str, Any]:
    # Certificates are rare: what reads them is more than all else this function loads.
    from shared.core.client_certificates import (
        InvalidCertificate,
        check_authorities,
        check_pair,
        read_certificate,
    )

    ca = tls.get("ca")
    made: dict[str, Any] = {"certificate": certificate, "ca": ca, "subject": None, "expiresAt": None}
    try:
        if certificate is not None:
            # One that was kept may have expired since: pausing its subscription must still be possible.
            holder = read_certificate(certificate) if given is None else check_pair(certificate, given, now)
            made["subject"] = holder.subject
            made["expiresAt"] = holder.expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if ca is not None:
            check_authorities(ca)
        _try(certificate, given, ca)
    except InvalidCertificate as error:
        faults.append(Fault(f"/tls{error.pointer}", error.detail))
    return made


def _try(certificate: str | None, private_key: str | None, ca: str | None) -> None:
    """Let the library that will use them judge. Raises InvalidCertificate."""
    import ssl

    from shared.core.client_certificates import InvalidCertificate
    from shared.http.contexts import tls_context

    try:
        tls_context(certificate if private_key else None, private_key, ca)
    except (ssl.SSLError, ValueError) as error:
        pointer = "/certificate" if private_key else "/ca"
        reason = getattr(error, "reason", None) or str(error)
        raise InvalidCertificate(pointer, f"cannot be used for TLS: {reason}") from None


def origin_of(sink: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a sink, the default port as None: where a secret goes to."""
    url = urlsplit(sink)
    port = None if url.port == {"http": 80, "https": 443}.get(url.scheme) else url.port
    return url.scheme, (url.hostname or "").lower(), port
